/* One rule on one crash as JSON: docs/schema/explain.schema.json, "dfrule/explain/1". */
#include "rank/commands.h"
#include "report/json_parts.h"

static const char *status_word(enum dfr_hit_status s)
{
    static const char *const words[] = {"fired",      "waiting", "removed",
                                        "suppressed", "false",   "silent"};
    return words[s];
}

static void put_source(struct dfr_json *j, const struct dfr_eval *e, const struct dfr_psource *s)
{
    dfr_json_open(j, "source", '{');
    if (s->file < e->program->files.n)
        dfr_json_text(j, "file", dfr_report_ptext(e, e->program->files.v[s->file]));
    else
        dfr_json_null(j, "file");
    dfr_json_int(j, "line", s->line);
    dfr_json_int(j, "column", s->column);
    dfr_json_close(j, '}');
}

static void put_cell(struct dfr_json *j, const struct dfr_eval *e, const struct dfr_cell_ref *c)
{
    const struct dfr_field_info *info = dfr_field_info(c->field);
    const struct dfr_facts *f = e->facts;
    uint32_t place = 0;
    dfr_json_open(j, NULL, '{');
    dfr_json_z(j, "fact", info->path);
    if (info->cls == DFR_FIELD_COLUMN && c->row != DFR_NONE) {
        const struct dfr_value *v = dfr_facts_at(f, c->field, c->row);
        dfr_json_int(j, "row", c->row);
        dfr_json_value(j, "value", f, v);
        place = v->place;
    } else if (info->cls == DFR_FIELD_SCALAR) {
        const struct dfr_value *v = dfr_facts_scalar(f, c->field);
        dfr_json_null(j, "row");
        dfr_json_value(j, "value", f, v);
        place = v->place;
    } else {
        dfr_json_null(j, "row");
        dfr_json_null(j, "value");
        place = f->tables[info->table].place;
    }
    dfr_json_where(j, "where", f, place);
    dfr_json_text(j, "quote", dfr_facts_quote(f, place));
    dfr_json_close(j, '}');
}

static void put_missing(struct dfr_json *j, const struct dfr_eval *e, uint32_t set)
{
    uint32_t n;
    const uint32_t *items = dfr_sets_items(e->sets, set, &n);
    dfr_json_open(j, "missing", '[');
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_missing *m = &e->missing.v[items[i]];
        struct dfr_command command;
        dfr_json_open(j, NULL, '{');
        dfr_json_z(j, "fact", dfr_field_info(m->field)->path);
        dfr_json_text(j, "param", m->param);
        dfr_json_z(j, "reason", dfr_reason_text((enum dfr_reason)m->reason));
        dfr_json_where(j, "where", e->facts, m->place);
        if (dfr_command_of(e, items[i], j->out->arena, &command))
            dfr_json_str(j, "command", command.text);
        else
            dfr_json_null(j, "command");
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
}

static void put_truth(struct dfr_json *j, const struct dfr_eval *e, const struct dfr_tv *t)
{
    uint32_t n = 0;
    const uint32_t *cells = NULL;
    dfr_json_z(j, "truth", dfr_json_truth(dfr_tv_tri(t)));
    if (dfr_tv_tri(t) != DFR_OPEN)
        cells = dfr_sets_items(e->sets, t->origin, &n);
    dfr_json_open(j, "values", '[');
    for (uint32_t i = 0; i < n; i++)
        put_cell(j, e, &e->cells.v[cells[i]]);
    dfr_json_close(j, ']');
    put_missing(j, e, dfr_tv_tri(t) == DFR_OPEN ? t->missing : 0);
}

static void put_clauses(struct dfr_json *j, const struct dfr_eval *e, const struct dfr_hit *hit)
{
    const struct dfr_prule *rule = &e->program->rules.v[hit->rule];
    dfr_json_open(j, "when", '[');
    for (uint32_t order = 0; order < rule->clause_count && hit->clauses; order++) {
        for (uint32_t i = 0; i < rule->clause_count; i++) {
            const struct dfr_pclause *c = &e->program->clauses.v[rule->clauses + i];
            if (c->order != order)
                continue;
            dfr_json_open(j, NULL, '{');
            dfr_json_str(j, "text", dfr_report_ptext(e, c->text));
            put_source(j, e, &c->source);
            put_truth(j, e, &hit->clauses[i]);
            dfr_json_close(j, '}');
        }
    }
    dfr_json_close(j, ']');
}

static void put_evidence(struct dfr_json *j, const struct dfr_eval *e, const struct dfr_hit *hit)
{
    dfr_json_open(j, "evidence", '[');
    for (uint32_t i = 0; i < hit->item_count; i++) {
        const struct dfr_item *item = &hit->items[i];
        const struct dfr_pevidence *ev = &e->program->evidence.v[item->evidence];
        static const char *const classes[] = {"for", "against", "note"};
        dfr_json_open(j, NULL, '{');
        dfr_json_z(j, "class", classes[ev->cls <= DFR_ITEM_NOTE ? ev->cls : DFR_ITEM_NOTE]);
        dfr_json_str(j, "label", item->label);
        dfr_json_int(j, "if_true_db", ev->if_true);
        dfr_json_int(j, "if_false_db", ev->if_false);
        put_truth(j, e, &item->truth);
        dfr_json_close(j, '}');
    }
    dfr_json_close(j, ']');
}

static void put_row(struct dfr_json *j, const struct dfr_eval *e, const struct dfr_hit *hit)
{
    const struct dfr_prule *rule = &e->program->rules.v[hit->rule];
    dfr_json_open(j, NULL, '{');
    if (hit->row == DFR_NONE)
        dfr_json_null(j, "row");
    else
        dfr_json_int(j, "row", hit->row);
    dfr_json_z(j, "status", status_word(hit->status));
    put_clauses(j, e, hit);
    if (hit->unless.v.kind == DFR_KIND_NONE) {
        dfr_json_null(j, "unless");
    } else {
        dfr_json_open(j, "unless", '{');
        dfr_json_str(j, "text", dfr_report_ptext(e, rule->unless_text));
        put_truth(j, e, &hit->unless);
        dfr_json_close(j, '}');
    }
    if (hit->subject.v.kind != DFR_KIND_NONE && hit->subject.v.state == DFR_KNOWN)
        dfr_json_text(j, "subject", dfr_report_subject(e, &hit->subject, j->out->arena));
    else
        dfr_json_null(j, "subject");
    put_evidence(j, e, hit);
    dfr_json_close(j, '}');
}

void dfr_report_explain_json(const struct dfr_eval *eval, uint32_t rule, enum dfr_question q,
                             const struct dfr_report_input *input, bool indent, struct dfr_buf *out)
{
    const struct dfr_prule *r = &eval->program->rules.v[rule];
    enum dfr_hit_status best = DFR_HIT_SILENT;
    struct dfr_json j;
    for (uint32_t i = 0; i < eval->hits.n; i++) {
        if (eval->hits.v[i].rule == rule && eval->hits.v[i].status < best)
            best = eval->hits.v[i].status;
    }
    dfr_json_init(&j, indent, out);
    dfr_json_open(&j, NULL, '{');
    dfr_json_z(&j, "schema", "dfrule/explain/1");
    dfr_json_z(&j, "question", q == DFR_EXPLAIN ? "explain" : "why-not");
    dfr_json_input(&j, eval->facts, input);
    dfr_json_str(&j, "rule", dfr_report_ptext(eval, r->name));
    put_source(&j, eval, &r->source);
    dfr_json_z(&j, "status", status_word(best));
    if (r->cause == DFR_NONE)
        dfr_json_null(&j, "cause");
    else
        dfr_json_str(&j, "cause", dfr_report_ptext(eval, eval->program->causes.v[r->cause].name));
    struct dfr_value score = dfr_rank_rule_score(eval, rule, out->arena);
    dfr_json_value(&j, "score_db", eval->facts, &score);
    if (score.state == DFR_KNOWN)
        dfr_json_z(&j, "strength",
                   dfr_enum_word(DFR_E_VERDICT, dfr_verdict_of((int32_t)score.as.n.lo)));
    else
        dfr_json_null(&j, "strength");
    dfr_json_open(&j, "rows", '[');
    for (uint32_t i = 0; i < eval->hits.n; i++) {
        if (eval->hits.v[i].rule == rule)
            put_row(&j, eval, &eval->hits.v[i]);
    }
    dfr_json_close(&j, ']');
    dfr_json_close(&j, '}');
    dfr_json_end(&j);
}
