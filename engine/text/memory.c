/* Memory and locks: !pool, !pte, !locks. */
#include "text/sections.h"

#include <string.h>

/* `*ffff8001`1 size: 40 previous size: 0 (Allocated) *tvEm (Protected)`; stands at the address. */
uint32_t dfr_tx_pool_row(struct dfr_reader *r, uint32_t i)
{
    struct dfr_str s = dfr_tx_text(r, i);
    bool asked = s.len && s.p[0] == '*';
    uint64_t addr, size;
    if (asked)
        s = dfr_str_slice(s, 1, s.len);
    if (s.len < 8 || !dfr_tx_says(r, i + 1, "size:") || !dfr_hex_value(s, &addr) ||
        !dfr_tx_number(r, i + 2, &size))
        return i;
    uint32_t j = i + 3;
    if (dfr_tx_phrase(r, j, "previous size:"))
        j += 3;
    uint32_t row = dfr_tx_new_row(r, DFR_T_POOLS, i, j - 1);
    dfr_tx_put_cell(r, DFR_F_POOLS_ADDR, row, dfr_v_addr(addr), i, i);
    dfr_tx_put_cell(r, DFR_F_POOLS_SIZE, row, dfr_v_int((int64_t)(size & INT64_MAX)), i + 1, i + 2);
    dfr_tx_put_cell(r, DFR_F_POOLS_ASKED, row, dfr_v_bool(asked), i, i);
    struct dfr_str state = dfr_tx_strip(dfr_tx_text(r, j), "()");
    bool known = dfr_str_eq(state, DFR_STR("Allocated")) || dfr_str_eq(state, DFR_STR("Free")) ||
                 dfr_str_eq(state, DFR_STR("Lookaside")) || dfr_str_eq(state, DFR_STR("Free )"));
    if (!known)
        return j;
    dfr_tx_put_cell(r, DFR_F_POOLS_STATE, row, dfr_v_str(state), j, j);
    if (asked)
        dfr_tx_put(r, DFR_F_POOL_STATE, dfr_v_str(state), i, j);
    j++;
    if (dfr_tx_says(r, j, ")"))
        j++;
    struct dfr_str tag = dfr_tx_text(r, j);
    if (!dfr_tx_bol(r, j) && tag.len >= 1 && tag.len <= 5) {
        tag = dfr_tx_strip(tag, "*");
        dfr_tx_put_cell(r, DFR_F_POOLS_TAG, row, dfr_v_str(tag), j, j);
        if (asked)
            dfr_tx_put(r, DFR_F_POOL_TAG, dfr_v_str(tag), j, j);
        j++;
        for (int words = 0;
             words < 2 && (dfr_tx_says(r, j, "(Protected)") || dfr_tx_says(r, j, "Process:"));
             words++)
            j += dfr_tx_says(r, j, "Process:") ? 2 : 1;
    }
    return j;
}

/* `Owning component : Unknown (update pooltag.txt)`, `Pooltag MmSt : ..., Binary : nt!mm`. */
uint32_t dfr_tx_pool_owner(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Owning component :"), end;
    if (!n) {
        if (!dfr_tx_says(r, i, "Pooltag") || !dfr_tx_is(r, i + 2, DFR_W_COLON))
            return i;
        dfr_tx_line_rest(r, i + 3, &end);
        for (uint32_t j = i + 3; j + 2 < end; j++)
            if (dfr_tx_phrase(r, j, "Binary :"))
                dfr_tx_put(r, DFR_F_POOL_OWNER, dfr_v_str(dfr_tx_text(r, j + 2)), j, j + 2);
        return end;
    }
    dfr_tx_line_rest(r, i + n, &end);
    if (end == i + n || dfr_tx_says(r, i + n, "Unknown"))
        return end;
    dfr_tx_put(r, DFR_F_POOL_OWNER, dfr_v_str(dfr_tx_text_range(r, i + n, end - 1)), i, end - 1);
    return end;
}

/* `VA fffff880`1` begins the entries of !pte; wrapped or on one line. */
uint32_t dfr_tx_pte(struct dfr_reader *r, uint32_t i)
{
    uint64_t va;
    if (!dfr_tx_address(r, i + 1, &va))
        return i;
    r->pte_row = dfr_tx_new_row(r, DFR_T_PTES, i, i + 1);
    dfr_tx_put_cell(r, DFR_F_PTES_VA, r->pte_row, dfr_v_addr(va), i, i + 1);
    return i + 2;
}

/* `PTE at FFFFF6FC`1`, `contains 0000000003C008A3`, `not valid`, `pfn 3c00 -G-DA--KWEV`. */
uint32_t dfr_tx_pte_entry(struct dfr_reader *r, uint32_t i)
{
    uint64_t v;
    if (r->pte_row == UINT32_MAX)
        return i;
    if (dfr_tx_says(r, i, "contains")) {
        if (dfr_tx_says(r, i + 1, "unavailable"))
            return i + 2;
        if (!dfr_tx_number(r, i + 1, &v))
            return i;
        dfr_tx_put_cell(r, DFR_F_PTES_PTE, r->pte_row, dfr_v_addr(v), i, i + 1);
        return i + 2;
    }
    if (dfr_tx_phrase(r, i, "not valid")) {
        dfr_tx_put_cell(r, DFR_F_PTES_VALID, r->pte_row, dfr_v_bool(false), i, i + 1);
        return i + 2;
    }
    if (dfr_tx_says(r, i, "pfn")) {
        struct dfr_str flags = dfr_tx_text(r, i + 2);
        if (!dfr_tx_number(r, i + 1, &v) || flags.len < 6 || flags.p[0] != '-')
            return i;
        dfr_tx_put_cell(r, DFR_F_PTES_VALID, r->pte_row, dfr_v_bool(flags.p[flags.len - 1] == 'V'),
                        i, i + 2);
        return i + 3;
    }
    if (dfr_tx_says(r, i + 1, "at") && dfr_tx_address(r, i + 2, &v))
        return i + 3;
    return i;
}

/* `Resource @ 0x80e97620    Shared 4 owning threads`, `Resource @ nt!Lock (0xfffff801`1)    Exclusively owned`. */
uint32_t dfr_tx_lock(struct dfr_reader *r, uint32_t i)
{
    uint64_t addr;
    struct dfr_sym sym;
    bool unloaded;
    if (!dfr_tx_says(r, i + 1, "@"))
        return i;
    uint32_t j = i + 2,
             name_end = dfr_tx_address(r, j, &addr) ? j : dfr_tx_symbol(r, j, &sym, &unloaded);
    uint32_t name = j;
    if (name_end > j && sym.module.len)
        j = name_end;
    if (!dfr_tx_number(r, j, &addr))
        return i;
    uint32_t row = dfr_tx_new_row(r, DFR_T_LOCKS, i, j);
    dfr_tx_put_cell(r, DFR_F_LOCKS_ADDR, row, dfr_v_addr(addr), j, j);
    if (name_end > name)
        dfr_tx_put_cell(r, DFR_F_LOCKS_NAME, row,
                        dfr_v_str(dfr_tx_text_range(r, name, name_end - 1)), name, name_end - 1);
    r->lock_row = row;
    j++;
    uint32_t n = dfr_tx_phrase(r, j, "Exclusively owned");
    if (n) {
        dfr_tx_put_cell(r, DFR_F_LOCKS_EXCLUSIVE, row, dfr_v_bool(true), j, j + 1);
        return j + n;
    }
    if (dfr_tx_says(r, j, "Shared")) {
        dfr_tx_put_cell(r, DFR_F_LOCKS_EXCLUSIVE, row, dfr_v_bool(false), j, j);
        j++;
        if (dfr_tx_phrase(r, j + 1, "owning threads"))
            j += 3;
    }
    return j;
}

/* `Contention Count = 5`, `NumberOfExclusiveWaiters = 2`, `Threads: ff688da0-01<*> ...`. */
uint32_t dfr_tx_lock_line(struct dfr_reader *r, uint32_t i)
{
    int64_t n;
    if (r->lock_row == UINT32_MAX)
        return i;
    if (dfr_tx_phrase(r, i, "Contention Count =") && dfr_tx_decimal(dfr_tx_text(r, i + 3), &n)) {
        dfr_tx_put_cell(r, DFR_F_LOCKS_CONTENTION, r->lock_row, dfr_v_int(n), i, i + 3);
        return i + 4;
    }
    if ((dfr_tx_says(r, i, "NumberOfExclusiveWaiters") ||
         dfr_tx_says(r, i, "NumberOfSharedWaiters")) &&
        dfr_tx_says(r, i + 1, "=") && dfr_tx_decimal(dfr_tx_text(r, i + 2), &n)) {
        const struct dfr_value *old = dfr_facts_at(r->f, DFR_F_LOCKS_WAITERS, r->lock_row);
        if (old->state == DFR_KNOWN)
            n += old->as.n.lo;
        dfr_tx_put_cell(r, DFR_F_LOCKS_WAITERS, r->lock_row, dfr_v_int(n), i, i + 2);
        return i + 3;
    }
    if (!dfr_tx_says(r, i, "Threads:"))
        return i;
    uint32_t j = i + 1;
    bool owner = false;
    while (j < r->words.n && j < i + 200) {
        struct dfr_str s = dfr_tx_text(r, j);
        const char *dash = memchr(s.p, '-', s.len);
        uint64_t thread;
        if (!dash || !dfr_hex_value(dfr_str_slice(s, 0, (size_t)(dash - s.p)), &thread))
            break;
        if (!owner && dfr_str_ends_ci(s, DFR_STR("<*>"))) {
            dfr_tx_put_cell(r, DFR_F_LOCKS_OWNER, r->lock_row, dfr_v_addr(thread), j, j);
            owner = true;
        }
        j++;
        if (dfr_tx_phrase(r, j, "*** Actual Thread"))
            j += 4;
    }
    return j;
}
