/* The order of compilation: parse, scope, lists, causes, actions, facts, rules, tests. */
#include "lang/compile.h"

#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_hash_sha256.h>

#include "base/buf.h"
#include "lang/scope.h"

/* Raise it whenever the same sources would give another program. */
static const char COMPILER[] = "dfrule compiler 1";

static int by_path(const void *a, const void *b)
{
    const struct dfr_compile_source *x = a, *y = b;
    int d = dfr_str_cmp(x->path, y->path);
    return d ? d : dfr_str_cmp(x->text, y->text);
}

static void hash_piece(crypto_hash_sha256_state *h, struct dfr_str s)
{
    uint8_t len[8];
    for (int i = 0; i < 8; i++)
        len[i] = (uint8_t)((uint64_t)s.len >> (8 * i));
    crypto_hash_sha256_update(h, len, sizeof len);
    crypto_hash_sha256_update(h, (const unsigned char *)s.p, s.len);
}

static void parse_all(struct dfr_cx *cx, const struct dfr_compile_source *sources, size_t n)
{
    struct dfr_program *p = cx->p;
    crypto_hash_sha256_state hash;
    crypto_hash_sha256_init(&hash);
    hash_piece(&hash, dfr_str_from(COMPILER));
    cx->source_count = (uint32_t)n;
    cx->sources = DFR_NEW_N(cx->a, n, struct dfr_source);
    cx->files = DFR_NEW_N(cx->a, n, struct dfr_file);
    cx->layers = DFR_NEW_N(cx->a, n, int);
    for (uint32_t i = 0; i < n; i++) {
        hash_piece(&hash, sources[i].path);
        hash_piece(&hash, sources[i].text);
        int layer = sources[i].layer < 0 ? 0 : sources[i].layer > 2 ? 2 : sources[i].layer;
        uint8_t layer_byte = (uint8_t)layer;
        crypto_hash_sha256_update(&hash, &layer_byte, 1);
        cx->layers[i] = layer;
        dfr_source_init(&cx->sources[i], cx->a, dfr_str_dup(cx->a, sources[i].path),
                        dfr_str_dup(cx->a, sources[i].text));
        cx->sources[i].index = i;
        *DFR_PUSH(p->arena, &p->files) = dfr_build_text(&cx->b, sources[i].path);
        dfr_parse(cx->a, &cx->sources[i], cx->diags, &cx->files[i]);
    }
    uint8_t options[2] = {(uint8_t)cx->options->tiers, (uint8_t)(cx->options->now != 0)};
    crypto_hash_sha256_update(&hash, options, sizeof options);
    crypto_hash_sha256_final(&hash, p->source_hash);
}

typedef void (*each_fn)(struct dfr_cx *cx, struct dfr_decl *d);

static void each_decl(struct dfr_cx *cx, enum dfr_node_kind kind, each_fn fn)
{
    for (uint32_t i = 0; i < cx->packs.n; i++)
        for (uint32_t k = 0; k < cx->packs.v[i]->decls[kind].n; k++)
            fn(cx, cx->packs.v[i]->decls[kind].v[k]);
}

static void fact_at_top(struct dfr_cx *cx, struct dfr_decl *d)
{
    struct dfr_word name = {d->name, d->node->name.loc};
    if (dfr_field_find(d->name) != DFR_F_COUNT)
        dfr_cx_diag(cx, d->source, DFR_D_HIDES, name.loc, "`%.*s` would hide a fact of the schema",
                    (int)d->name.len, d->name.p);
    dfr_decl_fact(cx, d, NULL, d->node->loc);
}

/* Tier of a rule: its own `tier`, else its pack's. */
static void number_rule(struct dfr_cx *cx, struct dfr_decl *d)
{
    d->tier = d->pack->tier;
    for (const struct dfr_section *s = d->node->sections; s; s = s->next)
        if (s->kind == DFR_SEC_META && dfr_entry_find(s->fields, "tier"))
            d->tier = dfr_tier_of(cx, d->source, s->fields);
    d->index = d->tier <= (uint32_t)cx->options->tiers ? cx->rule_count++ : DFR_NONE;
    if (cx->rule_count == DFR_LIMIT_RULES + 1)
        dfr_cx_diag(cx, d->source, DFR_D_TOO_LARGE, d->node->name.loc,
                    "a rule set has at most %d rules", (int)DFR_LIMIT_RULES);
}

static void rule_if_wanted(struct dfr_cx *cx, struct dfr_decl *d)
{
    if (d->index != DFR_NONE)
        dfr_compile_rule(cx, d);
}

static int by_place(const void *a, const void *b)
{
    const struct dfr_diag *x = a, *y = b;
    int d = dfr_str_cmp(x->file, y->file);
    if (d)
        return d;
    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin)
                                : (x->code > y->code) - (x->code < y->code);
}

enum dfr_status dfr_compile(struct dfr_arena *a, const struct dfr_compile_source *sources, size_t n,
                            const struct dfr_compile_options *options, struct dfr_diags *diags,
                            struct dfr_program *ret, struct dfr_err *err)
{
    static const struct dfr_compile_options defaults;
    if (n > DFR_LIMIT_SOURCES)
        return dfr_fail(err, DFR_LIMIT, "a rule set has at most %d files", (int)DFR_LIMIT_SOURCES);
    struct dfr_cx cx = {.a = a, .diags = diags, .p = ret, .options = options ? options : &defaults};
    cx.for_givens = cx.options->givens_only;
    struct dfr_compile_source *sorted = DFR_NEW_N(a, n, struct dfr_compile_source);
    if (n)
        memcpy(sorted, sources, n * sizeof *sorted);
    if (n > 1)
        qsort(sorted, n, sizeof *sorted, by_path);
    uint32_t errors = diags->errors, first = diags->n;
    dfr_program_init(ret, a);
    dfr_builder_init(&cx.b, ret);
    dfr_names_init(&cx.regexes, a, false);
    parse_all(&cx, sorted, n);
    dfr_scope_build(&cx);
    dfr_packs_check(&cx);
    dfr_layers_apply(&cx);
    each_decl(&cx, DFR_NODE_LIST, dfr_decl_list);
    each_decl(&cx, DFR_NODE_CAUSE, dfr_decl_cause);
    each_decl(&cx, DFR_NODE_FACT, fact_at_top);
    each_decl(&cx, DFR_NODE_FN, fact_at_top);
    each_decl(&cx, DFR_NODE_ACTION, dfr_decl_action);
    each_decl(&cx, DFR_NODE_RULE, number_rule);
    each_decl(&cx, DFR_NODE_RULE, rule_if_wanted);
    each_decl(&cx, DFR_NODE_SUPPRESS, dfr_suppress);
    if (!cx.options->no_tests)
        each_decl(&cx, DFR_NODE_TEST, dfr_compile_test);
    dfr_lists_finish(&cx);
    if (cx.options->lint && diags->errors == errors)
        dfr_lint(&cx);
    if (diags->n - first > 1)
        qsort(diags->v + first, diags->n - first, sizeof *diags->v, by_place);
    if (diags->errors > errors)
        return dfr_fail(err, DFR_BAD_RULES, "%u error%s in the rules", diags->errors - errors,
                        diags->errors - errors == 1 ? "" : "s");
    return DFR_OK;
}
