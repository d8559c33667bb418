/* Context records and trap frames of x64, ARM64 and x86: when they are one, and their registers. */
#include "dump/context.h"

#include "dump/triage.h"
#include "facts/store.h"

static const struct {
    enum dfr_record record;
    uint16_t off, size;
    struct dfr_str name;
} regs[] = {
#define REG(record, name, off, size)                                                               \
    {DFR_RECORD_##record, (off), (size), {(name), sizeof(name) - 1}},
#include "dump/regs.def"
#undef REG
};

/* Length, place of the flags, what they name, instruction and stack pointer. */
static const struct record_info {
    uint16_t bytes, flags, ip, sp;
    uint32_t machine;
} records[] = {
    [DFR_RECORD_X64] = {0x4D0, 0x30, 0xF8, 0x98, 0x100000},
    [DFR_RECORD_ARM64] = {0x390, 0, 0x108, 0x100, 0x400000},
    [DFR_RECORD_X86] = {0x2CC, 0, 0xB8, 0xC4, 0x10000},
    [DFR_RECORD_TRAP] = {0x190, 0, 0x168, 0x180, 0},
    [DFR_RECORD_TRAP_X86] = {0x8C, 0, 0x68, 0x74, 0},
    [DFR_RECORD_TRAP_X86_OLD] = {0x8C, 0, 0x68, 0x74, 0},
};

static uint64_t word(struct dfr_span s, uint64_t off, uint32_t size)
{
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    if (size == 2)
        return dfr_span_u16le(s, off, &u16) ? u16 : 0;
    if (size == 4)
        return dfr_span_u32le(s, off, &u32) ? u32 : 0;
    return dfr_span_u64le(s, off, &u64) ? u64 : 0;
}

static enum dfr_record record_of(const struct dfr_dump *d)
{
    return d->file.machine == DFR_MACHINE_ARM64 ? DFR_RECORD_ARM64
           : d->file.machine == DFR_MACHINE_X86 ? DFR_RECORD_X86
                                                : DFR_RECORD_X64;
}

static bool load(const struct dfr_dump *d, const struct dfr_where *w, enum dfr_record record,
                 struct dfr_context *ret)
{
    const struct record_info *r = &records[record];
    ret->where = *w;
    ret->record = record;
    ret->bytes = r->bytes;
    ret->raised = false;
    if (!dfr_where_copy(d, w, 0, ret->data, r->bytes))
        return false;
    struct dfr_span s = {ret->data, r->bytes};
    uint32_t pointer = dfr_dump_pointer_bytes(d);
    ret->ip = word(s, r->ip, pointer);
    ret->sp = word(s, r->sp, pointer);
    return true;
}

bool dfr_context_read(const struct dfr_dump *d, const struct dfr_where *w, struct dfr_context *ret)
{
    enum { CONTROL = 1 };
    enum dfr_record record = record_of(d);
    if (!dfr_where_known(w) || !load(d, w, record, ret))
        return false;
    uint64_t flags =
        word((struct dfr_span){ret->data, ret->bytes}, records[record].flags, sizeof(uint32_t));
    return (flags & records[record].machine) && (flags & CONTROL);
}

/* A report of a system that went on: nothing raised a bug check. */
static bool went_on(const struct dfr_dump *d)
{
    enum { LIVE = 1u << 4 };
    uint64_t attributes = 0, code = 0;
    if (dfr_container_field(&d->file, DFR_HEADER_ATTRIBUTES, &attributes) && (attributes & LIVE))
        return true;
    const struct dfr_bugcheck_info *info =
        dfr_container_field(&d->file, DFR_HEADER_CODE, &code)
            ? dfr_bugcheck_info(dfr_bugcheck_code((uint32_t)code))
            : NULL;
    return info && (dfr_str_ends_ci(dfr_str_from(info->name), DFR_STR("LIVEDUMP")) ||
                    dfr_str_ends_ci(dfr_str_from(info->name), DFR_STR("LIVE_DUMP")));
}

/* The exception in the header of a crash is a breakpoint at the entry of KeBugCheckEx. When the context
 * stands there as well, nothing has been pushed yet: its stack pointer holds the return address.
 * Observed in all of 18 small dumps of x64 that hold such a context, of both writers. */
static bool at_bug_check(const struct dfr_dump *d, const struct dfr_context *c)
{
    enum { EXCEPTION = 0xF00, ADDRESS = EXCEPTION + 0x10 };
    const uint32_t breakpoint = 0x80000003;
    uint32_t code = 0;
    uint64_t address = 0;
    const struct dfr_image *image = dfr_dump_image_at(d, c->ip);
    return d->file.machine == DFR_MACHINE_X64 && !went_on(d) && image && d->kernel &&
           image->base == d->kernel && dfr_span_u32le(d->file.header, EXCEPTION, &code) &&
           code == breakpoint && dfr_span_u64le(d->file.header, ADDRESS, &address) &&
           address == c->ip;
}

bool dfr_context_of_header(const struct dfr_dump *d, struct dfr_context *ret)
{
    enum { IN_HEADER64 = 0x348, IN_HEADER32 = 0x320 };
    struct dfr_where w = {.off = d->triage.len ? dfr_triage_u32(d, DFR_TRIAGE_CONTEXT) : 0};
    if (!w.off)
        w.off = d->file.wide ? IN_HEADER64 : IN_HEADER32;
    if (!dfr_context_read(d, &w, ret))
        return false;
    ret->raised = at_bug_check(d, ret);
    return true;
}

/* Code and stack segments of the kernel, and a stack pointer above the frame; a frame that stands at
 * the instruction wanted may also be on another stack than its fault was. An x86 trap inside the
 * kernel saves neither stack pointer nor stack segment: the stack it came from begins where they would
 * stand. Documented (processor manuals); the rest types of public symbol files. */
static bool plausible_trap(const struct dfr_dump *d, uint64_t va, uint64_t ip,
                           struct dfr_context *c)
{
    enum { KERNEL_CS = 0x10, KERNEL_SS = 0x18, CS = 0x170, SS = 0x188 };
    enum { X86_CS = 0x6C, X86_FLAGS = 0x70, X86_ESP = 0x74, X86_KERNEL_CS = 0x08, ALWAYS = 2 };
    struct dfr_span s = {c->data, c->bytes};
    if (!dfr_dump_is_kernel(d, c->ip))
        return false;
    if (c->record == DFR_RECORD_TRAP)
        return word(s, CS, 2) == KERNEL_CS &&
               (word(s, SS, 2) == KERNEL_SS || word(s, SS, 2) == 0) &&
               (c->sp > va || (ip && c->ip == ip));
    c->sp = va + X86_ESP;
    return word(s, X86_CS, 2) == X86_KERNEL_CS && (word(s, X86_FLAGS, 4) & ALWAYS);
}

bool dfr_context_trap(const struct dfr_dump *d, uint64_t va, uint64_t ip, struct dfr_context *ret)
{
    enum { WINDOWS_8 = 9200 };
    uint64_t build = 0;
    enum dfr_record record = DFR_RECORD_TRAP;
    if (d->file.machine == DFR_MACHINE_ARM64)
        return false; /* its layout differs by build, and no two public sources agree */
    if (d->file.machine == DFR_MACHINE_X86) {
        (void)dfr_container_field(&d->file, DFR_HEADER_BUILD, &build);
        record = build >= WINDOWS_8 ? DFR_RECORD_TRAP_X86 : DFR_RECORD_TRAP_X86_OLD;
    }
    struct dfr_where w = {.va = va};
    return dfr_dump_is_kernel(d, va) && load(d, &w, record, ret) &&
           plausible_trap(d, va, ip, ret) && (!ip || ret->ip == ip);
}

static void put_reg(struct dfr_dump *d, struct dfr_str name, uint64_t value, uint32_t place)
{
    uint32_t row = dfr_facts_row(d->facts, DFR_T_REGS);
    dfr_dump_cell(d, DFR_F_REGS_NAME, row, dfr_v_str(name), place);
    dfr_dump_cell(d, DFR_F_REGS_VALUE, row, dfr_v_addr(value), place);
}

void dfr_context_put(struct dfr_dump *d, const struct dfr_context *c)
{
    static const char *const x[] = {"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",
                                    "x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15",
                                    "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
                                    "x24", "x25", "x26", "x27", "x28"};
    struct dfr_span s = {c->data, c->bytes};
    uint32_t place = dfr_where_place(d, &c->where, 0, c->bytes);
    bool trap = c->record >= DFR_RECORD_TRAP;
    for (size_t i = 0; c->record == DFR_RECORD_ARM64 && i < sizeof x / sizeof *x; i++)
        put_reg(d, dfr_str_from(x[i]), word(s, 8 + 8 * i, 8), place);
    for (size_t i = 0; i < sizeof regs / sizeof *regs; i++)
        if (regs[i].record == c->record)
            put_reg(d, regs[i].name, word(s, regs[i].off, regs[i].size), place);
    if (c->record == DFR_RECORD_TRAP_X86 || c->record == DFR_RECORD_TRAP_X86_OLD)
        put_reg(d, DFR_STR("esp"), c->sp, place);
    /* An x86 trap frame holds every register; one of x64 only what a call may change. */
    dfr_dump_put_at(d, DFR_F_TRAP_REGS_EXACT, dfr_v_bool(!trap || c->record != DFR_RECORD_TRAP),
                    place);
}
