/* Rule sets: compiled from memory or files, loaded from a cache, saved, listed. */
#include <string.h>

#include "api/cache.h"
#include "api/handle.h"
#include "api/sources.h"
#include "base/limits.h"
#include "lang/compile.h"

const char *dfr_version(void)
{
    return DFRULE_VERSION;
}

void dfr_rules_free(dfr_rules *rules)
{
    if (rules && dfr_handle_drop(&rules->handle))
        dfr_handle_free(&rules->handle);
}

struct compile_args {
    dfr_rules *rules;
    struct dfr_scratch *scratch; /* sources, trees, diagnostics */
    dfr_rules_options options;
    const dfr_rule_source *sources; /* or: */
    const dfr_text *paths;
    size_t n;
    struct dfr_diags diags;
};

static void *moved(struct dfr_arena *a, const void *v, uint32_t n, size_t size)
{
    void *p = dfr_arena_array(a, n ? n : 1, size);
    if (n)
        memcpy(p, v, n * size);
    return p;
}

/* The arrays hold no pointers, so a program moves out of the arena with its sources and trees. */
static void move_program(struct dfr_arena *a, const struct dfr_program *p, struct dfr_program *ret)
{
    *ret = *p;
    ret->arena = a;
#define SECTION(member)                                                                            \
    ret->member.v = moved(a, p->member.v, p->member.n, sizeof *p->member.v);                       \
    ret->member.cap = p->member.n;
#include "code/sections.def"
    SECTION(givens)
    SECTION(expects)
    SECTION(tests)
#undef SECTION
}

static enum dfr_status compile(struct compile_args *in, const struct dfr_compile_source *sources,
                               size_t n, struct dfr_err *err)
{
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_compile_options options = {
        .now = in->options.now, .tiers = in->options.tiers, .lint = in->options.lint != 0};
    struct dfr_program *p = DFR_NEW(a, struct dfr_program);
    enum dfr_status status = dfr_compile(a, sources, n, &options, &in->diags, p, err);
    if (status == DFR_OK)
        move_program(&in->rules->handle.arena, p, &in->rules->program);
    if (status == DFR_BAD_RULES)
        dfr_fail(err, status, "the rules have %u error%s", in->diags.errors,
                 in->diags.errors == 1 ? "" : "s");
    return status;
}

static enum dfr_status from_memory(struct compile_args *in, struct dfr_err *err)
{
    struct dfr_arena *a = &in->scratch->arena;
    if (in->n > DFR_LIMIT_SOURCES)
        return dfr_fail(err, DFR_LIMIT, "more than %u rule sources", (unsigned)DFR_LIMIT_SOURCES);
    struct dfr_compile_source *sources = DFR_NEW_N(a, in->n, struct dfr_compile_source);
    for (size_t i = 0; i < in->n; i++)
        sources[i] = (struct dfr_compile_source){.path = dfr_str_of(in->sources[i].path),
                                                 .text = dfr_str_of(in->sources[i].text),
                                                 .layer = in->sources[i].layer};
    return compile(in, sources, in->n, err);
}

static enum dfr_status from_files(struct compile_args *in, struct dfr_err *err)
{
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_sources s = {0};
    enum dfr_status status = dfr_sources_read(a, in->paths, in->n, in->options.search,
                                              in->options.search_count, &s, err);
    if (status != DFR_OK)
        return status;
    if (!s.cache.len)
        return compile(in, s.list.v, s.list.n, err);
    struct dfr_program *p = DFR_NEW(a, struct dfr_program);
    status = dfr_program_read(a, s.cache, p, err);
    if (status == DFR_OK)
        move_program(&in->rules->handle.arena, p, &in->rules->program);
    return status;
}

/* The kept form of unchanged sources, else their compilation, which is then kept. */
static enum dfr_status from_cache(struct compile_args *in, struct dfr_err *err)
{
    struct dfr_arena *a = &in->scratch->arena;
    struct dfr_program *p = DFR_NEW(a, struct dfr_program);
    struct dfr_str name;
    struct dfr_err ignored;
    bool cached = in->options.cache.len && !in->options.lint &&
                  dfr_cache_name(a, &in->options, in->paths, in->n, &name, &ignored) == DFR_OK;
    if (cached && dfr_cache_load(a, name, p)) {
        move_program(&in->rules->handle.arena, p, &in->rules->program);
        return DFR_OK;
    }
    enum dfr_status status = from_files(in, err);
    if (status == DFR_OK && cached && !in->diags.n)
        dfr_cache_store(a, name, &in->rules->program);
    return status;
}

static enum dfr_status compile_body(void *args, struct dfr_err *err)
{
    struct compile_args *in = args;
    dfr_diags_init(&in->diags, &in->scratch->arena);
    enum dfr_status status = in->paths ? from_cache(in, err) : from_memory(in, err);
    if (status == DFR_OK)
        status =
            dfr_engine_new(&in->rules->handle.arena, &in->rules->program, &in->rules->engine, err);
    return status;
}

static dfr_result make(struct compile_args *args, const dfr_rules_options *options, dfr_rules **ret,
                       dfr_diagnostics **ret_diagnostics, dfr_error *error)
{
    if (!dfr_api_options(&args->options, sizeof args->options, options, error))
        return DFR_RESULT_MISUSE;
    if (args->options.tiers < 0 || args->options.tiers > 2)
        return dfr_api_fail(error, DFR_RESULT_MISUSE, "there is no tier %d", args->options.tiers);
    dfr_result result = DFR_RESULT_OK;
    dfr_rules *rules = dfr_handle_new(sizeof *rules, &args->options.memory, error, &result);
    if (!rules)
        return result;
    /* Sources and trees share the memory and the limit of the handle, and go when it is done. */
    struct dfr_scratch scratch;
    dfr_scratch_init(&scratch, &rules->handle.memory);
    dfr_arena_init(&scratch.arena, &rules->handle.mem);
    args->rules = rules;
    args->scratch = &scratch;
    result = dfr_api_run(&rules->handle.mem, compile_body, args, error);
    dfr_diagnostics *diagnostics = NULL;
    if (ret_diagnostics && (result == DFR_RESULT_OK || result == DFR_RESULT_BAD_RULES)) {
        diagnostics = dfr_diagnostics_new(&args->diags, &rules->handle.memory);
        if (!diagnostics)
            result = dfr_api_fail(error, DFR_RESULT_NO_MEMORY, "out of memory");
    }
    dfr_scratch_deinit(&scratch);
    if (result == DFR_RESULT_OK)
        *ret = rules;
    else
        dfr_rules_free(rules);
    if (diagnostics)
        *ret_diagnostics = diagnostics;
    return result;
}

dfr_result dfr_rules_compile(const dfr_rule_source *sources, size_t n,
                             const dfr_rules_options *options, dfr_rules **ret,
                             dfr_diagnostics **ret_diagnostics, dfr_error *error)
{
    struct compile_args args = {.sources = sources, .n = n};
    return make(&args, options, ret, ret_diagnostics, error);
}

dfr_result dfr_rules_load(const dfr_text *paths, size_t n, const dfr_rules_options *options,
                          dfr_rules **ret, dfr_diagnostics **ret_diagnostics, dfr_error *error)
{
    struct compile_args args = {.paths = paths, .n = n};
    if (!paths || n == 0)
        return dfr_api_fail(error, DFR_RESULT_MISUSE, "no rules are named");
    return make(&args, options, ret, ret_diagnostics, error);
}

void dfr_rules_describe(const dfr_rules *rules, dfr_rules_info *ret)
{
    const struct dfr_program *p = &rules->program;
    dfr_rules_info info = {.size = ret->size,
                           .rules = p->rules.n,
                           .causes = p->causes.n,
                           .actions = p->actions.n,
                           .tests = p->tests.n,
                           .code_words = p->code.n};
    memcpy(ret, &info, ret->size < sizeof info ? ret->size : sizeof info);
}

/* ---- Writing ------------------------------------------------------------------------------- */

struct save_args {
    struct dfr_scratch *scratch;
    const dfr_rules *rules;
    struct dfr_str name; /* path, or rule */
    dfr_write_fn write;
    void *user;
};

static enum dfr_status save_body(void *args, struct dfr_err *err)
{
    const struct save_args *in = args;
    struct dfr_buf b;
    dfr_buf_init(&b, &in->scratch->arena);
    dfr_program_write(&in->rules->program, &b);
    if (b.cut)
        return dfr_fail(err, DFR_LIMIT, "%.*s: the compiled rules are too large", (int)in->name.len,
                        in->name.p);
    return dfr_api_write_file(&in->scratch->arena, in->name, dfr_buf_text(&b), err);
}

static enum dfr_status disasm_body(void *args, struct dfr_err *err)
{
    const struct save_args *in = args;
    uint32_t rule = DFR_NONE;
    if (in->name.len) {
        enum dfr_status status = dfr_api_find_rule(&in->rules->program, in->name, &rule, err);
        if (status != DFR_OK)
            return status;
    }
    struct dfr_buf b;
    dfr_api_buf(&b, &in->scratch->arena);
    dfr_program_disasm(&in->rules->program, rule, &b);
    return dfr_api_emit(&b, in->write, in->user, err);
}

static dfr_result with_scratch(struct save_args *args, dfr_api_body body, dfr_error *error)
{
    struct dfr_scratch s;
    dfr_scratch_init(&s, &args->rules->handle.memory);
    args->scratch = &s;
    dfr_result result = dfr_api_run(&s.mem, body, args, error);
    dfr_scratch_deinit(&s);
    return result;
}

dfr_result dfr_rules_save(const dfr_rules *rules, dfr_text path, dfr_error *error)
{
    struct save_args args = {.rules = rules, .name = dfr_str_of(path)};
    return with_scratch(&args, save_body, error);
}

dfr_result dfr_rules_disasm(const dfr_rules *rules, dfr_text rule, dfr_write_fn write, void *user,
                            dfr_error *error)
{
    struct save_args args = {
        .rules = rules, .name = dfr_str_of(rule), .write = write, .user = user};
    return with_scratch(&args, disasm_body, error);
}
