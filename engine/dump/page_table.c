/* A fault inside the page tables: the kernel walked the entry of another address, and that one is what
 * somebody handed it. The tables stand at an address that differs at every boot; the debugger data
 * block tells it. Documented in the SDK; the arithmetic is the processor's, with four levels. */
#include "dump/reader.h"

enum encoding { NONE, BITS, DRIVER, FAULT, ZERO_ONE, EXCEPTION, READ, WRITE, EXECUTE, DOUBLE };

/* The address that faulted: what the exception record says, else the parameter that is it. */
static uint64_t fault_address(const struct dfr_dump *d)
{
    static const struct {
        uint32_t code;
        uint8_t address;
    } args[] = {
#define TRAP_ARG(code, ip, address, access, encoding, irql, exception, frame, context)             \
    {code, address},
#include "facts/trap_arg.def"
#undef TRAP_ARG
    };
    const struct dfr_value *v = dfr_facts_scalar(d->facts, DFR_F_TRAP_ADDRESS);
    if (v->state == DFR_KNOWN)
        return v->as.u;
    for (size_t i = 0; i < sizeof args / sizeof *args; i++)
        if (args[i].code == dfr_dump_code(d) && args[i].address)
            return dfr_dump_arg(d, args[i].address);
    return 0;
}

/* With five levels, the tables are larger; Cr4 tells, also where no page table is at hand. */
static bool five_levels(const struct dfr_dump *d)
{
    enum { CR4 = 0x18, LA57 = 12, LEVELS = 5 };
    uint32_t special;
    uint64_t cr4;
    return d->memory.paging.levels == LEVELS ||
           (dfr_dump_offset(d, DFR_LAYOUT_PRCB_SPECIAL, &special) &&
            dfr_where_word(d, &d->prcb, (uint64_t)special + CR4, 8, &cr4) && cr4 >> LA57 & 1);
}

void dfr_dump_page_table_fault(struct dfr_dump *d)
{
    enum { KDBG_PTE_BASE = 0x360, LEVELS = 4 };
    const uint64_t bytes = UINT64_C(1) << 39; /* of all entries of the lowest level */
    uint64_t base, va = fault_address(d);
    if (d->file.machine != DFR_MACHINE_X64 || !va || five_levels(d) ||
        !dfr_kdbg_u64(d, KDBG_PTE_BASE, &base) || !(base >> 63) || base & (bytes - 1))
        return;
    uint64_t from = d->kdbg_at + KDBG_PTE_BASE;
    if (va < base || va - base >= bytes) {
        dfr_dump_put(d, DFR_F_FAULT_PTE_OF, dfr_v_absent(DFR_KIND_ADDR, DFR_REASON_NOT_APPLICABLE),
                     from, from + 8);
        return;
    }
    /* An entry of a higher level is itself the page of entries of the next one. */
    for (unsigned i = 0; i < LEVELS && va >= base && va - base < bytes; i++) {
        va = (va - base) / 8 << 12;
        if (va >> 47)
            va |= ~((UINT64_C(1) << 47) - 1);
    }
    dfr_dump_put(d, DFR_F_FAULT_PTE_OF, dfr_v_addr(va), from, from + 8);
}
