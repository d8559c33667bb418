/* Inputs: read, recognised, turned into facts; their facts written; copies with facts replaced. */
#include <string.h>

#include "api/handle.h"
#include "base/limits.h"
#include "dump/dump.h"
#include "lang/compile.h"
#include "text/transcript.h"

static void crash_release(dfr_crash *c)
{
    dfr_crash *base = c->base;
    dfr_handle_free(&c->handle);
    dfr_crash_free(base);
}

void dfr_crash_free(dfr_crash *crash)
{
    if (crash && dfr_handle_drop(&crash->handle))
        crash_release(crash);
}

size_t dfr_crash_count(const dfr_crash *crash)
{
    return crash->count;
}

/* ---- Opening ------------------------------------------------------------------------------- */

struct open_args {
    dfr_crash *crash;
    const dfr_input *input;
    const char *symbol_path; /* NULL: none */
    bool list_symbols;
    uint64_t most;
};

/* The readers speak of the text; the user knows it by its path. */
static enum dfr_status with_path(struct dfr_str path, enum dfr_status status, struct dfr_err *err)
{
    struct dfr_err old = *err;
    return dfr_fail(err, status, "%.*s: %s", (int)path.len, path.p, old.message);
}

static bool is_dump(struct dfr_bytes *b)
{
    uint8_t first[8];
    return dfr_bytes_copy(b, 0, first, sizeof first) &&
           dfr_dump_looks_like((struct dfr_span){first, sizeof first});
}

static enum dfr_status read_dump(const struct open_args *in, struct dfr_bytes *b,
                                 struct dfr_err *err)
{
    dfr_crash *c = in->crash;
    struct dfr_arena *a = &c->handle.arena;
    struct dfr_facts *f = DFR_NEW(a, struct dfr_facts);
    if (in->most && b->size > in->most)
        return dfr_fail(err, DFR_LIMIT, "%.*s: larger than %llu bytes", (int)c->path.len, c->path.p,
                        (unsigned long long)in->most);
    dfr_diags_init(&c->diags, a);
    struct dfr_dump_options options = {.symbol_path =
                                           dfr_str_from(in->symbol_path ? in->symbol_path : "")};
    if (in->list_symbols)
        options.wanted = c->wanted = DFR_NEW(a, struct dfr_wanted);
    enum dfr_status status = dfr_dump_read(a, b, &options, &c->diags, f, err);
    if (status != DFR_OK)
        return with_path(c->path, status, err);
    dfr_bytes_share(b);
    c->bytes = b;
    c->kind = DFR_STR(""); /* the report takes it from the facts */
    c->count = 1;
    c->crashes = DFR_NEW_N(a, 1, const struct dfr_facts *);
    c->crashes[0] = f;
    return DFR_OK;
}

/* What is too large to be a text is told by its beginning, without reading it whole. */
static enum dfr_status too_large_for_text(const struct open_args *in, struct dfr_bytes *b,
                                          struct dfr_err *err)
{
    uint8_t first[4096];
    if (b->size <= DFR_LIMIT_TRANSCRIPT_BYTES || !dfr_bytes_copy(b, 0, first, sizeof first))
        return DFR_OK;
    return dfr_api_sniff(in->crash->path, (struct dfr_str){(const char *)first, sizeof first}, err);
}

/* A dump is read in windows where it is a file: it may be larger than memory. */
static enum dfr_status try_dump(const struct open_args *in, bool *ret_done, struct dfr_err *err)
{
    struct dfr_arena *a = &in->crash->handle.arena;
    struct dfr_bytes *b = DFR_NEW(a, struct dfr_bytes); /* the facts' view keeps reading from it */
    bool open;
    enum dfr_status status = dfr_input_open(a, in->input, in->crash->path, b, &open, err);
    if (status != DFR_OK || !open)
        return status;
    if (!is_dump(b))
        return too_large_for_text(in, b, err);
    if (in->input->bytes)
        dfr_bytes_memory(
            b, a,
            (struct dfr_span){(const uint8_t *)dfr_arena_copy(a, in->input->bytes, in->input->len),
                              in->input->len});
    *ret_done = true;
    return read_dump(in, b, err);
}

static enum dfr_status open_body(void *args, struct dfr_err *err)
{
    const struct open_args *in = args;
    dfr_crash *c = in->crash;
    struct dfr_arena *a = &c->handle.arena;
    c->path = dfr_str_dup(a, dfr_str_from(in->input->path ? in->input->path : ""));
    c->kind = DFR_STR("transcript");
    struct dfr_str bytes;
    bool done = false;
    enum dfr_status status = try_dump(in, &done, err);
    if (status != DFR_OK || done)
        return status;
    uint64_t most =
        in->most && in->most < DFR_LIMIT_TRANSCRIPT_BYTES ? in->most : DFR_LIMIT_TRANSCRIPT_BYTES;
    status = dfr_input_whole(a, in->input, c->path, most, &bytes, err);
    if (status != DFR_OK)
        return status;
    struct dfr_bytes *whole = DFR_NEW(a, struct dfr_bytes); /* of a pipe: only now seen */
    dfr_bytes_memory(whole, a, (struct dfr_span){(const uint8_t *)bytes.p, bytes.len});
    if (is_dump(whole))
        return read_dump(in, whole, err);
    status = dfr_api_sniff(c->path, bytes, err);
    if (status != DFR_OK)
        return status;
    dfr_bytes_share(whole);
    c->bytes = whole;
    dfr_diags_init(&c->diags, a);
    struct dfr_transcript t = {0};
    status = dfr_transcript_read(a, bytes, &c->diags, &t, err);
    if (status != DFR_OK)
        return with_path(c->path, status, err);
    c->count = t.n;
    c->crashes = DFR_NEW_N(a, t.n, const struct dfr_facts *);
    for (uint32_t i = 0; i < t.n; i++)
        c->crashes[i] = &t.crashes[i];
    return DFR_OK;
}

dfr_result dfr_crash_open(const dfr_input *input, const dfr_crash_options *options, dfr_crash **ret,
                          dfr_error *error)
{
    dfr_input in;
    dfr_crash_options o;
    if (!dfr_api_options(&in, sizeof in, input, error) ||
        !dfr_api_options(&o, sizeof o, options, error))
        return DFR_RESULT_MISUSE;
    if (!in.path && !in.bytes && !in.read)
        return dfr_api_fail(error, DFR_RESULT_MISUSE,
                            "the input has neither a path nor bytes nor a function that reads it");
    dfr_result result = DFR_RESULT_OK;
    dfr_crash *c = dfr_handle_new(sizeof *c, &o.memory, error, &result);
    if (!c)
        return result;
    struct open_args args = {.crash = c,
                             .input = &in,
                             .symbol_path = o.symbol_path,
                             .list_symbols = o.list_symbols != 0,
                             .most = o.max_bytes};
    result = dfr_api_run(&c->handle.mem, open_body, &args, error);
    if (result == DFR_RESULT_OK)
        *ret = c;
    else
        crash_release(c);
    return result;
}

/* ---- Facts --------------------------------------------------------------------------------- */

const struct dfr_facts *dfr_api_facts(const dfr_crash *c, size_t index, dfr_error *error)
{
    if (index < c->count)
        return c->crashes[index];
    dfr_api_fail(error, DFR_RESULT_MISUSE, "there is no crash %zu: the input has %u", index,
                 c->count);
    return NULL;
}

struct facts_args {
    struct dfr_scratch *scratch;
    const dfr_crash *crash;
    uint32_t index;
    dfr_format format;
    struct dfr_report_style style;
    dfr_write_fn write;
    void *user;
};

static enum dfr_status info_body(void *args, struct dfr_err *err)
{
    const struct facts_args *in = args;
    struct dfr_report_input input = dfr_api_input(in->crash, in->index, &in->scratch->arena);
    const struct dfr_facts *f = in->crash->crashes[in->index];
    struct dfr_buf b;
    dfr_api_buf(&b, &in->scratch->arena);
    if (in->format == DFR_FORMAT_TEXT)
        dfr_report_info_text(f, &input, &in->style, &b);
    else
        dfr_report_info_json(f, &input, in->format == DFR_FORMAT_JSON, &b);
    return dfr_api_emit(&b, in->write, in->user, err);
}

static enum dfr_status facts_body(void *args, struct dfr_err *err)
{
    const struct facts_args *in = args;
    struct dfr_report_input input = dfr_api_input(
        in->crash, in->index, in->format == DFR_FORMAT_TEXT ? NULL : &in->scratch->arena);
    const struct dfr_facts *f = in->crash->crashes[in->index];
    struct dfr_buf b;
    dfr_api_buf(&b, &in->scratch->arena);
    if (in->format == DFR_FORMAT_TEXT)
        dfr_report_facts_text(f, &input, &in->style, &b);
    else
        dfr_report_facts_json(f, &input, in->format == DFR_FORMAT_JSON, &b);
    return dfr_api_emit(&b, in->write, in->user, err);
}

static dfr_result write_facts(const dfr_crash *crash, size_t index, dfr_format format,
                              const dfr_style *style, dfr_write_fn write, void *user,
                              dfr_api_body body, dfr_error *error)
{
    if (!dfr_api_format_ok(format, error) || !dfr_api_facts(crash, index, error))
        return DFR_RESULT_MISUSE;
    struct dfr_scratch s;
    dfr_scratch_init(&s, &crash->handle.memory);
    struct facts_args args = {&s,    crash, (uint32_t)index, format, dfr_api_style(style),
                              write, user};
    dfr_result result = dfr_api_run(&s.mem, body, &args, error);
    dfr_scratch_deinit(&s);
    return result;
}

dfr_result dfr_crash_write_facts(const dfr_crash *crash, size_t index, dfr_format format,
                                 const dfr_style *style, dfr_write_fn write, void *user,
                                 dfr_error *error)
{
    return write_facts(crash, index, format, style, write, user, facts_body, error);
}

dfr_result dfr_crash_write_info(const dfr_crash *crash, size_t index, dfr_format format,
                                const dfr_style *style, dfr_write_fn write, void *user,
                                dfr_error *error)
{
    return write_facts(crash, index, format, style, write, user, info_body, error);
}

/* ---- What if ------------------------------------------------------------------------------- */

struct what_if_args {
    dfr_crash *crash; /* the copy */
    const dfr_crash *base;
    const dfr_text *assignments;
    size_t n;
};

/* The assignments as the `given` of a test, one a line, so that line n + 1 is assignment n. */
static struct dfr_str given_source(struct dfr_arena *a, const struct what_if_args *in)
{
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    dfr_buf_z(&b, "test \"what-if\" { given {");
    for (size_t i = 0; i < in->n; i++) {
        dfr_buf_char(&b, '\n');
        dfr_buf_str(&b, dfr_str_of(in->assignments[i]));
        dfr_buf_char(&b, ';');
    }
    dfr_buf_z(&b, "\n} expect true; }\n");
    return dfr_buf_text(&b);
}

static enum dfr_status what_if_error(const struct what_if_args *in, const struct dfr_diags *diags,
                                     struct dfr_err *err)
{
    for (uint32_t i = 0; i < diags->n; i++) {
        const struct dfr_diag *d = &diags->v[i];
        if (d->severity != DFR_SEV_ERROR)
            continue;
        struct dfr_str what = d->line >= 2 && d->line - 2 < in->n
                                  ? dfr_str_of(in->assignments[d->line - 2])
                                  : DFR_STR("");
        if (!what.len)
            what = DFR_STR("what-if");
        return dfr_fail(err, DFR_MISUSE, "%.*s: %.*s%s%.*s", (int)what.len, what.p,
                        (int)d->message.len, d->message.p, d->suggest.len ? "; " : "",
                        (int)d->suggest.len, d->suggest.p);
    }
    return dfr_fail(err, DFR_MISUSE, "what-if: this is no list of assignments");
}

static enum dfr_status what_if_body(void *args, struct dfr_err *err)
{
    const struct what_if_args *in = args;
    dfr_crash *c = in->crash;
    struct dfr_arena *a = &c->handle.arena;
    c->path = in->base->path;
    c->kind = in->base->kind;
    c->bytes = in->base->bytes;
    c->diags = in->base->diags;
    struct dfr_diags *diags = DFR_NEW(a, struct dfr_diags);
    struct dfr_program *p = DFR_NEW(a, struct dfr_program);
    dfr_diags_init(diags, a);
    for (size_t i = 0; i < in->n; i++) {
        struct dfr_str s = dfr_str_of(in->assignments[i]);
        if (memchr(s.p, '\n', s.len))
            return dfr_fail(err, DFR_MISUSE, "what-if: an assignment stands on one line");
    }
    struct dfr_compile_source source = {.path = DFR_STR("what-if"), .text = given_source(a, in)};
    struct dfr_compile_options options = {0};
    enum dfr_status status = dfr_compile(a, &source, 1, &options, diags, p, err);
    if (status == DFR_BAD_RULES || diags->errors)
        return what_if_error(in, diags, err);
    if (status != DFR_OK)
        return status;
    if (p->tests.n != 1 || p->tests.v[0].expect_count != 1 || p->tests.v[0].load.len ||
        p->rules.n || p->facts.n || p->lists.n)
        return what_if_error(in, diags, err);
    c->count = in->base->count;
    c->crashes = DFR_NEW_N(a, c->count, const struct dfr_facts *);
    for (uint32_t i = 0; i < c->count; i++) {
        struct dfr_facts *f = DFR_NEW(a, struct dfr_facts);
        status = dfr_given_apply(p, 0, in->base->crashes[i], a, f, err);
        if (status != DFR_OK)
            return status;
        c->crashes[i] = f;
    }
    return DFR_OK;
}

dfr_result dfr_crash_what_if(const dfr_crash *crash, const dfr_text *assignments, size_t n,
                             dfr_crash **ret, dfr_error *error)
{
    dfr_result result = DFR_RESULT_OK;
    dfr_crash *c = dfr_handle_new(sizeof *c, &crash->handle.memory, error, &result);
    if (!c)
        return result;
    struct what_if_args args = {c, crash, assignments, n};
    result = dfr_api_run(&c->handle.mem, what_if_body, &args, error);
    if (result == DFR_RESULT_OK) {
        /* The handle counts its users even where the caller may not change it. */
        c->base = (dfr_crash *)(uintptr_t)crash;
        dfr_handle_keep(&c->base->handle);
        *ret = c;
    } else {
        crash_release(c);
    }
    return result;
}
