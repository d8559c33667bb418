/* Many inputs on all processors. Workers take inputs in order and put what they made into a slot;
 * whoever fills the slot that is due writes it and those behind it. */
#include "cli/inputs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AHEAD = 64 }; /* slots a worker may be ahead of the one that is due */

struct slot {
    bool done;
    bool passed_over;
    dfr_result result;
    char message[sizeof((dfr_error){0}.message)];
    struct dfr_cli_text *pieces; /* crashes * outputs */
    size_t crashes;
};

struct pool {
    const struct dfr_cli_job *job;
    const struct dfr_cli_inputs *in;
    pthread_mutex_t lock;
    pthread_cond_t room;
    size_t next, due; /* input to take, slot to write */
    struct slot *slots;
    size_t slot_count;
    struct dfr_cli_tally tally;
};

static bool is_json(dfr_format f)
{
    return f != DFR_FORMAT_TEXT;
}

static const char *result_word(dfr_result r)
{
    switch (r) {
    case DFR_RESULT_NO_MEMORY:
        return "no-memory";
    case DFR_RESULT_IO:
        return "io";
    case DFR_RESULT_NOT_A_CRASH:
        return "not-a-crash";
    case DFR_RESULT_UNSUPPORTED:
        return "unsupported";
    case DFR_RESULT_LIMIT:
        return "limit";
    case DFR_RESULT_MISUSE:
        return "misuse";
    default:
        return "internal";
    }
}

/* The object that stands for an input that could not be read. */
static void error_piece(const struct dfr_cli_input *input, const struct slot *s, dfr_format format,
                        struct dfr_cli_text *t)
{
    const char *line = format == DFR_FORMAT_JSON ? "\n  " : "";
    const char *deep = format == DFR_FORMAT_JSON ? "\n    " : "";
    const char *gap = format == DFR_FORMAT_JSON ? " " : "";
    dfr_cli_text_printf(t, "{%s\"schema\":%s\"dfrule/error/1\",%s\"input\":%s{%s\"path\":%s", line,
                        gap, line, gap, deep, gap);
    dfr_cli_text_json(t, input->path, strlen(input->path));
    dfr_cli_text_printf(t, "%s},%s\"error\":%s{%s\"code\":%s\"%s\",%s\"message\":%s", line, line,
                        gap, deep, gap, result_word(s->result), deep, gap);
    dfr_cli_text_json(t, s->message, strlen(s->message));
    dfr_cli_text_printf(t, "%s}%s}\n", line, format == DFR_FORMAT_JSON ? "\n" : "");
}

static void write_slot(struct pool *p, const struct dfr_cli_input *input, struct slot *s)
{
    struct dfr_cli_outputs *outs = p->job->outs;
    for (size_t c = 0; c < s->crashes; c++)
        for (size_t i = 0; i < outs->n; i++) {
            struct dfr_cli_text *t = &s->pieces[c * outs->n + i];
            if (t->len) /* a crash that stands inside another's JSON has none of its own */
                dfr_cli_output_piece(outs, i, t->p, t->len);
        }
    if (s->passed_over) {
        p->tally.passed_over++;
        if (p->job->options->verbose)
            dfr_cli_say("%s (passed over)", s->message);
    } else if (s->result != DFR_RESULT_OK) {
        p->tally.failed++;
        p->tally.internal = p->tally.internal || s->result == DFR_RESULT_INTERNAL ||
                            s->result == DFR_RESULT_NO_MEMORY;
        p->tally.usage = p->tally.usage || s->result == DFR_RESULT_MISUSE;
        dfr_cli_output_flush(outs);
        dfr_cli_say("%s", s->message);
        for (size_t i = 0; i < outs->n; i++)
            if (is_json(outs->v[i].format)) {
                struct dfr_cli_text t = {0};
                error_piece(input, s, outs->v[i].format, &t);
                dfr_cli_output_piece(outs, i, t.p, t.len);
                dfr_cli_text_free(&t);
            }
    } else {
        p->tally.good++;
    }
    for (size_t i = 0; i < s->crashes * outs->n; i++)
        dfr_cli_text_free(&s->pieces[i]);
    free(s->pieces);
    *s = (struct slot){0};
    dfr_cli_progress_step();
}

/* Everything about one input, without touching what others see. */
static void work(const struct pool *p, const struct dfr_cli_input *input, struct slot *s,
                 bool *found)
{
    const struct dfr_cli_job *job = p->job;
    dfr_error error = {.result = DFR_RESULT_OK, .message = ""};
    dfr_crash *crash = NULL;
    s->result = dfr_cli_open(job->options, input, &crash, &error);
    if (s->result == DFR_RESULT_OK) {
        size_t count = dfr_crash_count(crash), only = job->options->crash;
        if (only > count) {
            s->result = DFR_RESULT_MISUSE;
            snprintf(error.message, sizeof error.message, "%.300s: --crash %zu: there %s %zu",
                     input->path, only, count == 1 ? "is only" : "are only", count);
        }
        for (size_t i = 0; i < count && s->result == DFR_RESULT_OK; i++) {
            if (only && only != i + 1)
                continue;
            int strength = 0;
            s->pieces =
                dfr_cli_alloc(s->pieces, (s->crashes + 1) * job->outs->n, sizeof *s->pieces);
            struct dfr_cli_text *pieces = &s->pieces[s->crashes * job->outs->n];
            memset(pieces, 0, job->outs->n * sizeof *pieces);
            s->crashes++;
            s->result = job->work(job, crash, i, pieces, &strength, &error);
            *found = *found || (job->options->fail_on && strength >= job->options->fail_on);
        }
        if (s->result != DFR_RESULT_OK && s->crashes) { /* half a crash is no result */
            s->crashes--;
            for (size_t i = 0; i < job->outs->n; i++)
                dfr_cli_text_free(&s->pieces[s->crashes * job->outs->n + i]);
        }
    }
    dfr_crash_free(crash);
    s->passed_over = input->found && s->result == DFR_RESULT_NOT_A_CRASH;
    snprintf(s->message, sizeof s->message, "%s", error.message);
}

static void *worker(void *user)
{
    struct pool *p = user;
    bool ordered = !p->job->options->unordered;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        size_t i = p->next;
        if (i >= p->in->n)
            break;
        if (i >= p->due + p->slot_count) {
            pthread_cond_wait(&p->room, &p->lock);
            continue;
        }
        p->next++;
        pthread_mutex_unlock(&p->lock);
        struct slot made = {0};
        bool found = false;
        work(p, &p->in->v[i], &made, &found);
        pthread_mutex_lock(&p->lock);
        p->tally.found = p->tally.found || found;
        if (!ordered) {
            write_slot(p, &p->in->v[i], &made);
            p->due++;
            pthread_cond_broadcast(&p->room);
            continue;
        }
        made.done = true;
        p->slots[i % p->slot_count] = made;
        while (p->due < p->in->n && p->slots[p->due % p->slot_count].done) {
            write_slot(p, &p->in->v[p->due], &p->slots[p->due % p->slot_count]);
            p->due++;
        }
        pthread_cond_broadcast(&p->room);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int exit_code(const struct pool *p)
{
    const struct dfr_cli_tally *t = &p->tally;
    if (t->internal)
        return DFR_EXIT_INTERNAL;
    if (t->usage)
        return DFR_EXIT_USAGE;
    if (t->found)
        return DFR_EXIT_FOUND;
    if (t->good == 0)
        return DFR_EXIT_INPUT;
    return t->failed ? DFR_EXIT_PARTIAL : DFR_EXIT_OK;
}

int dfr_cli_run(const struct dfr_cli_job *job, const struct dfr_cli_inputs *in)
{
    struct pool p = {
        .job = job, .in = in, .lock = PTHREAD_MUTEX_INITIALIZER, .room = PTHREAD_COND_INITIALIZER};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = job->options->jobs ? job->options->jobs
                     : processors > 1   ? (size_t)processors
                                        : 1;
    if (threads > in->n)
        threads = in->n;
    if (in->folders || in->n != 1) {
        dfr_cli_outputs_many(job->outs);
    }
    p.slot_count = threads + AHEAD;
    p.slots = dfr_cli_alloc(NULL, p.slot_count, sizeof *p.slots);
    memset(p.slots, 0, p.slot_count * sizeof *p.slots);
    dfr_cli_progress_begin(!job->options->quiet, in->n, "inputs");
    pthread_t *ids = dfr_cli_alloc(NULL, threads + 1, sizeof *ids);
    size_t started = 0;
    while (started + 1 < threads && pthread_create(&ids[started], NULL, worker, &p) == 0)
        started++;
    worker(&p);
    for (size_t i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    dfr_cli_progress_end();
    dfr_cli_output_flush(job->outs);
    if (p.tally.passed_over && !job->options->quiet && !job->options->verbose)
        dfr_cli_say("%zu file%s without a crash passed over; -v names them", p.tally.passed_over,
                    p.tally.passed_over == 1 ? "" : "s");
    if (in->n == 0)
        dfr_cli_say("no files found");
    free(ids);
    free(p.slots);
    return exit_code(&p);
}
