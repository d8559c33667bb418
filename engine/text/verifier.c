/* Driver Verifier: !verifier of all ages, and what the verifier program itself prints. */
#include "text/sections.h"

#include <string.h>

/* Options as the older !verifier names them below its level, one a line. */
static const char *const options[] = {
    "Special pool",
    "Special Pool",
    "Special irql",
    "Force IRQL Checking",
    "Inject random low-resource API failures",
    "Low Resources Simulation",
    "All pool allocations checked on unload",
    "Pool Tracking",
    "Io subsystem checking enabled",
    "I/O Verification",
    "IRP Logging",
    "Deadlock detection enabled",
    "Deadlock Detection",
    "Enhanced Io checking enabled",
    "Enhanced I/O Verification",
    "DMA checking enabled",
    "DMA Checking",
    "Security checks enabled",
    "Security Checks",
    "Force pending I/O requests",
    "Miscellaneous checks enabled",
    "Miscellaneous Checks",
};

static uint32_t option_lines(const struct dfr_reader *r, uint32_t i)
{
    for (;;) {
        size_t k = 0;
        uint32_t n = 0;
        while (k < sizeof options / sizeof *options && !n)
            n = dfr_tx_phrase(r, i, options[k++]);
        if (!n || !dfr_tx_bol(r, i) || !dfr_tx_bol(r, i + n))
            return i;
        i += n;
    }
}

/* `Verify Flags Level 0x0002892b`, `Verify Level 9 ... enabled options are:`, `Verifier Flags: 0x000209bb`. */
uint32_t dfr_tx_verifier(struct dfr_reader *r, uint32_t i)
{
    static const char *const starts[] = {"Verify Flags Level", "Verify Level", "Verifier Flags:"};
    uint32_t n = 0;
    uint64_t flags;
    for (size_t k = 0; k < sizeof starts / sizeof *starts && !n; k++)
        n = dfr_tx_phrase(r, i, starts[k]);
    if (!n || !dfr_tx_number(r, i + n, &flags))
        return i;
    dfr_tx_put(r, DFR_F_VERIFIER_FLAGS, dfr_v_addr(flags), i, i + n);
    dfr_tx_put(r, DFR_F_VERIFIER_ENABLED, dfr_v_bool(flags != 0), i, i + n);
    uint32_t end = i + n + 1;
    uint32_t more = dfr_tx_phrase(r, end, "... enabled options are:");
    return more ? option_lines(r, end + more) : end;
}

/* `[X] (0x00000008) Pool tracking`: what the flags mean; one that is set says that the verifier is on. */
uint32_t dfr_tx_verifier_option(struct dfr_reader *r, uint32_t i)
{
    uint64_t flag;
    uint32_t j = i + 1;
    bool on = dfr_tx_says(r, i, "[X]");
    if (!on && dfr_tx_says(r, i, "[") && dfr_tx_says(r, j, "]"))
        j++;
    else if (!on)
        return i;
    if (dfr_tx_text(r, j).len < 8 || dfr_tx_text(r, j).p[0] != '(' || !dfr_tx_number(r, j, &flag))
        return i;
    if (on)
        dfr_tx_put(r, DFR_F_VERIFIER_ENABLED, dfr_v_bool(true), i, j);
    uint32_t end = dfr_tx_line_end(r, j, 12);
    return end - j < 12 ? end : j + 1;
}

/* `Summary of All Verifier Statistics` and its counters, `RaiseIrqls   0x2c671f`. */
uint32_t dfr_tx_verifier_summary(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Summary of All Verifier Statistics");
    if (!n)
        return i;
    uint32_t j = i + n;
    while (j < r->words.n && dfr_tx_bol(r, j)) {
        uint32_t end = dfr_tx_line_end(r, j, 12), v = end - 1;
        if (dfr_tx_says(r, v, "bytes"))
            v--;
        if (v <= j || !dfr_str_starts(dfr_tx_text(r, v), DFR_STR("0x")) || !dfr_tx_bol(r, end))
            break;
        j = end;
    }
    return j;
}

static bool is_image(struct dfr_str s)
{
    static const char *const ends[] = {".sys", ".exe", ".dll"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (s.len > 4 && dfr_str_ends_ci(s, dfr_str_from(ends[i])))
            return true;
    return false;
}

static void add_driver(struct dfr_reader *r, uint32_t word, uint32_t first, uint32_t last)
{
    struct dfr_str name = dfr_tx_strip(dfr_tx_text(r, word), ",");
    uint32_t row = dfr_tx_new_row(r, DFR_T_VERIFIER_DRIVERS, first, last);
    dfr_tx_put_cell(r, DFR_F_VERIFIER_DRIVERS_NAME, row, dfr_facts_module(r->f, name), word, word);
}

/* `MODULE: 0x8459ca50 afd.sys (Loaded)` and `MODULE: 0xffffe001`1 afd.sys (Loaded and Unloaded)`. */
uint32_t dfr_tx_verifier_module(struct dfr_reader *r, uint32_t i)
{
    uint64_t addr;
    if (!dfr_tx_address(r, i + 1, &addr) || !is_image(dfr_tx_text(r, i + 2)))
        return i;
    uint32_t end = dfr_tx_line_end(r, i + 2, 6), last = i + 2;
    if (dfr_tx_text(r, i + 3).len && dfr_tx_text(r, i + 3).p[0] == '(' && end < i + 8)
        last = end - 1;
    add_driver(r, i + 2, i, last);
    return last + 1;
}

/* `Driver Verification List`, `Entry State NonPagedPool PagedPool Module`, and a row for each driver:
 * `8459ca50 Loaded  000000a0  00000854  afd.sys`. */
uint32_t dfr_tx_verifier_list(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Driver Verification List");
    if (!n)
        return i;
    uint32_t j = i + n;
    j += dfr_tx_phrase(r, j, "Entry State NonPagedPool PagedPool Module");
    while (j < r->words.n) {
        uint64_t addr;
        if (dfr_tx_says(r, j, "MODULE:")) {
            uint32_t next = dfr_tx_verifier_module(r, j);
            if (next == j)
                break;
            j = next;
            continue;
        }
        if (!dfr_tx_address(r, j, &addr) || dfr_tx_bol(r, j + 1))
            break;
        uint32_t k = j + 1;
        while (k < j + 7 && k < r->words.n && !is_image(dfr_tx_text(r, k)))
            k++;
        if (k == j + 7 || k >= r->words.n)
            break;
        add_driver(r, k, j, k);
        j = k + 1;
    }
    return j;
}

/* `Name: afd.sys, loads: 1, unloads: 0` of the verifier program and of newer !verifier. */
uint32_t dfr_tx_verifier_name(struct dfr_reader *r, uint32_t i)
{
    struct dfr_str name = dfr_tx_strip(dfr_tx_text(r, i + 1), ",");
    if (!is_image(name) || !dfr_tx_says_ci(r, i + 2, "loads:"))
        return i;
    uint32_t end = i + 4;
    if (dfr_tx_says_ci(r, end, "unloads:"))
        end += 2;
    add_driver(r, i + 1, i, end - 1);
    return end < r->words.n ? end : r->words.n;
}

/* `Verified drivers:` and a name on each line below, or behind it; `All` and `None` are no names. */
uint32_t dfr_tx_verified_drivers(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Verified drivers:");
    if (!n)
        n = dfr_tx_phrase(r, i, "Verified Drivers:");
    if (!n)
        return i;
    uint32_t j = i + n;
    if (dfr_tx_says_ci(r, j, "all") || dfr_tx_says_ci(r, j, "none"))
        j++;
    for (; j < r->words.n; j++) {
        struct dfr_str name = dfr_tx_strip(dfr_tx_text(r, j), ",");
        if (!is_image(name))
            break;
        add_driver(r, j, j, j);
    }
    r->c->evidence++;
    return j;
}
