/* Which page tables a dump's memory stands behind. */
#include "dump/pages.h"

#include "dump/triage.h"

enum { KDBG_TAG = 0x10, KDBG_SIZE = 0x14, KDBG_L1TF = 0x2C2 };

/* The ways in which this machine may have translated addresses, the likeliest first. The header knows
 * neither of five levels nor, in a dump of a debugger, always of PAE. */
static unsigned ways(const struct dfr_container *c, struct dfr_paging *ret)
{
    struct dfr_paging *p = ret;
    uint64_t pae;
    switch (c->machine) {
    case DFR_MACHINE_X64:
        ret[1] = ret[0];
        ret[0].mode = ret[1].mode = DFR_PAGING_X64;
        ret[0].levels = 4;
        ret[1].levels = 5;
        return 2;
    case DFR_MACHINE_ARM64:
        p->mode = DFR_PAGING_ARM64;
        return 1;
    case DFR_MACHINE_X86:
        ret[1] = ret[0];
        ret[0].mode = DFR_PAGING_PAE;
        ret[1].mode = DFR_PAGING_X86;
        if (dfr_container_field(c, DFR_HEADER_PAE, &pae) && !pae) {
            ret[0].mode = DFR_PAGING_X86;
            ret[1].mode = DFR_PAGING_PAE;
        }
        return 2;
    case DFR_MACHINE_OTHER:
        break;
    }
    return 0;
}

/* Does the debugger data block stand where the header says? */
static bool shows_kdbg(const struct dfr_space *m, uint64_t va)
{
    enum { TAG = 0x4742444B };
    uint32_t tag;
    return dfr_space_u32(m, va + KDBG_TAG, &tag) && tag == TAG;
}

/* The bit that the kernel sets in entries that are not valid. Without the debugger data block the bit
 * that most Intel processors need; nobody's memory reaches up to it. Documented in the SDK. */
static uint64_t swizzle(const struct dfr_space *m, uint64_t kdbg, bool known)
{
    enum { USUAL = 45, MARK = 4, LEAST = 32, MOST = 51 };
    uint32_t size = 0;
    uint8_t bit = 0, mark = 0;
    if (m->paging.mode != DFR_PAGING_X64)
        return 0;
    if (known && dfr_space_u32(m, kdbg + KDBG_SIZE, &size) && size >= KDBG_L1TF + 2 &&
        dfr_space_u8(m, kdbg + KDBG_L1TF, &bit) && dfr_space_u8(m, kdbg + KDBG_L1TF + 1, &mark)) {
        if (!bit && !mark)
            return 0;
        if (bit >= LEAST && bit <= MOST && mark == MARK)
            return UINT64_C(1) << bit;
    }
    return UINT64_C(1) << USUAL;
}

/* A dump that ends where its memory would begin, as it should or as nobody knows. */
static void header_alone(struct dfr_dump *d)
{
    if (d->file.form == DFR_FORM_HEADER)
        (void)dfr_diags_add(d->diags, DFR_D_DUMP_KIND,
                            "the dump is its header alone, without any memory: set the system to "
                            "write small or kernel memory dumps");
    else if (d->file.form == DFR_FORM_UNKNOWN)
        (void)dfr_diags_add(d->diags, DFR_D_DUMP_KIND,
                            "a dump of kind %u is not known: its header was read, nothing else",
                            (unsigned)d->file.dump_type);
}

bool dfr_dump_pages(struct dfr_dump *d)
{
    struct dfr_pages *pages = DFR_NEW(d->arena, struct dfr_pages);
    struct dfr_paging way[2] = {{.pages = pages}};
    uint64_t build = 0, kdbg = 0;
    d->memory = (struct dfr_space){.bytes = d->bytes, .pointer_bytes = d->file.wide ? 8 : 4};
    bool open = dfr_pages_open(pages, d->arena, &d->file, d->diags);
    d->whole = d->whole && pages->whole;
    if (!open) {
        d->memory.otherwise = pages->whole ? DFR_REASON_NOT_CAPTURED : DFR_REASON_DAMAGED;
        header_alone(d);
        return false;
    }
    if (dfr_container_field(&d->file, DFR_HEADER_BUILD, &build))
        way[0].build = (uint32_t)build;
    d->memory.paging = way[0]; /* physical addresses can be read whatever follows */
    d->memory.otherwise = DFR_REASON_NO_PAGE_TABLE;
    unsigned n = ways(&d->file, way);
    if (!n || !dfr_container_field(&d->file, DFR_HEADER_ROOT, &way[0].root))
        return false;
    way[1].root = way[0].root;
    bool known = false;
    bool has = dfr_container_field(&d->file, DFR_HEADER_KDBG, &kdbg);
    for (unsigned i = 0; has && i < n && !known; i++) {
        dfr_space_paging(&d->memory, &way[i]);
        known = shows_kdbg(&d->memory, kdbg);
    }
    if (!known)
        dfr_space_paging(&d->memory, &way[0]);
    struct dfr_paging found = d->memory.paging;
    found.swizzle = swizzle(&d->memory, kdbg, known);
    dfr_space_paging(&d->memory, &found);
    return true;
}
