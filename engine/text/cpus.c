/* Processors: !ipi in its three shapes. */
#include "text/sections.h"

#include <string.h>

/* Freeze states by number, newest kernels; the 32-bit form of old kernels keeps flags above the state. */
static const unsigned state_of_number[] = {
    [0] = DFR_CPU_STATE_RUNNING + 1,       [2] = DFR_CPU_STATE_FROZEN + 1,
    [3] = DFR_CPU_STATE_THAW + 1,          [4] = DFR_CPU_STATE_FREEZE_ACTIVE + 1,
    [5] = DFR_CPU_STATE_TARGET_FREEZE + 1,
};

/* Words `[Frozen]`, `[FreezeActive]`, `[Owner]`: the state that one names + 1, 0: none. */
static unsigned state_word(struct dfr_str s)
{
    s = dfr_tx_strip(s, "[](),");
    if (dfr_str_eq_ci(s, DFR_STR("FreezeActive")) || dfr_str_eq_ci(s, DFR_STR("Owner")) ||
        dfr_str_eq_ci(s, DFR_STR("FreezeOwner")))
        return DFR_CPU_STATE_FREEZE_ACTIVE + 1;
    for (unsigned i = 0; i < DFR_CPU_STATE_COUNT; i++)
        if (dfr_str_eq_ci(s, dfr_str_from(dfr_enum_word(DFR_E_CPU_STATE, i))))
            return i + 1;
    if (dfr_str_eq_ci(s, DFR_STR("Active")))
        return DFR_CPU_STATE_RUNNING + 1;
    return 0;
}

static uint32_t cpu_row(struct dfr_reader *r, int64_t id, uint32_t first, uint32_t last)
{
    const struct dfr_rows *t = &r->f->tables[DFR_T_CPUS];
    for (uint32_t i = 0; i < t->n && i < 4096; i++) {
        const struct dfr_value *v = dfr_facts_at(r->f, DFR_F_CPUS_ID, i);
        if (v->state == DFR_KNOWN && v->as.n.lo == id)
            return i;
    }
    uint32_t row = dfr_tx_new_row(r, DFR_T_CPUS, first, last);
    dfr_tx_put_cell(r, DFR_F_CPUS_ID, row, dfr_v_int(id), first, last);
    return row;
}

uint32_t dfr_tx_cpu_row(struct dfr_reader *r, int64_t id, uint32_t first, uint32_t last)
{
    return cpu_row(r, id, first, last);
}

/* A field's number: `IpiFrozen 2`, `IPI Frozen: 24`, `TargetCount: 0`; 0 words when it is not that field. */
static uint32_t ipi_field(const struct dfr_reader *r, uint32_t i, const char *joined,
                          const char *apart, uint64_t *ret)
{
    uint32_t n = 0;
    struct dfr_str s = dfr_tx_strip(dfr_tx_text(r, i), ":");
    if (dfr_str_eq_ci(s, dfr_str_from(joined))) {
        n = 1;
    } else {
        size_t blank = strcspn(apart, " ");
        struct dfr_str t = dfr_tx_strip(dfr_tx_text(r, i + 1), ":");
        if (dfr_str_eq_ci(s, (struct dfr_str){apart, blank}) &&
            dfr_str_eq_ci(t, dfr_str_from(apart + blank + 1)))
            n = 2;
    }
    if (!n)
        return 0;
    n += dfr_tx_is(r, i + n, DFR_W_COLON);
    return dfr_tx_number(r, i + n, ret) ? n + 1 : 0;
}

/* `IPI State for Processor 4 TargetCount 0 PacketBarrier 0 IpiFrozen 0 [Running]`, and with colons, blanks and
 * line ends anywhere between. */
uint32_t dfr_tx_ipi(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "IPI State for Processor");
    int64_t id;
    if (!n || !dfr_tx_decimal(dfr_tx_strip(dfr_tx_text(r, i + n), ":"), &id) || id > 4096)
        return i;
    uint32_t row = cpu_row(r, id, i, i + n), j = i + n + 1;
    j += dfr_tx_is(r, j, DFR_W_COLON);
    bool number_known = false;
    uint64_t number = 0, v;
    unsigned state = 0;
    uint32_t number_word = 0, state_at = 0;
    for (uint32_t steps = 0; steps < 24 && j < r->words.n; steps++) {
        uint32_t k;
        if ((k = ipi_field(r, j, "TargetCount", "Target Count", &v))) {
            dfr_tx_put_cell(r, DFR_F_CPUS_TARGET_COUNT, row, dfr_v_int((int64_t)(v & INT64_MAX)), j,
                            j + k - 1);
            j += k;
        } else if ((k = ipi_field(r, j, "PacketBarrier", "Packet Barrier", &v))) {
            dfr_tx_put_cell(r, DFR_F_CPUS_PACKET_BARRIER, row, dfr_v_int((int64_t)(v & INT64_MAX)),
                            j, j + k - 1);
            j += k;
        } else if ((k = ipi_field(r, j, "IpiFrozen", "IPI Frozen", &number))) {
            number_known = true;
            number_word = j + k - 1;
            j += k;
        } else if (dfr_tx_text(r, j).p[0] == '[' && number_known) {
            unsigned s = state_word(dfr_tx_text(r, j));
            if (s && (!state || s == DFR_CPU_STATE_FREEZE_ACTIVE + 1)) {
                state = s;
                state_at = j;
            }
            j++;
        } else if (!number_known && !dfr_tx_is(r, j, DFR_W_PROMPT) && !dfr_tx_says(r, j, "IPI") &&
                   (dfr_tx_text(r, j).p[dfr_tx_text(r, j).len - 1] == ':' ||
                    dfr_tx_is(r, j, DFR_W_HEX) || dfr_tx_is(r, j, DFR_W_ADDR32) ||
                    dfr_tx_is(r, j, DFR_W_ADDR64))) {
            j++; /* a field that says nothing about freezing */
        } else {
            break;
        }
    }
    if (number_known) {
        dfr_tx_put_cell(r, DFR_F_CPUS_IPI_FROZEN, row, dfr_v_int((int64_t)(number & INT64_MAX)),
                        number_word, number_word);
        if (!state) {
            uint64_t low = number < 16 ? number : number & 0xF;
            state =
                low < sizeof state_of_number / sizeof *state_of_number ? state_of_number[low] : 0;
            state_at = number_word;
        }
    }
    if (state)
        dfr_tx_put_cell(r, DFR_F_CPUS_STATE, row, dfr_v_enum(DFR_E_CPU_STATE, state - 1), state_at,
                        state_at);
    return j;
}
