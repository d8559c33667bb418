/* Patterns: frames in stacks, symbols and texts against module!function, texts and regular
 * expressions. Regular expressions are compiled here once, so that a bad one is found with its place. */
#include "lang/scope.h"

#include <string.h>

#include "code/regex.h"

static struct dfr_typed *error_at(struct dfr_env *env, const struct dfr_expr *e)
{
    return dfr_typed_error(env->cx, e->loc);
}

static bool is_error(const struct dfr_typed *t)
{
    return t->kind == DFR_TYPED_ERROR;
}

bool dfr_has_wildcard(struct dfr_str s)
{
    return memchr(s.p, '*', s.len) || memchr(s.p, '?', s.len);
}

/* Complain about a regular expression that does not compile, once for each. */
static void check_regex(struct dfr_env *env, const struct dfr_expr *e)
{
    struct dfr_cx *cx = env->cx;
    size_t len = e->as.text.len + 1;
    char *key = dfr_arena_alloc(cx->a, len);
    key[0] = e->op ? 'i' : ' ';
    memcpy(key + 1, e->as.text.p, e->as.text.len);
    if (dfr_names_find(&cx->regexes, (struct dfr_str){key, len}))
        return;
    struct dfr_regex *r;
    struct dfr_err err = {0};
    if (dfr_regex_new(cx->a, e->as.text, e->op == 1, &r, &err) != DFR_OK)
        dfr_cx_diag(cx, env->source, DFR_D_PATTERN, e->loc, "%s", err.message);
    dfr_names_add(&cx->regexes, (struct dfr_str){key, len});
}

uint32_t dfr_pattern_number(struct dfr_env *env, const struct dfr_expr *e, bool symbols)
{
    struct dfr_builder *b = &env->cx->b;
    struct dfr_str text = e->as.text;
    struct dfr_ppattern p = {.text = dfr_build_text(b, text)};
    const char *bang = text.len ? memchr(text.p, '!', text.len) : NULL;
    if (text.len > DFR_LIMIT_PATTERN_BYTES) {
        dfr_cx_diag(env->cx, env->source, DFR_D_TOO_LARGE, e->loc, "a pattern has at most %d bytes",
                    (int)DFR_LIMIT_PATTERN_BYTES);
        return 0;
    }
    if (symbols && e->kind != DFR_EXPR_REGEX &&
        (!bang || bang == text.p || bang + 1 == text.p + text.len)) {
        struct dfr_diag *d = dfr_cx_diag(env->cx, env->source, DFR_D_PATTERN, e->loc,
                                         "a frame is named module!function");
        if (!bang)
            dfr_cx_suggest(env->cx, d, "`%.*s!*` for a module, `*!%.*s` for a function",
                           (int)text.len, text.p, (int)text.len, text.p);
    }
    if (e->kind == DFR_EXPR_REGEX) {
        check_regex(env, e);
        p.kind = DFR_PATTERN_REGEX;
        p.fold_case = e->op == 1;
    } else if (bang && symbols) {
        struct dfr_str module = dfr_str_slice(text, 0, (size_t)(bang - text.p));
        struct dfr_str func = dfr_str_slice(text, module.len + 1, text.len);
        p.kind = dfr_has_wildcard(module) || dfr_has_wildcard(func) ? DFR_PATTERN_GLOB
                                                                    : DFR_PATTERN_EXACT;
        p.module = dfr_build_text(b, module);
        p.func = dfr_build_text(b, func);
    } else {
        p.kind = DFR_PATTERN_STRING;
    }
    return dfr_build_pattern(b, p);
}

static bool is_pattern(const struct dfr_expr *e)
{
    return e->kind == DFR_EXPR_REGEX || e->kind == DFR_EXPR_SYMPAT || e->kind == DFR_EXPR_STRING;
}

struct dfr_typed *dfr_check_matches(struct dfr_env *env, const struct dfr_expr *e,
                                    const struct dfr_expr *pattern, struct dfr_typed *t)
{
    t = dfr_typed_settle(env, t);
    if (is_error(t))
        return t;
    if (!is_pattern(pattern)) {
        dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, pattern->loc,
                    "a pattern is written out: /regex/, module!function or \"text\"");
        return error_at(env, e);
    }
    if (t->type.kind != DFR_KIND_STR && t->type.kind != DFR_KIND_SYM &&
        t->type.kind != DFR_KIND_MODULE)
        return dfr_typed_wrong(env, t, "only a string, a symbol or a module can match a pattern");
    bool symbols = t->type.kind == DFR_KIND_SYM;
    if (pattern->kind == DFR_EXPR_SYMPAT && !symbols) {
        dfr_cx_diag(env->cx, env->source, DFR_D_PATTERN, pattern->loc,
                    "module!function matches a symbol, this is %s",
                    dfr_type_name_of(env->cx, t->type));
        return error_at(env, e);
    }
    return dfr_typed_op(env->cx, DFR_OP_MATCHES, dfr_pattern_number(env, pattern, symbols),
                        DFR_TYPE(BOOL), e->loc, t, NULL, NULL);
}

struct dfr_typed *dfr_check_has(struct dfr_env *env, const struct dfr_expr *e)
{
    struct dfr_cx *cx = env->cx;
    struct dfr_program *p = cx->p;
    struct dfr_typed *t = dfr_check_expr(env, e->kid);
    if (is_error(t))
        return t;
    bool frames = t->type.kind == DFR_KIND_LIST &&
                  (t->type.param == DFR_T_STACK || t->type.param == DFR_T_OTHER_STACKS);
    if (!frames)
        return dfr_typed_wrong(env, t, "`has` looks for frames in a stack");
    if (e->kind == DFR_EXPR_HAS && !e->n)
        return dfr_typed_op(cx, DFR_OP_HAS, dfr_pattern_number(env, e->kid->next, true),
                            DFR_TYPE(BOOL), e->loc, t, NULL, NULL);
    uint32_t count = 0;
    for (const struct dfr_expr *x = e->kid->next; x; x = x->next)
        count++;
    if (count > DFR_LIMIT_SEQ_PATTERNS || (e->n && e->n < count)) {
        bool many = count > DFR_LIMIT_SEQ_PATTERNS;
        dfr_cx_diag(cx, env->source, many ? DFR_D_TOO_LARGE : DFR_D_NEVER, e->loc,
                    many ? "a sequence has at most %u patterns"
                         : "%u patterns never match within fewer frames",
                    many ? (uint32_t)DFR_LIMIT_SEQ_PATTERNS : count);
        return error_at(env, e);
    }
    struct dfr_pseq seq = {p->seq_patterns.n, 0, e->n};
    for (const struct dfr_expr *x = e->kid->next; x; x = x->next, seq.count++)
        *DFR_PUSH(p->arena, &p->seq_patterns) = dfr_pattern_number(env, x, true);
    for (uint32_t i = 0; i < p->seqs.n; i++) { /* the same sequence once */
        const struct dfr_pseq *old = &p->seqs.v[i];
        if (old->count == seq.count && old->within == seq.within &&
            memcmp(p->seq_patterns.v + old->first, p->seq_patterns.v + seq.first,
                   seq.count * sizeof *p->seq_patterns.v) == 0) {
            p->seq_patterns.n = seq.first;
            return dfr_typed_op(cx, DFR_OP_HAS_SEQ, i, DFR_TYPE(BOOL), e->loc, t, NULL, NULL);
        }
    }
    *DFR_PUSH(p->arena, &p->seqs) = seq;
    return dfr_typed_op(cx, DFR_OP_HAS_SEQ, p->seqs.n - 1, DFR_TYPE(BOOL), e->loc, t, NULL, NULL);
}
