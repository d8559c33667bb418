/* Words and places that text and JSON share. Decides nothing. */
#include "report/words.h"

#include <string.h>

/* --- Names ------------------------------------------------------------------------------------ */

/* Kernel-mode images that are libraries: a bare name does not tell. */
static bool is_library(struct dfr_str stem)
{
    static const char *const names[] = {
        "hal",      "kd",  "kdcom",  "ci",    "pshed",  "bootvid",  "cdd",        "atmfd", "tsddd",
        "framebuf", "vga", "clipsp", "ntdll", "win32u", "kernel32", "kernelbase", "user32"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (dfr_str_eq_ci(stem, dfr_str_from(names[i])))
            return true;
    }
    return dfr_str_starts_ci(stem, DFR_STR("mcupdate_")) || dfr_str_starts_ci(stem, DFR_STR("kd_"));
}

void dfr_report_module_name(const struct dfr_facts *f, const struct dfr_value *module,
                            struct dfr_buf *out)
{
    struct dfr_str stem = {module->as.module.p, module->as.module.len};
    if (dfr_module_is_kernel(stem)) {
        dfr_buf_z(out, "nt");
        return;
    }
    if (module->as.module.row) {
        const struct dfr_value *image =
            dfr_facts_at(f, DFR_F_MODULES_IMAGE, module->as.module.row - 1);
        if (image->state == DFR_KNOWN && image->kind == DFR_KIND_STR && image->as.s.len) {
            dfr_buf_safe(out, dfr_value_str(image));
            return;
        }
    }
    /* A program's own image can stand on a stack, too. */
    const struct dfr_value *process = dfr_facts_scalar(f, DFR_F_THREAD_PROCESS);
    if (process->state == DFR_KNOWN && dfr_module_same(dfr_value_str(process), stem)) {
        dfr_buf_safe(out, dfr_value_str(process));
        return;
    }
    dfr_buf_safe(out, stem);
    if (dfr_str_find(stem, DFR_STR(".")) == SIZE_MAX)
        dfr_buf_z(out, is_library(stem) ? ".dll" : ".sys");
}

struct dfr_str dfr_report_subject(const struct dfr_eval *e, const struct dfr_tv *subject,
                                  struct dfr_arena *a)
{
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    const struct dfr_value *v = &subject->v;
    if (v->kind == DFR_KIND_NONE)
        return (struct dfr_str){0};
    if (v->state != DFR_KNOWN)
        return DFR_STR("which one is not known");
    if (v->kind == DFR_KIND_MODULE)
        dfr_report_module_name(e->facts, v, &b);
    else
        dfr_value_print(&b, v);
    return dfr_buf_text(&b);
}

struct dfr_str dfr_report_culprit(const struct dfr_ranking *r, struct dfr_arena *a)
{
    if (r->culprit == DFR_NONE)
        return (struct dfr_str){0};
    const struct dfr_ranked_cause *c = &r->causes[r->culprit];
    const struct dfr_program *p = r->eval->program;
    const struct dfr_pcause *cause = &p->causes.v[c->cause];
    struct dfr_str named =
        dfr_rank_meta(p, cause->meta_first, cause->meta_count, DFR_STR("culprit"));
    return named.len ? named : dfr_report_subject(r->eval, &c->subject, a);
}

struct dfr_str dfr_report_cause(const struct dfr_eval *e, const struct dfr_ranked_cause *c,
                                struct dfr_arena *a)
{
    const struct dfr_pcause *cause = &e->program->causes.v[c->cause];
    struct dfr_str title = dfr_report_ptext(e, cause->title.len ? cause->title : cause->name);
    struct dfr_str subject = dfr_report_subject(e, &c->subject, a);
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    dfr_buf_safe(&b, title);
    if (subject.len) {
        dfr_buf_z(&b, " (");
        dfr_buf_str(&b, subject);
        dfr_buf_char(&b, ')');
    }
    return dfr_buf_text(&b);
}

struct dfr_str dfr_report_strength(const struct dfr_ranked_cause *c, struct dfr_arena *a)
{
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    dfr_buf_z(&b, dfr_enum_word(DFR_E_VERDICT, c->strength));
    if (c->strength >= DFR_VERDICT_LIKELY)
        dfr_buf_z(&b, c->settled ? ", settled" : ", not settled");
    return dfr_buf_text(&b);
}

struct dfr_str dfr_report_headline(const struct dfr_ranking *r, struct dfr_arena *a)
{
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    if (r->shown_count && r->causes[0].score_db >= DFR_SCORE_LIKELY) {
        dfr_buf_str(&b, dfr_report_cause(r->eval, &r->causes[0], a));
        dfr_buf_z(&b, ": ");
        dfr_buf_str(&b, dfr_report_strength(&r->causes[0], a));
    } else if (r->shown_count) {
        dfr_buf_z(&b,
                  "Nothing here is sure enough to name a cause; the best lead is only possible: ");
        dfr_buf_str(&b, dfr_report_cause(r->eval, &r->causes[0], a));
    } else {
        dfr_buf_z(&b, "No rule can name a cause from what is here");
    }
    return dfr_buf_text(&b);
}

const char *dfr_report_cost(uint32_t cost)
{
    static const char *const words[] = {"check", "update", "setting", "test", "replace"};
    return cost < sizeof words / sizeof *words ? words[cost] : "setting";
}

struct dfr_str dfr_report_kind(const struct dfr_facts *f, const struct dfr_report_input *input)
{
    if (input->kind.len)
        return input->kind;
    const struct dfr_value *v = dfr_facts_scalar(f, DFR_F_DUMP_KIND);
    if (v->state != DFR_KNOWN)
        return (struct dfr_str){0};
    return dfr_str_from(dfr_enum_word(v->as.e.type, v->as.e.value));
}

struct dfr_str dfr_report_bugcheck_name(const struct dfr_facts *f)
{
    const struct dfr_value *code = dfr_facts_scalar(f, DFR_F_BUGCHECK_CODE);
    const struct dfr_bugcheck_info *info =
        code->state == DFR_KNOWN ? dfr_bugcheck_info((uint32_t)code->as.n.lo) : NULL;
    if (info)
        return dfr_str_from(info->name);
    const struct dfr_value *name = dfr_facts_scalar(f, DFR_F_BUGCHECK_NAME);
    return name->state == DFR_KNOWN ? dfr_value_str(name) : (struct dfr_str){0};
}

/* --- Evidence --------------------------------------------------------------------------------- */

struct dfr_str dfr_report_label(const struct dfr_eval *e, const struct dfr_scored_item *item)
{
    const struct dfr_hit *hit = &e->hits.v[item->hit];
    if (item->item == DFR_NONE) {
        const struct dfr_prule *rule = &e->program->rules.v[hit->rule];
        struct dfr_str because =
            dfr_rank_meta(e->program, rule->meta_first, rule->meta_count, DFR_STR("because"));
        return because.len ? because : DFR_STR("the rule's condition holds");
    }
    const struct dfr_item *i = &hit->items[item->item];
    return i->label.len ? i->label : dfr_report_ptext(e, e->program->evidence.v[i->evidence].text);
}

uint32_t dfr_report_origin(const struct dfr_eval *e, const struct dfr_scored_item *item)
{
    const struct dfr_hit *hit = &e->hits.v[item->hit];
    return item->item == DFR_NONE ? hit->when.origin : hit->items[item->item].truth.origin;
}

bool dfr_report_is_note(const struct dfr_eval *e, const struct dfr_scored_item *item)
{
    if (item->item == DFR_NONE)
        return false;
    uint32_t evidence = e->hits.v[item->hit].items[item->item].evidence;
    return e->program->evidence.v[evidence].cls == DFR_ITEM_NOTE;
}

static uint32_t place_of_cell(const struct dfr_facts *f, const struct dfr_cell_ref *cell)
{
    if (cell->field >= DFR_F_COUNT)
        return 0;
    const struct dfr_field_info *info = dfr_field_info(cell->field);
    if (info->cls == DFR_FIELD_SCALAR)
        return dfr_facts_scalar(f, cell->field)->place;
    if (info->cls == DFR_FIELD_TABLE || cell->row == DFR_NONE)
        return f->tables[info->table].place;
    uint32_t place = dfr_facts_at(f, cell->field, cell->row)->place;
    if (!place)
        place = dfr_facts_at(f, dfr_table_info(info->table)->first_column, cell->row)->place;
    return place;
}

/* The smaller, the more it tells. */
static uint32_t dullness(const struct dfr_cell_ref *cell, bool of_when)
{
    uint32_t ret = of_when ? 4 : 0;
    if (cell->field == DFR_F_BUGCHECK_CODE)
        return ret + 2;
    if (cell->field >= DFR_F_BUGCHECK_ARG1 && cell->field <= DFR_F_BUGCHECK_ARG4)
        return ret + 1; /* the first lines of every answer show them */
    const struct dfr_field_info *info = dfr_field_info(cell->field);
    if (info->cls == DFR_FIELD_TABLE)
        return ret + 3;
    return ret + (info->cls == DFR_FIELD_COLUMN && info->column == 0); /* a row's key: its name */
}

static bool in_set(const struct dfr_eval *e, uint32_t set, uint32_t item)
{
    uint32_t n;
    const uint32_t *items = dfr_sets_items(e->sets, set, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (items[i] == item)
            return true;
    }
    return false;
}

uint32_t dfr_report_places(const struct dfr_eval *e, uint32_t origin, uint32_t when_origin,
                           uint32_t *ret, uint32_t most)
{
    uint32_t n, count = 0, dull[8] = {0};
    const uint32_t *cells = dfr_sets_items(e->sets, origin, &n);
    most = most < 8 ? most : 8;
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_cell_ref *cell = &e->cells.v[cells[i]];
        uint32_t place = place_of_cell(e->facts, cell);
        if (!place || place >= e->facts->places.n)
            continue;
        uint32_t d = dullness(cell, when_origin != origin && in_set(e, when_origin, cells[i]));
        uint64_t begin = e->facts->places.v[place].begin;
        uint32_t at = count;
        bool known = false;
        for (uint32_t k = 0; k < count; k++)
            known |= e->facts->places.v[ret[k]].begin == begin;
        if (known)
            continue;
        while (at > 0 && (dull[at - 1] > d ||
                          (dull[at - 1] == d && e->facts->places.v[ret[at - 1]].begin > begin)))
            at--;
        if (at >= most)
            continue;
        uint32_t last = count < most ? count : most - 1;
        for (uint32_t k = last; k > at; k--) {
            ret[k] = ret[k - 1];
            dull[k] = dull[k - 1];
        }
        ret[at] = place;
        dull[at] = d;
        count = last + 1;
    }
    return count;
}

void dfr_report_missing(const struct dfr_eval *e, uint32_t missing, struct dfr_buf *out)
{
    const struct dfr_missing *m = &e->missing.v[missing];
    dfr_buf_z(out, dfr_field_info(m->field)->path);
    if (m->param.len) {
        dfr_buf_z(out, ": ");
        dfr_buf_safe(out, m->param);
    }
}

uint32_t dfr_report_notes(const struct dfr_eval *e, struct dfr_arena *a, struct dfr_noted **ret)
{
    DFR_VEC(struct dfr_noted) notes = {0};
    for (uint32_t i = 0; i < e->hits.n; i++) {
        const struct dfr_hit *hit = &e->hits.v[i];
        if (hit->status != DFR_HIT_FIRED)
            continue;
        for (uint32_t k = 0; k < hit->item_count; k++) {
            const struct dfr_item *item = &hit->items[k];
            bool note = e->program->evidence.v[item->evidence].cls == DFR_ITEM_NOTE;
            bool known = !note || dfr_tv_tri(&item->truth) != DFR_TRUE;
            for (uint32_t j = 0; j < notes.n && !known; j++)
                known =
                    dfr_str_eq(item->label, e->hits.v[notes.v[j].hit].items[notes.v[j].item].label);
            if (!known)
                *DFR_PUSH(a, &notes) = (struct dfr_noted){i, k};
        }
    }
    *ret = notes.v;
    return notes.n;
}

bool dfr_report_is_filler(const struct dfr_value *v)
{
    static const struct dfr_str fillers[] = {{"To Be Filled By O.E.M.", 22},
                                             {"System manufacturer", 19},
                                             {"System Product Name", 19},
                                             {"Default string", 14},
                                             {"Not Applicable", 14}};
    for (size_t i = 0; v->kind == DFR_KIND_STR && i < sizeof fillers / sizeof *fillers; i++)
        if (dfr_str_eq_ci(dfr_str_trim(dfr_value_str(v)), fillers[i]))
            return true;
    return false;
}
