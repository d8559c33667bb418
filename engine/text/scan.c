/* Looking at words, and putting what was read into the facts with its place. */
#include "text/reader.h"

#include <string.h>

#include "base/buf.h"

struct dfr_str dfr_tx_text_range(const struct dfr_reader *r, uint32_t first, uint32_t last)
{
    if (first >= r->words.n || last < first)
        return DFR_STR("");
    if (last >= r->words.n)
        last = r->words.n - 1;
    const struct dfr_word *a = &r->words.v[first], *b = &r->words.v[last];
    return (struct dfr_str){r->norm.text.p + a->at, b->at + b->len - a->at};
}

bool dfr_tx_says_ci(const struct dfr_reader *r, uint32_t i, const char *word)
{
    return dfr_str_eq_ci(dfr_tx_text(r, i), dfr_str_from(word));
}

uint32_t dfr_tx_phrase(const struct dfr_reader *r, uint32_t i, const char *phrase)
{
    uint32_t n = 0;
    while (*phrase) {
        struct dfr_str s = dfr_tx_text(r, i + n);
        if (!s.len || s.p[0] != *phrase || strncmp(s.p, phrase, s.len) != 0 ||
            (phrase[s.len] != ' ' && phrase[s.len]))
            return 0;
        n++;
        phrase += s.len + (phrase[s.len] == ' ');
    }
    return n;
}

/* Letters and digits are never taken off; neither is a zero byte, which ends every list of marks. */
static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || !c;
}

struct dfr_str dfr_tx_strip(struct dfr_str s, const char *both_ends)
{
    while (s.len && !is_plain(s.p[0]) && strchr(both_ends, s.p[0]))
        s.p++, s.len--;
    while (s.len && !is_plain(s.p[s.len - 1]) && strchr(both_ends, s.p[s.len - 1]))
        s.len--;
    return s;
}

bool dfr_tx_number(const struct dfr_reader *r, uint32_t i, uint64_t *ret)
{
    return dfr_hex_value(dfr_tx_strip(dfr_tx_text(r, i), ",;:()[]{}<>\"*"), ret);
}

bool dfr_tx_address(const struct dfr_reader *r, uint32_t i, uint64_t *ret)
{
    struct dfr_str s = dfr_tx_text(r, i);
    if (dfr_tx_is(r, i, DFR_W_ADDR64) || dfr_tx_is(r, i, DFR_W_ADDR32))
        return dfr_hex_value(s, ret);
    s = dfr_tx_strip(s, ",;:()[]");
    if (dfr_str_starts_ci(s, DFR_STR("0x")))
        return s.len >= 10 && dfr_hex_value(s, ret);
    return (s.len == 8 || s.len == 16 || s.len == 17) && dfr_hex_value(s, ret);
}

bool dfr_tx_decimal(struct dfr_str s, int64_t *ret)
{
    int64_t v = 0;
    if (!s.len || s.len > 18)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *ret = v;
    return true;
}

uint32_t dfr_tx_line_end(const struct dfr_reader *r, uint32_t i, uint32_t most)
{
    uint32_t end = i + 1;
    while (end < r->words.n && end - i < most && !dfr_tx_bol(r, end))
        end++;
    return end < r->words.n ? end : r->words.n;
}

/* Lines longer than this are flattened paragraphs: a value there ends at the next key or prompt. */
enum { VALUE_WORDS = 60 };

struct dfr_str dfr_tx_line_rest(const struct dfr_reader *r, uint32_t i, uint32_t *ret_end)
{
    uint32_t end = i;
    while (end < r->words.n && end - i < VALUE_WORDS && !dfr_tx_bol(r, end) &&
           !dfr_tx_is(r, end, DFR_W_KEY) && !dfr_tx_is(r, end, DFR_W_PROMPT))
        end++;
    *ret_end = end;
    return end > i ? dfr_tx_text_range(r, i, end - 1) : DFR_STR("");
}

bool dfr_tx_is_elision(struct dfr_str s)
{
    if (dfr_str_eq_ci(s, DFR_STR("[snip]")) || dfr_str_eq_ci(s, DFR_STR("<snip>")) ||
        dfr_str_eq_ci(s, DFR_STR("(snip)")) || dfr_str_eq_ci(s, DFR_STR("--snip--")))
        return true;
    s = dfr_tx_strip(s, "[](){}<>");
    if (s.len < 3)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] != '.')
            return false;
    return s.len <= 6; /* longer rows of dots are progress marks */
}

uint32_t dfr_tx_place_of(struct dfr_reader *r, uint32_t first, uint32_t last)
{
    if (first >= r->words.n)
        return 0;
    if (last >= r->words.n)
        last = r->words.n - 1;
    for (unsigned k = 0; k < 2; k++)
        if (r->recent[k].f == r->f && r->recent[k].first == first && r->recent[k].last == last)
            return r->recent[k].place;
    const struct dfr_word *a = &r->words.v[first], *b = &r->words.v[last];
    uint32_t place = dfr_facts_place(r->f, dfr_normal_place(&r->norm, a->at, b->at + b->len));
    r->recent[1] = r->recent[0];
    r->recent[0].first = first;
    r->recent[0].last = last;
    r->recent[0].place = place;
    r->recent[0].f = r->f;
    return place;
}

static void contradiction(struct dfr_reader *r, uint32_t field, uint32_t place)
{
    if (!r->diags)
        return;
    struct dfr_diag *d = dfr_diags_add(r->diags, DFR_D_TEXT_CONTRADICTION,
                                       "the text shows %s with different values; the first stays",
                                       dfr_field_info(field)->path);
    const struct dfr_place *p = &r->f->places.v[place];
    d->begin = p->begin;
    d->end = p->end;
    d->line = p->line;
}

void dfr_tx_put(struct dfr_reader *r, uint32_t field, struct dfr_value v, uint32_t first,
                uint32_t last)
{
    v.place = dfr_tx_place_of(r, first, last);
    r->c->evidence++;
    if (!dfr_facts_set(r->f, field, v))
        contradiction(r, field, v.place);
}

void dfr_tx_put_cell(struct dfr_reader *r, uint32_t column, uint32_t row, struct dfr_value v,
                     uint32_t first, uint32_t last)
{
    if (row == UINT32_MAX)
        return;
    v.place = dfr_tx_place_of(r, first, last);
    dfr_facts_cell(r->f, column, row, v);
}

uint32_t dfr_tx_new_row(struct dfr_reader *r, uint32_t table, uint32_t first, uint32_t last)
{
    uint32_t row = dfr_facts_row(r->f, table);
    r->c->evidence++;
    if (row != UINT32_MAX && !r->f->tables[table].place)
        r->f->tables[table].place = dfr_tx_place_of(r, first, last);
    return row;
}

void dfr_tx_skip_note(struct dfr_reader *r, struct dfr_str what, struct dfr_str why, uint32_t first,
                      uint32_t last)
{
    uint32_t row = dfr_facts_row(r->f, DFR_T_SKIPPED);
    dfr_tx_put_cell(r, DFR_F_SKIPPED_WHAT, row, dfr_v_str(what), first, last);
    dfr_tx_put_cell(r, DFR_F_SKIPPED_WHY, row, dfr_v_str(why), first, last);
}

void dfr_tx_table_failed(struct dfr_reader *r, uint32_t table, enum dfr_reason why, uint32_t first,
                         uint32_t last)
{
    struct dfr_rows *t = &r->f->tables[table];
    r->c->evidence++;
    t->complete = false;
    t->reason = (uint8_t)why;
    t->place = dfr_tx_place_of(r, first, last);
}
