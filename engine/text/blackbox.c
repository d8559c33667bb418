/* !blackboxbsd and its kin: each line of their output is one row. */
#include "text/sections.h"

#include <string.h>

enum { LINE_WORDS = 40, LABEL_WORDS = 10 };

/* `Last boot succeeded: TRUE`, `PnpProblemCode : 24`, `0 Slow I/O Timeout Records Found`. */
static bool is_record(const struct dfr_reader *r, uint32_t i, uint32_t end)
{
    for (uint32_t j = i; j < end && j < i + LABEL_WORDS; j++) {
        struct dfr_str s = dfr_tx_text(r, j);
        if (s.p[s.len - 1] == ':')
            return true;
    }
    int64_t count;
    return dfr_tx_decimal(dfr_tx_text(r, i), &count) && end > i + 1 &&
           dfr_tx_says(r, end - 1, "Found");
}

uint32_t dfr_tx_blackbox_line(struct dfr_reader *r, uint32_t i)
{
    uint32_t end = dfr_tx_line_end(r, i, LINE_WORDS);
    if (!dfr_tx_bol(r, i) || !dfr_tx_bol(r, end) || !is_record(r, i, end))
        return i;
    struct dfr_str kind = r->verb;
    size_t at = dfr_str_find(kind, DFR_STR("blackbox"));
    if (at == SIZE_MAX)
        return i;
    at += sizeof "blackbox" - 1;
    char *upper = dfr_arena_alloc(r->a, kind.len - at + 1);
    for (size_t k = at; k < kind.len; k++)
        upper[k - at] =
            kind.p[k] >= 'a' && kind.p[k] <= 'z' ? (char)(kind.p[k] - 'a' + 'A') : kind.p[k];
    uint32_t row = dfr_tx_new_row(r, DFR_T_BLACKBOX, i, end - 1);
    dfr_tx_put_cell(r, DFR_F_BLACKBOX_KIND, row, dfr_v_str((struct dfr_str){upper, kind.len - at}),
                    r->command, r->command);
    dfr_tx_put_cell(r, DFR_F_BLACKBOX_TEXT, row, dfr_v_str(dfr_tx_text_range(r, i, end - 1)), i,
                    end - 1);
    return end;
}
