/* Readable listings: every instruction with what its operand names, every rule with its parts. */
#include "base/buf.h"
#include "code/build.h"

struct listing {
    const struct dfr_program *p;
    struct dfr_buf *out;
    bool *listed; /* chunks printed so far */
};

static void quoted(struct listing *l, struct dfr_ptext t)
{
    dfr_buf_char(l->out, '"');
    dfr_buf_safe(l->out, dfr_program_text(l->p, t));
    dfr_buf_char(l->out, '"');
}

static void name(struct listing *l, struct dfr_ptext t)
{
    dfr_buf_safe(l->out, dfr_program_text(l->p, t));
}

static void constant(struct listing *l, uint32_t i)
{
    const struct dfr_pconst *c = &l->p->consts.v[i];
    uint64_t lo = (uint64_t)c->word[1] << 32 | c->word[0];
    uint64_t hi = (uint64_t)c->word[3] << 32 | c->word[2];
    struct dfr_value v = {0};
    switch (c->kind) {
    case DFR_KIND_NONE:
        dfr_buf_z(l->out, "absent");
        return;
    case DFR_KIND_STR:
    case DFR_KIND_MODULE:
        if (c->kind == DFR_KIND_MODULE)
            dfr_buf_z(l->out, "module ");
        quoted(l, (struct dfr_ptext){c->word[0], c->word[1]});
        return;
    case DFR_KIND_BOOL:
        v = dfr_v_bool(c->word[0] != 0);
        break;
    case DFR_KIND_ADDR:
        dfr_buf_printf(l->out, "0x%llx", (unsigned long long)lo);
        return;
    case DFR_KIND_VER:
        v = dfr_v_ver(c->word[0], c->word[1], c->word[2], c->word[3]);
        break;
    case DFR_KIND_ENUM:
        v = dfr_v_enum(c->word[0], c->word[1]);
        break;
    case DFR_KIND_INT:
        dfr_buf_printf(l->out, "%lld", (long long)lo);
        if ((int64_t)lo > 9)
            dfr_buf_printf(l->out, " (0x%llX)", (unsigned long long)lo);
        return;
    default: /* TIME and DUR */
        v = dfr_v_time((int64_t)lo, (int64_t)hi);
        v.kind = (uint8_t)c->kind;
        break;
    }
    dfr_value_print(l->out, &v);
}

static void pattern(struct listing *l, uint32_t i)
{
    const struct dfr_ppattern *t = &l->p->patterns.v[i];
    if (t->kind == DFR_PATTERN_REGEX) {
        dfr_buf_char(l->out, '/');
        name(l, t->text);
        dfr_buf_z(l->out, t->fold_case ? "/i" : "/");
    } else if (t->kind == DFR_PATTERN_STRING) {
        quoted(l, t->text);
    } else {
        name(l, t->module);
        dfr_buf_char(l->out, '!');
        name(l, t->func);
    }
}

static const char *fold_word(uint32_t kind)
{
    static const char *const words[] = {"any", "all", "none", "count", "first", "at least"};
    return kind < sizeof words / sizeof *words ? words[kind] : "?";
}

static void operand(struct listing *l, const struct dfr_pchunk *c, uint32_t op, uint32_t o,
                    const uint32_t *extra)
{
    const struct dfr_program *p = l->p;
    switch ((enum dfr_operand)dfr_op_info(op)->operand) {
    case DFR_OPERAND_NONE:
        break;
    case DFR_OPERAND_CONST:
        constant(l, o);
        break;
    case DFR_OPERAND_SCALAR:
    case DFR_OPERAND_COLUMN:
        dfr_buf_z(l->out, dfr_field_info(o)->path);
        break;
    case DFR_OPERAND_TABLE:
        dfr_buf_z(l->out, dfr_field_info(dfr_table_info(o)->field)->path);
        break;
    case DFR_OPERAND_LIST:
        if (p->lists.v[o].name.len)
            name(l, p->lists.v[o].name);
        else
            dfr_buf_printf(l->out, "list %u", o);
        dfr_buf_printf(l->out, " (%u rows)", p->lists.v[o].rows);
        break;
    case DFR_OPERAND_SLOT:
    case DFR_OPERAND_ARG:
    case DFR_OPERAND_INDEX:
        dfr_buf_printf(l->out, "%u", o);
        break;
    case DFR_OPERAND_LET:
        dfr_buf_printf(l->out, "%u: chunk %u", o, p->let_chunks.v[p->rules.v[c->rule].lets + o]);
        break;
    case DFR_OPERAND_FACT:
        name(l, p->facts.v[o].name);
        break;
    case DFR_OPERAND_FN:
        name(l, p->fns.v[o].name);
        dfr_buf_printf(l->out, "/%u", p->fns.v[o].args);
        break;
    case DFR_OPERAND_BUILTIN:
        dfr_buf_printf(l->out, "%s/%u", dfr_builtin_info(o)->name, dfr_builtin_info(o)->args);
        break;
    case DFR_OPERAND_PATTERN:
        pattern(l, o);
        break;
    case DFR_OPERAND_SEQ:
        dfr_buf_char(l->out, '[');
        for (uint32_t i = 0; i < p->seqs.v[o].count; i++) {
            dfr_buf_z(l->out, i ? ", " : "");
            pattern(l, p->seq_patterns.v[p->seqs.v[o].first + i]);
        }
        dfr_buf_char(l->out, ']');
        if (p->seqs.v[o].within)
            dfr_buf_printf(l->out, " within %u frames", p->seqs.v[o].within);
        break;
    case DFR_OPERAND_LABEL:
        dfr_buf_printf(l->out, "-> %u", o);
        break;
    case DFR_OPERAND_FOLD:
        dfr_buf_z(l->out, fold_word(dfr_fold_kind(o)));
        if (dfr_fold_kind(o) == DFR_FOLD_AT_LEAST)
            dfr_buf_printf(l->out, " %u", extra[0]);
        if (op == DFR_OP_FOLD)
            dfr_buf_printf(l->out, ", slot %u, empty -> %u", dfr_fold_slot(o), extra[1]);
        else
            dfr_buf_printf(l->out, " of %u", extra[1]);
        break;
    }
}

static void list_chunk(struct listing *l, uint32_t i)
{
    const struct dfr_pchunk *c = &l->p->chunks.v[i];
    dfr_buf_printf(l->out, "    ; chunk %u, cost %u", i, c->cost);
    if (l->listed[i]) {
        dfr_buf_z(l->out, ", listed above\n");
        return;
    }
    dfr_buf_char(l->out, '\n');
    l->listed[i] = true;
    uint32_t depth = 0;
    for (uint32_t at = 0; at < c->count;) {
        const uint32_t *w = l->p->code.v + c->first + at;
        uint32_t op = dfr_word_op(*w), o = dfr_word_operand(*w);
        const struct dfr_op_info *info = dfr_op_info(op);
        depth -= op == DFR_OP_NEXT;
        size_t start = l->out->len;
        dfr_buf_printf(l->out, "    %4u  %*s%-10s ", at, (int)depth * 2, "", info->name);
        operand(l, c, op, o, w + 1);
        while (l->out->len > start && l->out->p[l->out->len - 1] == ' ')
            l->out->len--;
        dfr_buf_char(l->out, '\n');
        depth += op == DFR_OP_FOLD;
        at += 1 + info->extra;
    }
}

/* "  for +6/0 "built before 2013"   (storage.dfr:12)" and the code under it. */
static void heading(struct listing *l, const char *what, struct dfr_ptext text,
                    const struct dfr_psource *s)
{
    dfr_buf_printf(l->out, *what ? "  %s" : "%s", what);
    if (text.len) {
        dfr_buf_z(l->out, "  ");
        name(l, text);
    }
    if (s && s->line && s->file < l->p->files.n) {
        dfr_buf_z(l->out, "  [");
        name(l, l->p->files.v[s->file]);
        dfr_buf_printf(l->out, ":%u]", s->line);
    }
    dfr_buf_char(l->out, '\n');
}

static void list_template(struct listing *l, uint32_t i)
{
    const struct dfr_ptemplate *t = &l->p->templates.v[i];
    dfr_buf_z(l->out, "    ");
    dfr_buf_char(l->out, '"');
    for (uint32_t k = 0; k < t->count; k++) {
        const struct dfr_ppiece *piece = &l->p->pieces.v[t->first + k];
        dfr_buf_z(l->out, piece->chunk == DFR_NONE ? "" : "{");
        name(l, piece->literal);
        dfr_buf_z(l->out, piece->chunk == DFR_NONE ? "" : "}");
    }
    dfr_buf_z(l->out, "\"\n");
    for (uint32_t k = 0; k < t->count; k++)
        if (l->p->pieces.v[t->first + k].chunk != DFR_NONE)
            list_chunk(l, l->p->pieces.v[t->first + k].chunk);
}

static void list_keys(struct listing *l, const struct dfr_prule *r)
{
    const struct dfr_program *p = l->p;
    dfr_buf_z(l->out, "  keys: ");
    if (!r->code_count)
        dfr_buf_z(l->out, "any bug check");
    for (uint32_t i = 0; i < r->code_count; i++)
        dfr_buf_printf(l->out, "%s0x%X", i ? ", " : "bug check ", p->gate_codes.v[r->codes + i]);
    if (r->has_arg1)
        dfr_buf_printf(l->out, "; arg1 0x%llX",
                       (unsigned long long)r->arg1_hi << 32 | (unsigned long long)r->arg1_lo);
    if (r->atom_kind == DFR_ATOM_FRAME) {
        dfr_buf_z(l->out, "; frame ");
        pattern(l, r->atom);
    } else if (r->atom_kind == DFR_ATOM_MODULE) {
        dfr_buf_z(l->out, "; ");
        constant(l, r->atom);
    }
    dfr_buf_printf(l->out, "; cost %u\n", r->cost);
}

static void list_advice(struct listing *l, const struct dfr_padvice *a)
{
    const struct dfr_program *p = l->p;
    heading(l, "recommend",
            a->action == DFR_NONE ? (struct dfr_ptext){0} : p->actions.v[a->action].name,
            &a->source);
    for (uint32_t i = 0; i < a->args; i++)
        list_chunk(l, p->arg_chunks.v[a->first_arg + i]);
    if (a->action == DFR_NONE)
        list_template(l, a->template);
    if (a->condition != DFR_NONE) {
        dfr_buf_z(l->out, "    if\n");
        list_chunk(l, a->condition);
    }
}

static void list_rule(struct listing *l, uint32_t i)
{
    const struct dfr_program *p = l->p;
    const struct dfr_prule *r = &p->rules.v[i];
    dfr_buf_printf(l->out, "rule %u", i);
    heading(l, "", r->name, &r->source);
    list_keys(l, r);
    for (uint32_t k = 0; k < r->let_count; k++) {
        dfr_buf_printf(l->out, "  let %u\n", k);
        list_chunk(l, p->let_chunks.v[r->lets + k]);
    }
    if (r->each_list != DFR_NONE) {
        heading(l, "each, slot 0", (struct dfr_ptext){0}, NULL);
        list_chunk(l, r->each_list);
    }
    for (uint32_t k = 0; k < r->clause_count; k++) {
        const struct dfr_pclause *c = &p->clauses.v[r->clauses + k];
        heading(l, "when", c->text, &c->source);
        list_chunk(l, c->chunk);
    }
    if (r->unless != DFR_NONE) {
        heading(l, "unless", r->unless_text, NULL);
        list_chunk(l, r->unless);
    }
    for (uint32_t k = 0; k < r->evidence_count; k++) {
        static const char *const words[] = {"for", "against", "note"};
        const struct dfr_pevidence *e = &p->evidence.v[r->evidence + k];
        dfr_buf_printf(l->out, "  %s %+d/%+d", words[e->cls], e->if_true, e->if_false);
        heading(l, "", e->text, &e->source);
        if (e->label != DFR_NONE)
            list_template(l, e->label);
        list_chunk(l, e->chunk);
    }
    if (r->cause != DFR_NONE) {
        dfr_buf_printf(l->out, "  conclude %+d", r->when_db);
        heading(l, "", p->causes.v[r->cause].name, NULL);
        if (r->subject != DFR_NONE)
            list_chunk(l, r->subject);
    }
    for (uint32_t k = 0; k < r->advice_count; k++)
        list_advice(l, &p->advice.v[r->advice + k]);
    for (uint32_t k = 0; k < r->collect_count; k++) {
        const struct dfr_pcollect *c = &p->collect.v[r->collect + k];
        heading(l, "collect", (struct dfr_ptext){0}, &c->source);
        list_template(l, c->template);
        if (c->condition != DFR_NONE)
            list_chunk(l, c->condition);
    }
    for (uint32_t k = 0; k < p->suppress.n; k++) {
        if (p->suppress.v[k].rule == i) {
            heading(l, "suppress", p->suppress.v[k].reason, &p->suppress.v[k].source);
            list_chunk(l, p->suppress.v[k].where);
        }
    }
    dfr_buf_char(l->out, '\n');
}

void dfr_program_disasm(const struct dfr_program *p, uint32_t rule, struct dfr_buf *out)
{
    struct listing l = {p, out, DFR_NEW_N(out->arena, p->chunks.n, bool)};
    if (rule != DFR_NONE) {
        if (rule < p->rules.n)
            list_rule(&l, rule);
        return;
    }
    for (uint32_t i = 0; i < p->facts.n; i++) {
        dfr_buf_printf(out, "fact %u", i);
        heading(&l, "", p->facts.v[i].name, &p->facts.v[i].source);
        list_chunk(&l, p->facts.v[i].chunk);
    }
    for (uint32_t i = 0; i < p->fns.n; i++) {
        dfr_buf_printf(out, "function %u", i);
        heading(&l, "", p->fns.v[i].name, NULL);
        list_chunk(&l, p->fns.v[i].chunk);
    }
    for (uint32_t i = 0; i < p->actions.n; i++) {
        dfr_buf_printf(out, "action %u", i);
        heading(&l, "", p->actions.v[i].name, NULL);
        list_template(&l, p->actions.v[i].template);
    }
    for (uint32_t i = 0; i < p->rules.n; i++)
        list_rule(&l, i);
    for (uint32_t i = 0; i < p->expects.n; i++) {
        heading(&l, "expect", p->expects.v[i].text, &p->expects.v[i].source);
        list_chunk(&l, p->expects.v[i].chunk);
    }
}
