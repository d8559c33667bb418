/* The answer for people: short first. What happened, what to do, how sure, what to run next; the
 * reasons follow from text_why.c. */
#include "report/text.h"

enum { ACTIONS_SHOWN = 4, CAUSES_SHOWN = 4, DRIVERS_SHOWN = 6 };

static const struct dfr_str none = {0};

/* --- What happened ---------------------------------------------------------------------------- */

static void put_argument(struct dfr_buf *b, const struct dfr_value *v)
{
    if (v->state == DFR_KNOWN && v->kind == DFR_KIND_ADDR)
        dfr_buf_printf(b, "%llx", (unsigned long long)v->as.u);
    else
        dfr_buf_char(b, '?');
}

static void put_bugcheck(struct dfr_buf *b, const struct dfr_facts *f)
{
    const struct dfr_value *code = dfr_facts_scalar(f, DFR_F_BUGCHECK_CODE);
    if (code->state != DFR_KNOWN) {
        dfr_buf_z(b, "No bug check found in this input");
        return;
    }
    dfr_buf_printf(b, "Bug check 0x%llX", (unsigned long long)code->as.n.lo);
    struct dfr_str name = dfr_report_bugcheck_name(f);
    if (name.len) {
        dfr_buf_char(b, ' ');
        dfr_buf_safe(b, name);
    }
    bool any = false;
    for (uint32_t i = 0; i < 4; i++)
        any |= dfr_facts_scalar(f, DFR_F_BUGCHECK_ARG1 + i)->state == DFR_KNOWN;
    for (uint32_t i = 0; i < 4 && any; i++) {
        dfr_buf_z(b, i ? ", " : " (");
        put_argument(b, dfr_facts_scalar(f, DFR_F_BUGCHECK_ARG1 + i));
    }
    if (any)
        dfr_buf_char(b, ')');
}

static void put_part(struct dfr_buf *b, const struct dfr_facts *f, uint32_t field,
                     const char *before, const char *after)
{
    const struct dfr_value *v = dfr_facts_scalar(f, field);
    if (v->state != DFR_KNOWN)
        return;
    if (b->len)
        dfr_buf_z(b, ", ");
    dfr_buf_z(b, before);
    dfr_value_print(b, v);
    dfr_buf_z(b, after);
}

void dfr_text_crash(struct dfr_page *p, const struct dfr_facts *f,
                    const struct dfr_report_input *input)
{
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    if (input && input->path.len) {
        dfr_buf_safe(&b, input->path);
        if (input->crash_count > 1)
            dfr_buf_printf(&b, ", crash %u of %u", input->crash + 1, input->crash_count);
        dfr_page_text(p, DFR_INK_FAINT, 0, dfr_buf_text(&b));
        dfr_buf_init(&b, p->out->arena);
    }
    put_bugcheck(&b, f);
    dfr_page_text(p, DFR_INK_STRONG, 0, dfr_buf_text(&b));

    dfr_buf_init(&b, p->out->arena);
    put_part(&b, f, DFR_F_CPU_CURRENT, "processor ", "");
    const struct dfr_value *count = dfr_facts_scalar(f, DFR_F_OS_PROCESSORS);
    if (b.len && count->state == DFR_KNOWN)
        dfr_buf_printf(&b, " of %lld", (long long)count->as.n.lo);
    put_part(&b, f, DFR_F_THREAD_PROCESS, "process ", "");
    put_part(&b, f, DFR_F_OS_BUILD, "Windows build ", "");
    put_part(&b, f, DFR_F_DUMP_ARCH, "", "");
    put_part(&b, f, DFR_F_OS_UPTIME, "up ", "");
    put_part(&b, f, DFR_F_DUMP_TIME, "crashed ", "");
    if (b.len)
        dfr_page_text(p, DFR_INK_PLAIN, 2, dfr_buf_text(&b));

    dfr_buf_init(&b, p->out->arena);
    put_part(&b, f, DFR_F_TRAP_SYMBOL, "fault in ", "");
    put_part(&b, f, DFR_F_TRAP_ADDRESS, "touching ", "");
    const struct dfr_value *access = dfr_facts_scalar(f, DFR_F_TRAP_ACCESS);
    if (access->state == DFR_KNOWN) {
        dfr_buf_z(&b, dfr_facts_scalar(f, DFR_F_TRAP_ADDRESS)->state == DFR_KNOWN ? " to "
                      : b.len                                                     ? ", wanted to "
                                                                                  : "wanted to ");
        dfr_value_print(&b, access);
    }
    put_part(&b, f, DFR_F_TRAP_EXCEPTION, "exception ", "");
    if (b.len)
        dfr_page_text(p, DFR_INK_PLAIN, 2, dfr_buf_text(&b));
    if (!p->verbose || dfr_facts_scalar(f, DFR_F_BUGCHECK_CODE)->state != DFR_KNOWN)
        return;
    const struct dfr_bugcheck_info *info =
        dfr_bugcheck_info((uint32_t)dfr_facts_scalar(f, DFR_F_BUGCHECK_CODE)->as.n.lo);
    for (uint32_t i = 0; info && i < 4; i++) {
        if (!info->arg[i] || !*info->arg[i])
            continue;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_printf(&b, "argument %u: %s", i + 1, info->arg[i]);
        dfr_page_text(p, DFR_INK_FAINT, 2, dfr_buf_text(&b));
    }
}

static void put_headline(struct dfr_page *p, const struct dfr_ranking *r)
{
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_z(&b, "most likely: ");
    dfr_buf_str(&b, dfr_report_headline(r, p->out->arena));
    struct dfr_str culprit = dfr_report_culprit(r, p->out->arena);
    dfr_buf_z(&b, "; suspect: ");
    dfr_buf_str(&b, culprit.len ? culprit : DFR_STR("not known"));
    /* What happened may be sure while who did it is not. */
    if (culprit.len && r->culprit != 0) {
        dfr_buf_z(&b, ": ");
        dfr_buf_str(&b, dfr_report_strength(&r->causes[r->culprit], p->out->arena));
    }
    dfr_page_text(p, DFR_INK_STRONG, 2, dfr_buf_text(&b));
}

/* Frames of the program that called into the kernel: no drivers. */
static bool is_user_frame(const struct dfr_facts *f, uint32_t row)
{
    const struct dfr_value *sp = dfr_facts_at(f, DFR_F_STACK_SP, row);
    if (sp->state != DFR_KNOWN)
        return false;
    return sp->as.u <= UINT32_MAX ? sp->as.u < UINT32_C(0x80000000) : sp->as.u >> 47 == 0;
}

/* Nothing is sure: what helps all the same. */
static void put_leads(struct dfr_page *p, const struct dfr_facts *f)
{
    struct dfr_buf b;
    dfr_buf_init(&b, p->out->arena);
    const struct dfr_rows *stack = &f->tables[DFR_T_STACK];
    struct dfr_str seen[DRIVERS_SHOWN];
    uint32_t n = 0;
    for (uint32_t i = 0; i < stack->n && n < DRIVERS_SHOWN; i++) {
        const struct dfr_value *m = dfr_facts_at(f, DFR_F_STACK_MODULE, i);
        if (m->state != DFR_KNOWN || m->kind != DFR_KIND_MODULE || is_user_frame(f, i))
            continue;
        struct dfr_str stem = {m->as.module.p, m->as.module.len};
        bool known = dfr_module_is_kernel(stem) || dfr_str_eq_ci(stem, DFR_STR("hal"));
        for (uint32_t k = 0; k < n && !known; k++)
            known = dfr_module_same(seen[k], stem);
        if (known)
            continue;
        dfr_buf_z(&b, n ? ", " : "Drivers on the stack, newest first: ");
        dfr_report_module_name(f, m, &b);
        seen[n++] = stem;
    }
    if (n)
        dfr_page_text(p, DFR_INK_PLAIN, 2, dfr_buf_text(&b));
    else if (stack->n)
        dfr_page_text(
            p, DFR_INK_PLAIN, 2,
            DFR_STR("The stack shows nothing but the kernel: that does not make it guilty."));
    else
        dfr_page_text(p, DFR_INK_PLAIN, 2, DFR_STR("No stack is shown."));
    const struct dfr_value *image = dfr_facts_scalar(f, DFR_F_ANALYZE_IMAGE);
    if (image->state != DFR_KNOWN)
        image = dfr_facts_scalar(f, DFR_F_ANALYZE_MODULE);
    if (image->state != DFR_KNOWN)
        return;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_z(&b, "The debugger's own guess: ");
    dfr_value_print(&b, image);
    dfr_page_text(p, DFR_INK_PLAIN, 2, dfr_buf_text(&b));
}

/* --- What to do ------------------------------------------------------------------------------- */

static const char *help_words(uint32_t strength)
{
    return strength == DFR_VERDICT_NEAR_CERTAIN ? "almost certain to help"
           : strength == DFR_VERDICT_STRONG     ? "very likely to help"
           : strength == DFR_VERDICT_LIKELY     ? "likely to help"
                                                : "may help";
}

/* Bytes of the first clause: what to do; the rest says how. */
static size_t first_clause(struct dfr_str s)
{
    enum { LEAST = 12 };
    for (size_t i = LEAST; i + 1 < s.len; i++) {
        if ((s.p[i] == '.' || s.p[i] == ':' || s.p[i] == ';') && s.p[i + 1] == ' ')
            return i + 1;
    }
    return s.len;
}

static void put_action(struct dfr_page *p, const struct dfr_ranking *r, uint32_t i)
{
    const struct dfr_ranked_action *x = &r->actions[i];
    struct dfr_buf b, lead, tag;
    dfr_buf_init(&b, p->out->arena);
    dfr_buf_init(&lead, p->out->arena);
    dfr_buf_init(&tag, p->out->arena);
    dfr_buf_printf(&lead, "%3u. ", i + 1);
    dfr_buf_safe(&b, r->eval->hits.v[x->hit].advice[x->advised].text);
    dfr_buf_z(&tag, help_words(x->strength));
    if (p->verbose)
        dfr_buf_printf(&tag, " (%s)", dfr_report_cost(x->cost));
    struct dfr_str text = dfr_buf_text(&b);
    /* Long advice is told apart: what, then how. */
    size_t cut = dfr_page_width(text) > 2 * p->columns ? first_clause(text) : text.len;
    struct dfr_str what = dfr_str_slice(text, 0, cut), how = dfr_str_slice(text, cut, text.len);
    bool shown = how.len && (!i || p->verbose);
    if (how.len && !shown && what.p[what.len - 1] != '.')
        what.len--; /* a colon that nothing follows */
    dfr_page_para(p, i ? DFR_INK_PLAIN : DFR_INK_STRONG, dfr_buf_text(&lead), DFR_INK_PLAIN, what,
                  dfr_buf_text(&tag), DFR_INK_FAINT);
    if (shown)
        dfr_page_text(p, DFR_INK_PLAIN, 5, dfr_str_trim(how));
}

static void put_actions(struct dfr_page *p, const struct dfr_ranking *r)
{
    if (!r->action_count && !r->held_count)
        return;
    bool try_only = r->action_count && r->actions[0].worth_trying;
    dfr_page_heading(p, try_only ? "Worth trying" : "What to do");
    uint32_t most = p->verbose ? r->action_count : ACTIONS_SHOWN;
    struct dfr_buf b;
    for (uint32_t i = 0; i < r->action_count && i < most; i++)
        put_action(p, r, i);
    if (r->action_count > most) {
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_printf(&b, "and %u more", r->action_count - most);
        dfr_page_text(p, DFR_INK_FAINT, 5, dfr_buf_text(&b));
    }
    for (uint32_t i = 0; i < r->held_count && (p->verbose || i < 1); i++) {
        const struct dfr_held_action *h = &r->held[i];
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_z(&b, "held back: ");
        dfr_buf_safe(&b, r->eval->hits.v[h->hit].advice[h->advised].text);
        dfr_buf_z(&b, " Not known: ");
        dfr_text_missing(r->eval, h->missing, 3, &b);
        dfr_page_text(p, DFR_INK_FAINT, 5, dfr_buf_text(&b));
    }
}

/* --- How sure ----------------------------------------------------------------------------------- */

static void put_causes(struct dfr_page *p, const struct dfr_ranking *r)
{
    if (!r->shown_count)
        return;
    dfr_page_heading(p, "How sure");
    uint32_t most = p->verbose ? r->shown_count : CAUSES_SHOWN;
    struct dfr_buf b, tag;
    for (uint32_t i = 0; i < r->shown_count && i < most; i++) {
        const struct dfr_ranked_cause *c = &r->causes[i];
        dfr_buf_init(&tag, p->out->arena);
        dfr_buf_str(&tag, dfr_report_strength(c, p->out->arena));
        dfr_buf_printf(&tag, " %+4d", c->score_db);
        dfr_page_para(p, DFR_INK_PLAIN, DFR_STR("  "), DFR_INK_PLAIN,
                      dfr_report_cause(r->eval, c, p->out->arena), dfr_buf_text(&tag),
                      c->strength >= DFR_VERDICT_STRONG   ? DFR_INK_STRONG
                      : c->strength == DFR_VERDICT_LIKELY ? DFR_INK_PLAIN
                                                          : DFR_INK_FAINT);
    }
    if (r->shown_count > most) {
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_printf(&b, "and %u less likely", r->shown_count - most);
        dfr_page_text(p, DFR_INK_FAINT, 2, dfr_buf_text(&b));
    }
}

/* --- What to run next --------------------------------------------------------------------------- */

static void put_collect(struct dfr_page *p, const struct dfr_ranking *r)
{
    if (!r->collect_count)
        return;
    dfr_page_heading(p, "Run next");
    uint32_t most = p->verbose || !r->shown_count ? 3 : 2;
    for (uint32_t i = 0; i < r->collect_count && i < most; i++) {
        const struct dfr_ranked_collect *c = &r->collect[i];
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_safe(&b, c->command);
        dfr_page_text(p, DFR_INK_COMMAND, 2, dfr_buf_text(&b));
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_z(&b, c->command_known ? "shows: " : "would hold: ");
        dfr_buf_str(&b, c->why);
        if (c->flips_first)
            dfr_buf_z(&b, !r->shown_count          ? " (could bring the first lead)"
                          : r->culprit == DFR_NONE ? " (could name a suspect)"
                                                   : " (could change what comes first)");
        dfr_page_text(p, DFR_INK_FAINT, 5, dfr_buf_text(&b));
    }
}

void dfr_text_answer(struct dfr_page *p, const struct dfr_ranking *k)
{
    if (!k->shown_count || k->causes[0].score_db < DFR_SCORE_LIKELY) {
        struct dfr_buf b;
        dfr_buf_init(&b, p->out->arena);
        dfr_buf_str(&b, dfr_report_headline(k, p->out->arena));
        dfr_buf_char(&b, '.');
        dfr_page_gap(p);
        dfr_page_para(p, DFR_INK_STRONG, none, DFR_INK_PLAIN, dfr_buf_text(&b), none,
                      DFR_INK_PLAIN);
        put_leads(p, k->eval->facts);
    } else {
        put_headline(p, k);
    }
    put_actions(p, k);
    put_causes(p, k);
    put_collect(p, k);
    dfr_text_reasons(p, k);
}

void dfr_report_text(const struct dfr_report *r, const struct dfr_report_style *s,
                     struct dfr_buf *out)
{
    struct dfr_page p;
    const struct dfr_ranking *k = r->ranking;
    dfr_page_init(&p, s, out);
    dfr_text_crash(&p, k->eval->facts, &r->input);
    dfr_text_answer(&p, k);
    dfr_text_rest(&p, r);
}
