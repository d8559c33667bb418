/* Figures kept from before: one line a case, so that a diff says what a change did to which case. */
#include "measure/measure.h"

static const char header[] = "file\toutcome\tnamed\tstrength\tfirst cause\n";

void dfr_figures_tsv(const struct dfr_figures *f, struct dfr_buf *out)
{
    const struct dfr_sums *s = &f->all;
    dfr_buf_printf(out,
                   "# %u cases: first %u of %u, top three %u, cannot tell %u of %u, wrong and "
                   "confident %u; debugger right in %u\n",
                   s->cases, s->first, s->named, s->three, s->kept_silent,
                   s->cases - s->named - s->outcome[DFR_OUTCOME_UNREADABLE],
                   s->outcome[DFR_OUTCOME_CONFIDENT], s->guess[DFR_GUESS_RIGHT]);
    dfr_buf_z(out, header);
    for (uint32_t i = 0; i < f->case_count; i++) {
        const struct dfr_case *c = &f->cases[i];
        dfr_buf_safe(out, c->label->file);
        dfr_buf_printf(out, "\t%s\t", dfr_outcome_word(c->outcome));
        dfr_buf_safe(out, c->lead.len ? c->lead : DFR_STR("-"));
        dfr_buf_printf(out, "\t%s\t",
                       c->cause.len ? dfr_enum_word(DFR_E_VERDICT, c->strength) : "-");
        dfr_buf_safe(out, c->cause.len ? c->cause : DFR_STR("-"));
        dfr_buf_char(out, '\n');
    }
}

static struct dfr_str next(struct dfr_str *rest, char end)
{
    size_t n = 0;
    while (n < rest->len && rest->p[n] != end)
        n++;
    struct dfr_str ret = dfr_str_slice(*rest, 0, n);
    *rest = dfr_str_slice(*rest, n + 1 < rest->len ? n + 1 : rest->len, rest->len);
    return ret;
}

static int outcome_of(struct dfr_str word)
{
    for (int k = 0; k < DFR_OUTCOME_COUNT; k++)
        if (dfr_str_eq(word, dfr_str_from(dfr_outcome_word((enum dfr_outcome_kind)k))))
            return k;
    return -1;
}

static const struct dfr_case *find(const struct dfr_figures *f, struct dfr_str file)
{
    for (uint32_t i = 0; i < f->case_count; i++)
        if (dfr_str_eq(f->cases[i].label->file, file))
            return &f->cases[i];
    return NULL;
}

static void put_change(struct dfr_buf *out, const char *word, struct dfr_str file,
                       struct dfr_str before, struct dfr_str before_named,
                       const struct dfr_case *now)
{
    dfr_buf_printf(out, "%-7s ", word);
    dfr_buf_safe(out, file);
    dfr_buf_z(out, ": was ");
    dfr_buf_safe(out, before);
    dfr_buf_z(out, " (");
    dfr_buf_safe(out, before_named);
    dfr_buf_z(out, ")");
    if (now) {
        dfr_buf_printf(out, ", is %s (", dfr_outcome_word(now->outcome));
        dfr_buf_safe(out, now->lead.len ? now->lead : DFR_STR("-"));
        dfr_buf_z(out, ")");
    } else {
        dfr_buf_z(out, ", is not there any more");
    }
    dfr_buf_char(out, '\n');
}

enum dfr_status dfr_figures_against(const struct dfr_figures *f, struct dfr_str path,
                                    struct dfr_str before, struct dfr_arena *a, struct dfr_buf *out,
                                    uint32_t *ret_worse, uint32_t *ret_better, struct dfr_err *err)
{
    bool *seen = DFR_NEW_N(a, f->case_count, bool);
    uint32_t line_number = 0;
    *ret_worse = *ret_better = 0;
    while (before.len) {
        struct dfr_str line = next(&before, '\n');
        line_number++;
        if (!line.len || line.p[0] == '#' || dfr_str_starts(line, DFR_STR("file\t")))
            continue;
        struct dfr_str file = next(&line, '\t'), word = next(&line, '\t'),
                       named = next(&line, '\t');
        int was = outcome_of(word);
        if (was < 0)
            return dfr_fail(err, DFR_MISUSE, "%.*s:%u: no such outcome: %.*s", (int)path.len,
                            path.p, line_number, (int)word.len, word.p);
        const struct dfr_case *c = find(f, file);
        if (c)
            seen[c - f->cases] = true;
        if (c && (int)c->outcome == was)
            continue;
        bool worse = !c || (int)c->outcome > was;
        *(worse ? ret_worse : ret_better) += 1;
        put_change(out, worse ? "worse" : "better", file, word, named, c);
    }
    uint32_t fresh = 0;
    for (uint32_t i = 0; i < f->case_count; i++)
        fresh += !seen[i];
    dfr_buf_printf(out, "%u case%s, %u worse, %u better, %u new\n", f->case_count,
                   f->case_count == 1 ? "" : "s", *ret_worse, *ret_better, fresh);
    return DFR_OK;
}
