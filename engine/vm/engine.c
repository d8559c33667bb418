/* What is worth doing once per rule set: verified code, constants as values, interned names,
 * compiled expressions, the rule index. Immutable afterwards, so threads may share it. */
#include "vm/vm.h"

static struct dfr_value constant(const struct dfr_program *p, const struct dfr_pconst *c)
{
    uint64_t lo = (uint64_t)c->word[1] << 32 | c->word[0];
    uint64_t hi = (uint64_t)c->word[3] << 32 | c->word[2];
    struct dfr_str s = {0};
    struct dfr_value v = {.kind = (uint8_t)c->kind, .state = DFR_KNOWN};
    switch ((enum dfr_kind)c->kind) {
    case DFR_KIND_BOOL:
        v.as.b = c->word[0] != 0;
        break;
    case DFR_KIND_INT:
    case DFR_KIND_TIME:
    case DFR_KIND_DUR:
        v.as.n.lo = (int64_t)lo;
        v.as.n.hi = (int64_t)hi;
        break;
    case DFR_KIND_ADDR:
        v.as.u = lo;
        break;
    case DFR_KIND_STR:
        s = dfr_program_text(p, (struct dfr_ptext){c->word[0], c->word[1]});
        v.as.s.p = s.p;
        v.as.s.len = s.len;
        break;
    case DFR_KIND_MODULE:
        s = dfr_module_stem(dfr_program_text(p, (struct dfr_ptext){c->word[0], c->word[1]}));
        v.as.module.p = s.p;
        v.as.module.len = (uint32_t)s.len;
        break;
    case DFR_KIND_VER:
        for (int i = 0; i < 4; i++)
            v.as.ver[i] = c->word[i];
        break;
    case DFR_KIND_ENUM:
        v.as.e.type = c->word[0];
        v.as.e.value = c->word[1];
        break;
    default:
        v.state = DFR_ABSENT;
        v.reason = DFR_REASON_NOT_APPLICABLE;
        break;
    }
    return dfr_tv_of(v).v;
}

struct dfr_value *dfr_engine_consts(struct dfr_arena *a, const struct dfr_program *p)
{
    struct dfr_value *v = DFR_NEW_N(a, p->consts.n, struct dfr_value);
    for (uint32_t i = 0; i < p->consts.n; i++)
        v[i] = constant(p, &p->consts.v[i]);
    return v;
}

static enum dfr_status prepare_patterns(struct dfr_arena *a, struct dfr_engine *e,
                                        struct dfr_err *err)
{
    const struct dfr_program *p = e->p;
    e->patterns = DFR_NEW_N(a, p->patterns.n, struct dfr_pattern_code);
    dfr_names_init(&e->modules, a, true);
    dfr_names_init(&e->funcs, a, false);
    for (uint32_t i = 0; i < p->patterns.n; i++) {
        const struct dfr_ppattern *t = &p->patterns.v[i];
        struct dfr_pattern_code *c = &e->patterns[i];
        if (t->kind == DFR_PATTERN_EXACT) {
            c->module =
                dfr_names_add(&e->modules, dfr_vm_canonical_module(dfr_program_text(p, t->module)));
            c->func = dfr_names_add(&e->funcs, dfr_program_text(p, t->func));
        } else if (t->kind == DFR_PATTERN_REGEX) {
            struct dfr_err why = {0};
            enum dfr_status s =
                dfr_regex_new(a, dfr_program_text(p, t->text), t->fold_case != 0, &c->regex, &why);
            if (s != DFR_OK)
                return dfr_fail(err, DFR_BAD_CACHE, "pattern %u: %s", i, why.message);
        }
    }
    return DFR_OK;
}

enum dfr_status dfr_engine_new(struct dfr_arena *a, const struct dfr_program *p,
                               struct dfr_engine **ret, struct dfr_err *err)
{
    enum dfr_status s = dfr_program_verify(p, err);
    if (s != DFR_OK)
        return s;
    struct dfr_engine *e = DFR_NEW(a, struct dfr_engine);
    e->p = p;
    e->consts = dfr_engine_consts(a, p);
    s = prepare_patterns(a, e, err);
    if (s != DFR_OK)
        return s;
    e->first_suppress = DFR_NEW_N(a, p->rules.n, uint32_t);
    e->next_suppress = DFR_NEW_N(a, p->suppress.n, uint32_t);
    for (uint32_t i = 0; i < p->rules.n; i++) {
        e->first_suppress[i] = DFR_NONE;
        if (p->rules.v[i].let_count > e->most_lets)
            e->most_lets = p->rules.v[i].let_count;
    }
    for (uint32_t i = p->suppress.n; i-- > 0;) {
        e->next_suppress[i] = e->first_suppress[p->suppress.v[i].rule];
        e->first_suppress[p->suppress.v[i].rule] = i;
    }
    e->index = dfr_index_new(a, e);
    e->lists = dfr_lists_new(a, e);
    *ret = e;
    return DFR_OK;
}

const struct dfr_program *dfr_engine_program(const struct dfr_engine *e)
{
    return e->p;
}
