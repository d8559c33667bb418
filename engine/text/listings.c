/* Lists of threads and requests: !stacks, !mex.t, !poaction; captions of lists that say nothing. */
#include "text/sections.h"

#include <string.h>

static const char *const states[] = {"RUNNING", "RUNNABLE",   "READY",      "STANDBY",
                                     "Blocked", "BLOCKED",    "TERMINATED", "Waiting",
                                     "WAIT",    "TRANSITION", "INITIALIZED"};

static bool is_state(struct dfr_str s)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (dfr_str_eq(s, dfr_str_from(states[i])))
            return true;
    return false;
}

/* From here on the frames belong to this thread. */
static uint32_t enter_thread(struct dfr_reader *r, uint64_t thread, uint32_t word)
{
    dfr_tx_stack_close(r);
    uint32_t row = dfr_tx_new_row(r, DFR_T_THREADS, word, word);
    dfr_tx_put_cell(r, DFR_F_THREADS_ADDR, row, dfr_v_addr(thread), word, word);
    r->thread_row = row;
    r->thread = thread;
    r->has_thread = r->other_thread = true;
    r->sticky_thread = false;
    return row;
}

/* `Proc.Thread  .Thread  Ticks   ThreadState Blocker` above the threads of !stacks. */
uint32_t dfr_tx_stacks_heading(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Proc.Thread .Thread");
    if (!n)
        return i;
    n += dfr_tx_says(r, i + n, "Ticks");
    n += dfr_tx_phrase(r, i + n, "ThreadState Blocker");
    dfr_tx_stack_close(r);
    r->stacks_open = true;
    r->out = DFR_OUT_CALLS;
    r->c->evidence++;
    return i + n;
}

/* `4.000018  ffffbe0f1b4c7040 0000005 Blocked    nt!KiSwapContext+0x76`, symbols alone below it; and the
 * process above its threads, `[ffffbe0f1b4aa040 System]` or `[System]`. */
uint32_t dfr_tx_stacks_row(struct dfr_reader *r, uint32_t i)
{
    uint64_t thread;
    struct dfr_str s = dfr_tx_text(r, i);
    if (!r->stacks_open || !dfr_tx_bol(r, i))
        return i;
    if (s.p[0] == '[') {
        uint32_t end = dfr_tx_line_end(r, i, 8);
        if (!dfr_str_ends_ci(dfr_tx_text(r, end - 1), DFR_STR("]")))
            return i;
        dfr_tx_stack_close(r);
        return end;
    }
    const char *dot = memchr(s.p, '.', s.len);
    uint64_t id;
    if (!dot || !dfr_hex_value(dfr_str_slice(s, 0, (size_t)(dot - s.p)), &id) ||
        !dfr_hex_value(dfr_str_slice(s, (size_t)(dot - s.p) + 1, s.len), &id) ||
        !dfr_tx_address(r, i + 1, &thread))
        return i;
    uint32_t j = i + 2;
    if (!is_state(dfr_tx_text(r, j)))
        j++; /* ticks */
    if (!is_state(dfr_tx_text(r, j)))
        return i;
    uint32_t row = enter_thread(r, thread, i + 1);
    dfr_tx_put_cell(r, DFR_F_THREADS_STATE, row, dfr_v_str(dfr_tx_text(r, j)), j, j);
    j++;
    uint32_t lost = dfr_tx_phrase(r, j, "Stack paged out");
    if (lost)
        return j + lost;
    struct dfr_frame f = {.first = i, .index = -1, .symbol_first = j};
    uint32_t end = dfr_tx_bol(r, j) ? j : dfr_tx_symbol(r, j, &f.sym, &f.unloaded);
    if (end == j || !f.sym.module.len)
        return j;
    f.last = end - 1;
    dfr_tx_frame_add(r, &f, DFR_STACK_CALLS);
    return end;
}

/* `Process Thread CID UserTime ... State` of !mex.t and the thread on the line below it:
 * `System (ffff9a0c3be82040) ffff9a0c4bc5d080 4.1b4 ... Waiting`. */
uint32_t dfr_tx_mex_thread(struct dfr_reader *r, uint32_t i)
{
    if (!dfr_tx_phrase(r, i, "Process Thread CID"))
        return i;
    static const char *const columns[] = {
        "UserTime", "KernelTime", "ContextSwitches", "Wait", "Reason", "Time", "State"};
    uint32_t j = i + 3;
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
        j += dfr_tx_says(r, j, columns[k]);
    uint32_t name = j;
    uint64_t process, thread;
    while (j < name + 6 && j < r->words.n && dfr_tx_text(r, j).p[0] != '(')
        j++;
    if (j == name || !dfr_tx_number(r, j, &process) || !dfr_tx_address(r, j + 1, &thread))
        return i;
    uint32_t end = j + 2;
    while (end < r->words.n && end < j + 24 && !dfr_tx_bol(r, end) && !dfr_tx_says(r, end, "#") &&
           !dfr_tx_says(r, end, "Child-SP") && !dfr_tx_is(r, end, DFR_W_PROMPT))
        end++;
    struct dfr_value image = dfr_v_str(dfr_tx_text_range(r, name, j - 1));
    /* Without an address the command shows the current thread. */
    bool asked_none = r->command != DFR_NO_WORD && !r->other_thread;
    bool current = r->c->has_thread ? r->c->thread == thread : asked_none;
    if (current) {
        r->c->thread = thread;
        r->c->has_thread = true;
        dfr_tx_put(r, DFR_F_THREAD_ADDRESS, dfr_v_addr(thread), j + 1, j + 1);
    }
    uint32_t row = enter_thread(r, thread, j + 1);
    dfr_tx_put_cell(r, DFR_F_THREADS_PROCESS, row, image, name, j - 1);
    for (uint32_t k = j + 2; k < end; k++)
        if (is_state(dfr_tx_text(r, k)) || dfr_tx_says(r, k, "Running")) {
            dfr_tx_put_cell(r, DFR_F_THREADS_STATE, row, dfr_v_str(dfr_tx_text(r, k)), k, k);
            break;
        }
    r->other_thread = !current;
    r->thread_current = current;
    return end;
}

/* `IRP: ffffd08d`1 (set/D3,), PDO: ffffd08d`2, CURRENT: ffffd08d`3` of !poaction. */
uint32_t dfr_tx_power_irp(struct dfr_reader *r, uint32_t i)
{
    static const struct {
        const char *word;
        int minor;
    } kinds[] = {{"wait/wake", 0}, {"sequence", 1}, {"set/", 2}, {"query/", 3}};
    uint64_t irp, device;
    struct dfr_str kind = dfr_tx_strip(dfr_tx_text(r, i + 2), "(),");
    bool asked = r->command != DFR_NO_WORD && dfr_str_eq(r->verb, DFR_STR("!poaction"));
    bool told = kind.len && !dfr_tx_bol(r, i + 2) && dfr_tx_text(r, i + 2).p[0] == '(';
    if (!dfr_tx_address(r, i + 1, &irp) || (!asked && !told))
        return i;
    uint32_t j = told ? i + 3 : i + 2;
    uint32_t row = dfr_tx_new_row(r, DFR_T_IRPS, i, j - 1);
    dfr_tx_put_cell(r, DFR_F_IRPS_ADDR, row, dfr_v_addr(irp), i, i + 1);
    if (!told) {
        dfr_tx_put_cell(r, DFR_F_IRPS_MAJOR, row, dfr_v_int(0x16), i, i + 1);
        return j;
    }
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (dfr_str_starts(kind, dfr_str_from(kinds[k].word))) {
            dfr_tx_put_cell(r, DFR_F_IRPS_MAJOR, row, dfr_v_int(0x16), i, i + 2);
            dfr_tx_put_cell(r, DFR_F_IRPS_MINOR, row, dfr_v_int(kinds[k].minor), i + 2, i + 2);
        }
    if (dfr_tx_says(r, j, "PDO:") && dfr_tx_address(r, j + 1, &device))
        j += 2;
    if (dfr_tx_says(r, j, "CURRENT:") && dfr_tx_address(r, j + 1, &device)) {
        if (device)
            dfr_tx_put_cell(r, DFR_F_IRPS_DEVICE, row, dfr_v_addr(device), j, j + 1);
        j += 2;
    }
    if (dfr_tx_says(r, j, "NOTIFY:") && dfr_tx_address(r, j + 1, &device))
        j += 2;
    return j;
}

/* Captions and lines that no rule asks for, to the end of their line. */
uint32_t dfr_tx_caption(struct dfr_reader *r, uint32_t i)
{
    static const char *const captions[] = {
        "Pool Allocation Statistics: (",
        "Machine ID Information [From",
        "[CPU Information]",
        "PopAction:",
        "Allocated power irps (PopIrpList",
        "Irp worker threads (PopIrpThreadList",
        "SessionId:",
    };
    uint64_t addr;
    bool found = dfr_tx_says(r, i, "PROCESS") && dfr_tx_address(r, i + 1, &addr);
    for (size_t k = 0; k < sizeof captions / sizeof *captions && !found; k++)
        found = dfr_tx_phrase(r, i, captions[k]) != 0;
    uint32_t end = dfr_tx_line_end(r, i, 20);
    return found && dfr_tx_bol(r, i) && dfr_tx_bol(r, end) ? end : i;
}
