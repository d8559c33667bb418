/* Threads and processors as extensions show them: !thread, !process, !pcr, !prcb, !running, !irql. */
#include "text/sections.h"

#include <string.h>

enum { THREAD_WORDS = 24 };

static const char *const states[] = {"RUNNING",  "WAIT",         "WAIT:",      "READY",
                                     "STANDBY",  "TERMINATED",   "TRANSITION", "INITIALIZED",
                                     "GATEWAIT", "DEFERREDREADY"};

/* `THREAD 853e7a60  Cid 904.96c  Teb: 7ffdc000  Win32Thread: a21a5c48 RUNNING on processor 2`. */
uint32_t dfr_tx_thread(struct dfr_reader *r, uint32_t i)
{
    uint64_t addr;
    if (!dfr_tx_address(r, i + 1, &addr) ||
        (!dfr_tx_says(r, i + 2, "Cid") && !dfr_tx_bol(r, i + 2)))
        return i;
    dfr_tx_stack_close(r);
    uint32_t row = dfr_tx_new_row(r, DFR_T_THREADS, i, i + 1), j = i + 2;
    dfr_tx_put_cell(r, DFR_F_THREADS_ADDR, row, dfr_v_addr(addr), i + 1, i + 1);
    r->thread_row = row;
    int64_t cpu = -1;
    bool running = false;
    for (; j < i + THREAD_WORDS && j < r->words.n && (!dfr_tx_bol(r, j) || j < i + 8); j++) {
        size_t k = 0;
        while (k < sizeof states / sizeof *states && !dfr_tx_says(r, j, states[k]))
            k++;
        if (k == sizeof states / sizeof *states)
            continue;
        dfr_tx_put_cell(r, DFR_F_THREADS_STATE, row,
                        dfr_v_str(dfr_tx_strip(dfr_tx_text(r, j), ":")), j, j);
        running = k == 0;
        j++;
        if (dfr_tx_phrase(r, j, "on processor") && dfr_tx_decimal(dfr_tx_text(r, j + 2), &cpu)) {
            if (running) /* a ready thread only waits for that processor */
                dfr_tx_put_cell(r, DFR_F_THREADS_CPU, row, dfr_v_int(cpu), j, j + 2);
            j += 3;
        }
        break;
    }
    /* !thread without an address shows the current thread; so does the one that runs on the crashing processor. */
    bool asked_none =
        dfr_str_eq(r->verb, DFR_STR("!thread")) && r->command != DFR_NO_WORD && !r->other_thread;
    bool current = (r->c->has_thread && addr == r->c->thread) ||
                   (!r->c->has_thread && running && (asked_none || (cpu >= 0 && cpu == r->c->cpu)));
    if (current) {
        r->c->thread = addr;
        r->c->has_thread = true;
        dfr_tx_put(r, DFR_F_THREAD_ADDRESS, dfr_v_addr(addr), i, i + 1);
    }
    r->thread_current = current;
    r->other_thread = !current;
    r->has_thread = true;
    r->thread = addr;
    return j < r->words.n && j < i + THREAD_WORDS ? j : i + 2;
}

/* `Base f5d2a000 Limit f5d27000` of the thread above, wherever its line was broken. */
uint32_t dfr_tx_stack_limits(struct dfr_reader *r, uint32_t i)
{
    uint64_t base, limit;
    if (!dfr_tx_address(r, i + 1, &base) || !dfr_tx_says(r, i + 2, "Limit") ||
        !dfr_tx_address(r, i + 3, &limit))
        return i;
    r->c->evidence++;
    if (r->thread_row != UINT32_MAX) {
        dfr_tx_put_cell(r, DFR_F_THREADS_STACK_BASE, r->thread_row, dfr_v_addr(base), i, i + 1);
        dfr_tx_put_cell(r, DFR_F_THREADS_STACK_LIMIT, r->thread_row, dfr_v_addr(limit), i + 2,
                        i + 3);
    }
    if (r->thread_row == UINT32_MAX ? !r->other_thread : r->thread_current) {
        dfr_tx_put(r, DFR_F_THREAD_STACK_BASE, dfr_v_addr(base), i, i + 1);
        dfr_tx_put(r, DFR_F_THREAD_STACK_LIMIT, dfr_v_addr(limit), i + 2, i + 3);
    }
    return i + 4;
}

/* `Owning Process ffffe001`1 Image: System`. */
uint32_t dfr_tx_owning_process(struct dfr_reader *r, uint32_t i)
{
    uint64_t addr;
    if (!dfr_tx_says(r, i + 1, "Process") || !dfr_tx_address(r, i + 2, &addr))
        return i;
    if (!dfr_tx_says(r, i + 3, "Image:") || dfr_tx_bol(r, i + 4))
        return i + 3;
    struct dfr_value v = dfr_v_str(dfr_tx_text(r, i + 4));
    if (r->thread_row != UINT32_MAX)
        dfr_tx_put_cell(r, DFR_F_THREADS_PROCESS, r->thread_row, v, i + 3, i + 4);
    if (r->thread_current)
        dfr_tx_put(r, DFR_F_THREAD_PROCESS, v, i + 3, i + 4);
    return i + 5;
}

/* Lines of !thread that hold addresses but say nothing that rules ask for. */
uint32_t dfr_tx_thread_line(struct dfr_reader *r, uint32_t i)
{
    static const char *const lines[] = {"Start Address",    "Win32 Start",       "Stack Init",
                                        "Attached Process", "Not impersonating", "Context Switch",
                                        "Wait Start"};
    uint64_t addr;
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        uint32_t n = dfr_tx_phrase(r, i, lines[k]);
        if (!n)
            continue;
        if (k == 2) {
            if (!dfr_tx_address(r, i + 2, &addr))
                return i;
            return dfr_tx_says(r, i + 3, "Current") && dfr_tx_address(r, i + 4, &addr) ? i + 5
                                                                                       : i + 3;
        }
        uint32_t end = dfr_tx_line_end(r, i, 14);
        return end - i < 14 ? end : i + n;
    }
    return i;
}

static uint32_t row_of_cpu(struct dfr_reader *r, int64_t id, uint32_t i, uint32_t last)
{
    r->cpu_row = dfr_tx_cpu_row(r, id, i, last);
    r->cpu_id = id;
    return r->cpu_row;
}

/* `PCR Processor 0 @ffdff000`, `KPCR for Processor 2 at fffff880`1:`, `PRCB for Processor 6 at ffff8000`1:`. */
uint32_t dfr_tx_pcr(struct dfr_reader *r, uint32_t i)
{
    int64_t id;
    uint64_t addr;
    uint32_t n = dfr_tx_phrase(r, i, "PCR Processor");
    if (n && dfr_tx_decimal(dfr_tx_text(r, i + n), &id)) {
        row_of_cpu(r, id, i, i + n);
        return dfr_str_starts(dfr_tx_text(r, i + n + 1), DFR_STR("@")) ? i + n + 2 : i + n + 1;
    }
    bool prcb = dfr_tx_says(r, i, "PRCB");
    if (!dfr_tx_phrase(r, i + 1, "for Processor") || !dfr_tx_decimal(dfr_tx_text(r, i + 3), &id) ||
        !dfr_tx_says(r, i + 4, "at") || !dfr_tx_address(r, i + 5, &addr))
        return i;
    uint32_t row = row_of_cpu(r, id, i, i + 3);
    if (prcb)
        dfr_tx_put_cell(r, DFR_F_CPUS_PRCB, row, dfr_v_addr(addr), i, i + 5);
    return i + 6;
}

static void idle_if(struct dfr_reader *r, uint64_t current, uint64_t idle, uint32_t i,
                    uint32_t last)
{
    dfr_tx_put_cell(r, DFR_F_CPUS_IDLE, r->cpu_row, dfr_v_bool(current == idle), i, last);
}

/* Fields of !pcr below its heading: `Prcb: x`, `Irql: x`, `CurrentThread: x` ... */
uint32_t dfr_tx_pcr_field(struct dfr_reader *r, uint32_t i)
{
    static const struct {
        const char *label;
        uint32_t column;
    } fields[] = {{"Prcb:", DFR_F_CPUS_PRCB},
                  {"CurrentThread:", DFR_F_CPUS_THREAD},
                  {"NextThread:", DFR_F_CPUS_NEXT_THREAD},
                  {"IdleThread:", DFR_F_COUNT},
                  {"Irql:", DFR_F_CPUS_IRQL}};
    uint64_t v;
    if (r->cpu_row == UINT32_MAX || !dfr_tx_number(r, i + 1, &v))
        return i;
    for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
        if (!dfr_tx_says(r, i, fields[k].label))
            continue;
        if (fields[k].column == DFR_F_COUNT) {
            const struct dfr_value *t = dfr_facts_at(r->f, DFR_F_CPUS_THREAD, r->cpu_row);
            if (t->state == DFR_KNOWN)
                idle_if(r, t->as.u, v, i, i + 1);
        } else if (fields[k].column == DFR_F_CPUS_IRQL) {
            if (v < 32)
                dfr_tx_put_cell(r, DFR_F_CPUS_IRQL, r->cpu_row, dfr_v_int((int64_t)v), i, i + 1);
        } else {
            dfr_tx_put_cell(r, fields[k].column, r->cpu_row, dfr_v_addr(v), i, i + 1);
        }
        return i + 2;
    }
    return i;
}

/* `Current IRQL -- 13` and `Threads--  Current x Next y Idle z` of !prcb. */
uint32_t dfr_tx_prcb_line(struct dfr_reader *r, uint32_t i)
{
    int64_t irql;
    uint64_t a, b, c;
    if (r->cpu_row == UINT32_MAX)
        return i;
    if (dfr_tx_phrase(r, i, "Current IRQL --") && dfr_tx_decimal(dfr_tx_text(r, i + 3), &irql) &&
        irql < 32) {
        /* Nothing says whether 13 is hexadecimal. On 64-bit systems only one of the readings is a level. */
        if (irql < 10 || (r->c->wide && irql < 16))
            dfr_tx_put_cell(r, DFR_F_CPUS_IRQL, r->cpu_row, dfr_v_int(irql), i, i + 3);
        return i + 4;
    }
    if (dfr_tx_phrase(r, i, "Threads-- Current") && dfr_tx_address(r, i + 2, &a) &&
        dfr_tx_says(r, i + 3, "Next") && dfr_tx_address(r, i + 4, &b) &&
        dfr_tx_says(r, i + 5, "Idle") && dfr_tx_address(r, i + 6, &c)) {
        dfr_tx_put_cell(r, DFR_F_CPUS_THREAD, r->cpu_row, dfr_v_addr(a), i, i + 2);
        dfr_tx_put_cell(r, DFR_F_CPUS_NEXT_THREAD, r->cpu_row, dfr_v_addr(b), i + 3, i + 4);
        idle_if(r, a, c, i, i + 6);
        return i + 7;
    }
    return i;
}

/* `Debugger saved IRQL for processor 0x2 -- 13`. */
uint32_t dfr_tx_irql(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Debugger saved IRQL for processor");
    uint64_t id;
    int64_t irql;
    if (!n || !dfr_tx_number(r, i + n, &id) || id > 4096 || !dfr_tx_says(r, i + n + 1, "--") ||
        !dfr_tx_decimal(dfr_tx_text(r, i + n + 2), &irql) || irql > 31)
        return i;
    uint32_t row = row_of_cpu(r, (int64_t)id, i, i + n), last = i + n + 2;
    dfr_tx_put_cell(r, DFR_F_CPUS_IRQL, row, dfr_v_int(irql), last, last);
    if (r->c->cpu == (int64_t)id)
        dfr_tx_put(r, DFR_F_CPU_CURRENT_IRQL, dfr_v_int(irql), i, last);
    return last + 1;
}

static bool is_queue_marks(struct dfr_str s)
{
    if (s.len != 16)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] != '.' && s.p[i] != 'O' && s.p[i] != 'W')
            return false;
    return true;
}

/* A row of !running: `0  ffdff120  805495a0  ................`, newer ones with priorities and the idle thread.
 * Stacks below it belong to that processor. */
uint32_t dfr_tx_running_row(struct dfr_reader *r, uint32_t i)
{
    uint64_t id, a[4];
    unsigned n = 0;
    bool here = dfr_tx_bol(r, i) || dfr_str_eq(r->verb, DFR_STR("!running")); /* in flat text */
    if (!here || !dfr_hex_value(dfr_tx_text(r, i), &id) || id > 0x400)
        return i;
    uint32_t j = i + 1;
    for (; j < i + 14 && j < r->words.n; j++) {
        struct dfr_str s = dfr_tx_text(r, j);
        if (is_queue_marks(s))
            break;
        if (n < 4 && dfr_tx_address(r, j, &a[n]))
            n++;
        else if (s.p[0] != '(' && !dfr_str_ends_ci(s, DFR_STR(")")))
            return i;
    }
    if (n < 2 || j == i + 14 || j >= r->words.n)
        return i;
    int64_t number;
    if (!dfr_tx_decimal(dfr_tx_text(r, i), &number))
        number = (int64_t)id;
    dfr_tx_stack_close(r);
    uint32_t row = row_of_cpu(r, number, i, i);
    dfr_tx_put_cell(r, DFR_F_CPUS_PRCB, row, dfr_v_addr(a[0]), i + 1, i + 1);
    dfr_tx_put_cell(r, DFR_F_CPUS_THREAD, row, dfr_v_addr(a[1]), i, j);
    bool has_idle = r->running_idle && n >= 3;
    if (has_idle)
        idle_if(r, a[1], a[n - 1], i, j);
    if (n == 4 || (n == 3 && !has_idle))
        dfr_tx_put_cell(r, DFR_F_CPUS_NEXT_THREAD, row, dfr_v_addr(a[2]), i, j);
    r->prompt_cpu = number;
    r->other_thread = true;
    return j + 1;
}

/* Headings of !running: `Prcb Current Next`, `Prcbs Current (pri) Next (pri) Idle`. */
uint32_t dfr_tx_running_heading(struct dfr_reader *r, uint32_t i)
{
    uint32_t j = i + 1;
    if (!dfr_tx_says(r, j, "Current"))
        return i;
    r->running_idle = false;
    while (j < i + 8 && j < r->words.n && !dfr_tx_bol(r, j) && !dfr_tx_is(r, j, DFR_W_HEX)) {
        r->running_idle |= dfr_tx_says(r, j, "Idle");
        j++;
    }
    return j;
}
