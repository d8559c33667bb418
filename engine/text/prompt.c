/* Prompts and the commands behind them: they say whose output follows. */
#include "text/sections.h"

#include <string.h>

enum { COMMAND_WORDS = 24, COMMAND_BYTES = 160 };

static const struct dfr_command commands[] = {
#define MARK(word, fn)
#define COMMAND(verb, args, out) {verb, args, DFR_OUT_##out},
#define KEY(name, how, field)
#define NOISE(words)
#include "text/sections.def"
#undef MARK
#undef COMMAND
#undef KEY
#undef NOISE
};

const struct dfr_command *dfr_tx_command(struct dfr_str verb)
{
    size_t lo = 0, hi = sizeof commands / sizeof *commands;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = dfr_str_cmp(verb, dfr_str_from(commands[mid].verb));
        if (c == 0)
            return &commands[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

/* Is the rest of the line one command line, or a paragraph that lost its line ends? */
static uint32_t command_line_end(const struct dfr_reader *r, uint32_t i, bool *ret_flat)
{
    uint32_t end = i;
    while (end < r->words.n && !dfr_tx_bol(r, end) && end - i < COMMAND_WORDS)
        end++;
    bool more = end < r->words.n && !dfr_tx_bol(r, end);
    for (uint32_t j = i; j < end && !more; j++)
        more = dfr_tx_is(r, j, DFR_W_PROMPT) || dfr_tx_is(r, j, DFR_W_KEY) ||
               dfr_tx_is(r, j, DFR_W_REG) || dfr_tx_says(r, j, "Child-SP") ||
               dfr_tx_says(r, j, "ChildEBP") || dfr_tx_says(r, j, "RetAddr");
    if (end > i && !more)
        more = dfr_tx_text_range(r, i, end - 1).len > COMMAND_BYTES;
    *ret_flat = more;
    return end;
}

/* The processor that the prompt names, or -1. */
static int64_t prompt_cpu(struct dfr_str s)
{
    const char *colon = memchr(s.p, ':', s.len);
    int64_t cpu;
    if (!colon || s.p[s.len - 1] != '>' || !memmem(s.p, s.len, "kd", 2))
        return -1;
    size_t n = (size_t)(colon - s.p);
    const char *dot = memchr(s.p, '.', n); /* `16.0:` is processor 16 in another machine mode */
    return dfr_tx_decimal(dfr_str_slice(s, 0, dot ? (size_t)(dot - s.p) : n), &cpu) && cpu < 4096
               ? cpu
               : -1;
}

static bool is_whole_list(const struct dfr_reader *r, uint32_t verb, uint32_t end)
{
    struct dfr_str v = dfr_tx_text(r, verb);
    if (dfr_str_eq(v, DFR_STR("lmu")) || dfr_str_eq(v, DFR_STR("lmvm")) || v.len > 5)
        return false;
    for (size_t i = 2; i < v.len; i++)
        if (!strchr("fkntv", v.p[i]))
            return false;
    for (uint32_t j = verb + 1; j < end; j++) {
        struct dfr_str a = dfr_tx_text(r, j);
        if (a.len != 1 || !strchr("fkntv", a.p[0]))
            return false;
    }
    return true;
}

/* `.thread X`, `!thread X`, `~3s`: the output behind it is about another thread or processor. */
static void switch_thread(struct dfr_reader *r, uint32_t verb, uint32_t end)
{
    struct dfr_str v = dfr_tx_text(r, verb);
    uint64_t address = 0;
    bool given = false;
    for (uint32_t j = verb + 1; j < end && !given; j++)
        given = dfr_tx_address(r, j, &address);
    if (dfr_str_eq(v, DFR_STR(".thread")) || dfr_str_eq(v, DFR_STR("!thread")) ||
        dfr_str_eq(v, DFR_STR("!mex.t"))) {
        bool sticky = v.p[0] == '.';
        if (!given || (r->c->has_thread && address == r->c->thread)) {
            r->other_thread = false;
            r->has_thread = false;
        } else {
            r->other_thread = true;
            r->has_thread = true;
            r->thread = address;
        }
        r->sticky_thread = sticky;
        r->set_context = false;
    }
}

/* Rows that later lines of the same output add to. */
void dfr_tx_close_rows(struct dfr_reader *r)
{
    r->device_row = r->devnode_row = r->thread_row = r->cpu_row = UINT32_MAX;
    r->pte_row = r->lock_row = r->section_row = UINT32_MAX;
    r->irp_row = UINT32_MAX;
    r->irp_open = r->irp_known = r->devstack_open = r->thread_current = r->record_open = false;
    r->stacks_open = false;
}

static void end_of_output(struct dfr_reader *r, uint32_t i)
{
    dfr_tx_stack_close(r);
    if (r->lm_whole)
        dfr_tx_modules_complete(r, i);
    if (!r->sticky_thread) {
        r->other_thread = false;
        r->has_thread = false;
    }
    r->module = UINT32_MAX;
    r->unloaded_row = UINT32_MAX;
    r->label_word = DFR_NO_WORD;
    r->has_labelled = false;
    r->frame = 0;
    dfr_tx_close_rows(r);
}

static void note_unread(struct dfr_reader *r, uint32_t prompt, uint32_t end)
{
    struct dfr_str what = dfr_tx_text_range(r, prompt + 1, end - 1);
    if (what.len > COMMAND_BYTES)
        what.len = COMMAND_BYTES;
    dfr_tx_skip_note(r, what, DFR_STR("no reader for the output of this command"), prompt + 1,
                     end - 1);
}

uint32_t dfr_tx_prompt(struct dfr_reader *r, uint32_t i)
{
    end_of_output(r, i);
    struct dfr_str p = dfr_tx_text(r, i);
    r->out = DFR_OUT_NONE;
    r->command = DFR_NO_WORD;
    int64_t cpu = prompt_cpu(p);
    r->prompt_cpu = cpu;
    r->evidence_at_prompt = r->c->evidence;
    if (cpu >= 0 && r->c->cpu < 0 && !r->c->cpu_known_unsaid) {
        r->c->cpu = cpu;
        r->c->cpu_word = i;
    }
    r->c->prompts++;
    uint32_t v = i + 1;
    /* A command stands on the prompt's line, except where pasting broke the line right there. */
    if (v >= r->words.n || (dfr_tx_bol(r, v) && !dfr_tx_command(dfr_tx_text(r, v))))
        return v;
    struct dfr_str verb = dfr_tx_strip(dfr_tx_text(r, v), ";\"");
    const struct dfr_command *c = dfr_tx_command(verb);
    bool flat;
    uint32_t end = command_line_end(r, v, &flat);
    if (dfr_tx_bol(r, v))
        end = v + 1, flat = true;
    if (flat) {
        end = v + 1;
        for (unsigned n = c ? c->args : 0; n && end < r->words.n; n--, end++) {
            struct dfr_str a = dfr_tx_text(r, end);
            if (dfr_tx_bol(r, end) || dfr_tx_is(r, end, DFR_W_PROMPT) ||
                dfr_tx_is(r, end, DFR_W_KEY) || (c->out == DFR_OUT_ANALYZE && a.p[0] != '-') ||
                dfr_tx_is(r, end, DFR_W_REG))
                break;
        }
    }
    r->command = v;
    r->command_end = end;
    r->verb = verb;
    /* The last command of `a; b; kb` prints last. */
    const struct dfr_command *last = c;
    uint32_t last_verb = v;
    for (uint32_t j = v + 1; j < end && !flat; j++) {
        struct dfr_str before = dfr_tx_text(r, j - 1),
                       word = dfr_tx_strip(dfr_tx_text(r, j), ";\"");
        if (before.p[before.len - 1] != ';')
            continue;
        const struct dfr_command *d = dfr_tx_command(word);
        if (d) {
            switch_thread(r, last_verb, j);
            last = d;
            last_verb = j;
        }
    }
    switch_thread(r, last_verb, end);
    if (verb.p[0] == '~')
        r->set_context = false;
    r->out = last ? last->out : DFR_OUT_OTHER;
    r->c->analyses += r->out == DFR_OUT_ANALYZE;
    if (r->out == DFR_OUT_TRAP || r->out == DFR_OUT_CONTEXT || r->out == DFR_OUT_TSS) {
        /* Without an address the command takes the context back. */
        r->set_context = end > last_verb + 1 || dfr_str_eq(verb, DFR_STR(".ecxr"));
        r->sticky_thread = false;
        r->other_thread = false;
        r->has_thread = false;
    }
    if (r->out == DFR_OUT_MODULES) {
        r->lm_whole = !flat && is_whole_list(r, last_verb, end);
        r->lm_rows_before = r->f->tables[DFR_T_MODULES].n;
    }
    if (r->out == DFR_OUT_OTHER && (verb.p[0] == '!' || verb.p[0] == '.'))
        note_unread(r, i, end);
    return end;
}
