/* Commands that failed: what they would have shown is unknown, never empty. */
#include "text/sections.h"

#include <string.h>

enum { FAILURE_WORDS = 24 };

/* The table that a command's output fills. Several rows of one verb: the first counts. */
static const struct {
    const char *verb;
    uint32_t table;
} fills[] = {
    {"!ipi", DFR_T_CPUS},
    {"!running", DFR_T_CPUS},
    {"!pcr", DFR_T_CPUS},
    {"!prcb", DFR_T_CPUS},
    {"!irp", DFR_T_IRPS},
    {"!poaction", DFR_T_IRPS},
    {"!devstack", DFR_T_DEVICES},
    {"!devobj", DFR_T_DEVICES},
    {"!devnode", DFR_T_DEVNODES},
    {"!thread", DFR_T_THREADS},
    {"!process", DFR_T_THREADS},
    {"!stacks", DFR_T_OTHER_STACKS},
    {"!mex.t", DFR_T_OTHER_STACKS},
    {"!pool", DFR_T_POOLS},
    {"!pte", DFR_T_PTES},
    {"!locks", DFR_T_LOCKS},
    {"!verifier", DFR_T_VERIFIER_DRIVERS},
    {"!errrec", DFR_T_ERROR_SECTIONS},
    {"!whea", DFR_T_ERROR_SECTIONS},
    {"!errpkt", DFR_T_ERROR_SECTIONS},
};

static uint32_t table_of(const struct dfr_reader *r)
{
    if (r->command == DFR_NO_WORD)
        return DFR_T_COUNT;
    for (size_t k = 0; k < sizeof fills / sizeof *fills; k++)
        if (dfr_str_eq(r->verb, dfr_str_from(fills[k].verb)))
            return fills[k].table;
    switch (r->out) {
    case DFR_OUT_STACK:
    case DFR_OUT_CALLS:
        return r->other_thread ? DFR_T_OTHER_STACKS : DFR_T_STACK;
    case DFR_OUT_REGS:
    case DFR_OUT_TRAP:
    case DFR_OUT_CONTEXT:
    case DFR_OUT_TSS:
        return r->other_thread ? DFR_T_COUNT : DFR_T_REGS;
    case DFR_OUT_CODE:
        return DFR_T_INSNS;
    case DFR_OUT_MODULES:
        return dfr_str_eq(r->verb, DFR_STR("lmu")) ? DFR_T_UNLOADED : DFR_T_MODULES;
    case DFR_OUT_BLACKBOX:
        return DFR_T_BLACKBOX;
    default:
        return DFR_T_COUNT;
    }
}

static uint32_t failed(struct dfr_reader *r, uint32_t table, uint32_t i, uint32_t end)
{
    struct dfr_str what = DFR_STR("a debugger extension");
    if (r->command != DFR_NO_WORD && (table != DFR_T_COUNT || r->out != DFR_OUT_NONE))
        what = r->verb;
    if (table != DFR_T_COUNT && !r->f->tables[table].n)
        dfr_tx_table_failed(r, table, DFR_REASON_COMMAND_FAILED, i, end - 1);
    if (r->out == DFR_OUT_MODULES)
        r->lm_whole = false;
    dfr_tx_skip_note(r, what, DFR_STR("the debugger's command failed"), i, end - 1);
    return end;
}

/* `Not enough space to read nt!_KPRCB-RequestMailbox`, `c0000005 Exception in kdexts.ipi debugger extension.`:
 * these say themselves that an extension failed, wherever they stand. */
uint32_t dfr_tx_failure(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Not enough space to read"), end;
    if (n) {
        end = i + n + 1;
    } else {
        n = dfr_tx_phrase(r, i, "Exception in");
        if (!n || !dfr_tx_phrase(r, i + n + 1, "debugger extension."))
            return i;
        end = i + n + 3;
    }
    if (end > r->words.n)
        end = r->words.n;
    uint32_t table = table_of(r);
    if (table == DFR_T_COUNT &&
        dfr_str_find(dfr_tx_text_range(r, i, end - 1), DFR_STR("kdexts.ipi")) != SIZE_MAX)
        table = DFR_T_CPUS;
    return failed(r, table, i, end);
}

/* Complaints that mean a failure only as the output of a command. `first`: only as its first words, since a
 * line further down speaks of one detail, or is a person's. */
static const struct {
    const char *words;
    bool first;
} complaints[] = {
    {"No export", true},
    {"Couldn't resolve error at", true},
    {"Couldn't resolve", true},
    {"Could not read", true},
    {"Could not get", true},
    {"Cannot read", true},
    {"Cannot find", true},
    {"Cannot get", true},
    {"Can't read", true},
    {"Unable to read", false},
    {"Unable to get", false},
    {"Unable to find", true},
    {"Unable to resolve", true},
    {"Unable to enumerate", true},
    {"Unable to load", true},
    {"Unable to open", true},
    {"unable to read", false},
    {"unable to get", false},
    {"Memory access error", true},
    {"Memory read error", true},
    {"ReadMemory error:", false},
    {"GetContextState failed,", false},
    {"Get context failed,", false},
    {"GetPointerFromAddress:", false},
    {"GetUlongFromAddress:", false},
    {"Invalid", true},
    {"Extra character error", true},
    {"Numeric expression missing", true},
    {"Symbol not found", true},
    {"TYPE mismatch", true},
    {"The call to LoadLibrary", true},
};

/* `^ Syntax error in '!irp xyz'` below the command. */
static uint32_t caret(const struct dfr_reader *r, uint32_t i)
{
    if (!dfr_tx_says(r, i, "^") || dfr_tx_bol(r, i + 1))
        return i;
    uint32_t end = dfr_tx_line_end(r, i, FAILURE_WORDS);
    for (uint32_t j = i + 1; j + 1 < end; j++)
        if (dfr_tx_says(r, j, "error") ||
            (dfr_tx_says(r, j, "Unable") && dfr_tx_says(r, j + 1, "to")) ||
            dfr_tx_says(r, j, "Couldn't"))
            return end;
    return i;
}

uint32_t dfr_tx_complaint(struct dfr_reader *r, uint32_t i)
{
    if (r->command == DFR_NO_WORD || !dfr_tx_bol(r, i))
        return i;
    bool first = i == r->command_end;
    uint32_t end = caret(r, i);
    for (size_t k = 0; k < sizeof complaints / sizeof *complaints && end == i; k++) {
        uint32_t n = first || !complaints[k].first ? dfr_tx_phrase(r, i, complaints[k].words) : 0;
        if (!n)
            continue;
        end = dfr_tx_line_end(r, i, FAILURE_WORDS);
        if (!dfr_tx_bol(r, end))
            end = i + n; /* the line's end is lost: the words themselves are enough */
    }
    uint32_t table = table_of(r);
    if (end == i || (table == DFR_T_COUNT && r->out != DFR_OUT_READ))
        return i;
    return failed(r, table, i, end);
}
