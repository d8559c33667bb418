/* Frame 0 from the context, and possible callers: values on the captured stack that point into a
 * module. Most of those are no callers, so each row says that it was found by a scan. */
#include "base/limits.h"
#include "dump/triage.h"

/* Does a call end right before `address`? 1 yes, 0 no, -1 the code was not captured.
 * x64: E8 and FF /2 in their lengths; ARM64: BL, BLR and the authenticated BLR. Documented. */
static int after_call(const struct dfr_dump *d, uint64_t address)
{
    uint8_t b[8];
    if (address < sizeof b || !dfr_space_copy(&d->memory, address - sizeof b, b, sizeof b))
        return -1;
    if (d->file.machine == DFR_MACHINE_ARM64) {
        uint32_t w = 0;
        if ((address & 3) || !dfr_span_u32le((struct dfr_span){b, sizeof b}, 4, &w))
            return 0;
        return (w & 0xFC000000) == 0x94000000 || (w & 0xFFFFFC1F) == 0xD63F0000 ||
               (w & 0xFEFFF800) == 0xD63F0800;
    }
    if (b[3] == 0xE8)
        return 1;
    for (size_t n = 2; n <= 7; n++)
        if (b[8 - n] == 0xFF && (b[8 - n + 1] & 0x38) == 0x10)
            return 1;
    return 0;
}

static void put_frame(struct dfr_dump *d, uint64_t sp, uint64_t address, uint32_t method,
                      uint32_t place)
{
    uint32_t row = dfr_facts_row(d->facts, DFR_T_STACK);
    if (row == UINT32_MAX)
        return;
    dfr_dump_cell(d, DFR_F_STACK_INDEX, row, dfr_v_int(row), place);
    dfr_dump_cell(d, DFR_F_STACK_SP, row, dfr_v_addr(sp), place);
    dfr_dump_cell(d, DFR_F_STACK_ADDRESS, row, dfr_v_addr(address), place);
    dfr_dump_cell(d, DFR_F_STACK_METHOD, row, dfr_v_enum(DFR_E_METHOD, method), place);
    dfr_dump_cell(d, DFR_F_STACK_TRUST, row, dfr_v_enum(DFR_E_TRUST, DFR_TRUST_BINARY), place);
    const struct dfr_image *image = dfr_dump_image_at(d, address);
    if (!image)
        return;
    const struct dfr_value *name = dfr_facts_at(d->facts, DFR_F_MODULES_NAME, image->row);
    if (name->state == DFR_KNOWN) {
        struct dfr_sym sym = {.module = dfr_value_str(name),
                              .func = DFR_STR(""),
                              .offset = address - image->base,
                              .has_offset = true};
        dfr_dump_cell(d, DFR_F_STACK_MODULE, row, dfr_facts_module(d->facts, sym.module), place);
        dfr_dump_cell(d, DFR_F_STACK_SYM, row, dfr_facts_sym(d->facts, sym), place);
    }
    dfr_dump_cell(d, DFR_F_STACK_OFFSET, row, dfr_v_int((int64_t)(address - image->base)), place);
}

/* A slot that may hold a return address: it points behind the headers of a module, and where the
 * code was captured, behind a call. */
static bool may_return(const struct dfr_dump *d, uint64_t value)
{
    enum { HEADERS = 0x1000 };
    const struct dfr_image *image = value >> 63 ? dfr_dump_image_at(d, value) : NULL;
    return image && value - image->base >= HEADERS && after_call(d, value) != 0;
}

static void scan(struct dfr_dump *d, uint64_t from, uint64_t to)
{
    uint64_t last = 0;
    uint32_t kept = 0;
    for (uint64_t at = from; at < to && to - at >= 8 && kept < DFR_LIMIT_SCAN_FRAMES; at += 8) {
        uint64_t value, off, have;
        if (!dfr_space_u64(&d->memory, at, &value))
            break;
        if (value == last || !may_return(d, value) || !dfr_space_at(&d->memory, at, &off, &have))
            continue;
        last = value;
        kept++;
        put_frame(d, at + 8, value, DFR_METHOD_SCAN,
                  dfr_facts_place(d->facts, (struct dfr_place){off, off + 8, 0, at}));
    }
}

void dfr_dump_stack(struct dfr_dump *d, const struct dfr_fault *fault)
{
    struct dfr_rows *t = &d->facts->tables[DFR_T_STACK];
    uint64_t low = d->stack_low, top = d->stack_end;
    t->reason = DFR_REASON_SCANNED;
    if (fault->known)
        put_frame(d, fault->sp, fault->ip, DFR_METHOD_CONTEXT, fault->place);
    if (low >= top) {
        t->reason = DFR_REASON_NOT_CAPTURED;
        return;
    }
    uint64_t from = low;
    if (fault->known && fault->sp >= low && fault->sp < top)
        from = (fault->sp + 7) & ~UINT64_C(7);
    scan(d, from, top);
}
