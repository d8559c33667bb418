/* Hardware error records as !errrec, !errpkt and !whea print them. */
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

/* A record has several sections and !errrec may be run on several records: the first that says it stays. */
static void put_once(struct dfr_reader *r, uint32_t field, struct dfr_value v, uint32_t first,
                     uint32_t last)
{
    if (dfr_facts_scalar(r->f, field)->state != DFR_KNOWN)
        dfr_tx_put(r, field, v, first, last);
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
            put_once(r, DFR_F_MCA_BANK, dfr_v_int(n), j, j + 1);
}

/* `WHEA Error Packet Info Section (@ fffffa80`1)` of !errpkt. */
uint32_t dfr_tx_error_packet(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "WHEA Error Packet Info Section (@");
    uint64_t addr;
    if (!n || !dfr_tx_number(r, i + n, &addr))
        return i;
    r->c->evidence++;
    r->record_open = true;
    r->section_row = UINT32_MAX;
    return i + n + 1;
}

/* `Error Source 0 @ fffffa80`1` of !whea and the labelled lines below it: how errors can be reported, not
 * the error that crashed. */
uint32_t dfr_tx_error_source(struct dfr_reader *r, uint32_t i)
{
    static const char *const labels[] = {
        "Notify Type",   "Type",    "Error Count", "Record Count", "Record Length", "Error Records",
        "Error Records", "Version", "State",       "Flags",        "Context"};
    int64_t number;
    uint64_t addr;
    uint32_t n = dfr_tx_phrase(r, i, "Error Source Table @");
    if (n && dfr_tx_address(r, i + n, &addr)) {
        r->c->evidence++;
        uint32_t j = i + n + 1;
        return dfr_tx_phrase(r, j + 1, "Error Sources") ? j + 3 : j;
    }
    if (!dfr_tx_phrase(r, i, "Error Source") || !dfr_tx_decimal(dfr_tx_text(r, i + 2), &number) ||
        !dfr_tx_says(r, i + 3, "@") || !dfr_tx_address(r, i + 4, &addr))
        return i;
    r->c->evidence++;
    r->record_open = false;
    uint32_t j = i + 5;
    for (bool more = true; more && j < r->words.n;) {
        more = false;
        for (size_t k = 0; k < sizeof labels / sizeof *labels && !more; k++) {
            uint32_t words = dfr_tx_phrase(r, j, labels[k]), v = 0;
            uint32_t end = words ? labelled(r, j, words, &v) : j;
            more = end > j;
            j = end;
        }
    }
    return j;
}

/* `VenId:DevId : 8086:9d10` of a PCI Express section. */
uint32_t dfr_tx_record_device(struct dfr_reader *r, uint32_t i)
{
    if (!r->record_open || !dfr_tx_is(r, i + 1, DFR_W_COLON) || dfr_tx_bol(r, i + 2))
        return i;
    put_once(r, DFR_F_MCA_DEVICE, dfr_v_str(dfr_tx_text(r, i + 2)), i, i + 2);
    return i + 3;
}

/* First words of lines of a record that say nothing rules ask for. */
static bool is_other_label(struct dfr_str s)
{
    static const char *const words[] = {
        "APIC",           "AER",           "Bridge",        "Bus",       "CPU",
        "CPUID",          "Caps",          "Card",          "Class",     "Column",
        "Command/Status", "Context",       "Correctable",   "Cpu",       "Creator",
        "Descriptor",     "Dev",           "Device",        "DIMM",      "Express",
        "Flags",          "Function",      "Header",        "IP",        "Instr.",
        "Length",         "Level",         "Local",         "Misc",      "Misc.",
        "Module",         "Node",          "Offset",        "Operation", "Physical",
        "Port",           "Proc.",         "Processor",     "Record",    "Raw",
        "RawDataFormat",  "RawDataLength", "Requester",     "Responder", "Revision",
        "Root",           "Row",           "Sec.",          "Section",   "Segment",
        "Size",           "Slot",          "Target",        "Timestamp", "Uncorrectable",
        "Version",        "Vector",        "ErrorSourceId",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (dfr_str_eq(s, dfr_str_from(words[i])))
            return true;
    return false;
}

/* `0x0 - MCE` names what `0x0` means. */
static struct dfr_str meaning(const struct dfr_reader *r, uint32_t *v, uint32_t end)
{
    if (end > *v + 2 && dfr_tx_says(r, *v + 1, "-") &&
        dfr_str_starts(dfr_tx_text(r, *v), DFR_STR("0x")))
        *v += 2;
    return dfr_tx_text_range(r, *v, end - 1);
}

/* A labelled line of an open record. */
uint32_t dfr_tx_record_line(struct dfr_reader *r, uint32_t i)
{
    static const struct {
        const char *label;
        uint32_t field;
    } lines[] = {
        {"Severity", DFR_F_MCA_SEVERITY},     {"ErrorSeverity", DFR_F_MCA_SEVERITY},
        {"Notify Type", DFR_F_MCA_SOURCE},    {"ErrorSourceType", DFR_F_MCA_SOURCE},
        {"Error Type", DFR_F_MCA_ERROR_TYPE}, {"Error", DFR_F_MCA_ERROR_TYPE},
        {"ErrorType", DFR_F_MCA_ERROR_TYPE},  {"Status", DFR_F_MCA_STATUS},
        {"Mci Status", DFR_F_MCA_STATUS},     {"Address", DFR_F_MCA_ADDRESS},
        {"Phys. Address", DFR_F_MCA_ADDRESS}, {"Physical Address", DFR_F_MCA_ADDRESS},
        {"Device Id", DFR_F_MCA_DEVICE},      {"Bus/Dev/Fun", DFR_F_MCA_DEVICE},
        {"Bank Number", DFR_F_MCA_BANK},
    };
    if (!r->record_open)
        return i;
    if (dfr_tx_says(r, i, "Section")) {
        uint32_t behind = section(r, i);
        if (behind > i)
            return behind;
    }
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        uint32_t n = dfr_tx_phrase(r, i, lines[k].label), v = 0;
        uint32_t end = n ? labelled(r, i, n, &v) : i, first = i;
        if (end <= i)
            continue;
        if (end == v)
            return end;
        struct dfr_str s = meaning(r, &v, end);
        uint64_t number;
        switch (lines[k].field) {
        case DFR_F_MCA_SEVERITY:
            if (r->section_row == UINT32_MAX)
                put_once(r, DFR_F_MCA_SEVERITY, dfr_v_str(s), first, end - 1);
            else
                dfr_tx_put_cell(r, DFR_F_ERROR_SECTIONS_SEVERITY, r->section_row, dfr_v_str(s), v,
                                end - 1);
            break;
        case DFR_F_MCA_STATUS:
        case DFR_F_MCA_ADDRESS:
            /* `(I)` marks a register whose contents are invalid. */
            if (!dfr_tx_says(r, v + 1, "(I)") && dfr_tx_number(r, v, &number))
                put_once(r, lines[k].field, dfr_v_addr(number), first, v);
            break;
        case DFR_F_MCA_BANK:
            if (dfr_tx_number(r, v, &number) && number < 256)
                put_once(r, lines[k].field, dfr_v_int((int64_t)number), first, v);
            break;
        default:
            put_once(r, lines[k].field, dfr_v_str(s), first, end - 1);
            bank(r, v, end);
        }
        return end;
    }
    /* Other labels of the record: their line is part of it. */
    if (!dfr_tx_bol(r, i) || !is_other_label(dfr_tx_text(r, i)))
        return i;
    uint32_t end = dfr_tx_line_end(r, i, 40);
    for (uint32_t j = i + 1; j < end && j < i + 4; j++)
        if (dfr_tx_is(r, j, DFR_W_COLON) || dfr_tx_says(r, j, "@"))
            return dfr_tx_bol(r, end) ? end : j + 1;
    return i;
}
