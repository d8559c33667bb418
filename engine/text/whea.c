/* Hardware error records as !errrec prints them. */
#include "text/sections.h"

#include <string.h>

/* `Common Platform Error Record @ ffff9c0d`1`. */
uint32_t dfr_tx_record(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Common Platform Error Record @");
    uint64_t addr;
    if (!n || !dfr_tx_address(r, i + n, &addr))
        return i;
    r->c->evidence++;
    r->record_open = true;
    r->section_row = UINT32_MAX;
    return i + n + 1;
}

/* The value behind `Label   :`; the word behind the line. */
static uint32_t labelled(const struct dfr_reader *r, uint32_t i, uint32_t words,
                         uint32_t *ret_value)
{
    uint32_t colon = i + words, end;
    if (!dfr_tx_is(r, colon, DFR_W_COLON))
        return i;
    *ret_value = colon + 1;
    dfr_tx_line_rest(r, colon + 1, &end);
    return end;
}

/* `Section 2     : x86/x64 MCA`. */
static uint32_t section(struct dfr_reader *r, uint32_t i)
{
    int64_t number;
    uint32_t v = i, end;
    if (!dfr_tx_decimal(dfr_tx_text(r, i + 1), &number) || (end = labelled(r, i, 2, &v)) <= v)
        return i;
    uint32_t row = dfr_tx_new_row(r, DFR_T_ERROR_SECTIONS, i, end - 1);
    dfr_tx_put_cell(r, DFR_F_ERROR_SECTIONS_INDEX, row, dfr_v_int(number), i, i + 1);
    dfr_tx_put_cell(r, DFR_F_ERROR_SECTIONS_KIND, row, dfr_v_str(dfr_tx_text_range(r, v, end - 1)),
                    v, end - 1);
    r->section_row = row;
    return end;
}

/* `(Proc 0 Bank 4)` behind the name of a machine check error. */
static void bank(struct dfr_reader *r, uint32_t v, uint32_t end)
{
    int64_t n;
    for (uint32_t j = v; j + 1 < end; j++)
        if (dfr_tx_says(r, j, "Bank") &&
            dfr_tx_decimal(dfr_tx_strip(dfr_tx_text(r, j + 1), "()"), &n))
            dfr_tx_put(r, DFR_F_MCA_BANK, dfr_v_int(n), j, j + 1);
}

/* A labelled line of an open record. */
uint32_t dfr_tx_record_line(struct dfr_reader *r, uint32_t i)
{
    static const struct {
        const char *label;
        uint32_t field;
    } lines[] = {
        {"Severity", DFR_F_MCA_SEVERITY},     {"Notify Type", DFR_F_MCA_SOURCE},
        {"Error Type", DFR_F_MCA_ERROR_TYPE}, {"Error", DFR_F_MCA_ERROR_TYPE},
        {"Status", DFR_F_MCA_STATUS},         {"Address", DFR_F_MCA_ADDRESS},
        {"Device Id", DFR_F_MCA_DEVICE},      {"Bus/Dev/Fun", DFR_F_MCA_DEVICE},
        {"Mci Status", DFR_F_MCA_STATUS},     {"Bank Number", DFR_F_MCA_BANK},
    };
    if (!r->record_open)
        return i;
    if (dfr_tx_says(r, i, "Section"))
        return section(r, i);
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        uint32_t n = dfr_tx_phrase(r, i, lines[k].label), v = 0;
        uint32_t end = n ? labelled(r, i, n, &v) : i;
        if (end <= i)
            continue;
        if (end == v)
            return end;
        struct dfr_str s = dfr_tx_text_range(r, v, end - 1);
        uint64_t number;
        if (lines[k].field == DFR_F_MCA_SEVERITY && r->section_row != UINT32_MAX) {
            dfr_tx_put_cell(r, DFR_F_ERROR_SECTIONS_SEVERITY, r->section_row, dfr_v_str(s), v,
                            end - 1);
        } else if (lines[k].field == DFR_F_MCA_STATUS || lines[k].field == DFR_F_MCA_ADDRESS) {
            if (dfr_tx_number(r, v, &number))
                dfr_tx_put(r, lines[k].field, dfr_v_addr(number), i, v);
        } else if (lines[k].field == DFR_F_MCA_BANK) {
            if (dfr_tx_number(r, v, &number) && number < 256)
                dfr_tx_put(r, lines[k].field, dfr_v_int((int64_t)number), i, v);
        } else {
            dfr_tx_put(r, lines[k].field, dfr_v_str(s), i, end - 1);
            bank(r, v, end);
        }
        return end;
    }
    /* Other labels of the record: their line is part of it. */
    uint32_t v, end = labelled(r, i, 1, &v);
    if (end <= i)
        end = labelled(r, i, 2, &v);
    return dfr_tx_bol(r, i) && end > i ? end : i;
}
