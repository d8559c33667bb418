/* The exception behind a bug check: what its parameters point to, and the exception record. */
#include "dump/exception.h"

#include <string.h>

#include "base/limits.h"

/* EXCEPTION_RECORD: code, flags, nested record, address, number of parameters, parameters. Documented
 * in the SDK. */
static const struct layout {
    uint8_t address, count, first, bytes; /* up to the second parameter */
} layouts[] = {{0x10, 0x18, 0x20, 0x30}, {0x0C, 0x10, 0x14, 0x1C}};
enum { MOST_PARAMETERS = 15 };

/* Which parameters (1 to 4, 0: none) say where the fault was, and which exception it was. */
enum encoding { NONE, BITS, DRIVER, FAULT, ZERO_ONE, EXCEPTION, READ, WRITE, EXECUTE, DOUBLE };
static const struct {
    uint32_t code;
    uint8_t ip, exception, frame, context;
} trap_args[] = {
#define TRAP_ARG(code, ip, address, access, encoding, irql, exception, frame, context)             \
    {code, ip, exception, frame, context},
#include "facts/trap_arg.def"
#undef TRAP_ARG
};

static const struct {
    uint32_t code;
    uint8_t record, context, frame;
} pointers[] = {
#define EXCEPTION_AT(code, record, context, frame) {code, record, context, frame},
#include "dump/exception.def"
#undef EXCEPTION_AT
};

static uint64_t argument(const struct dfr_dump *d, unsigned number)
{
    uint64_t u = 0;
    return number && dfr_container_field(&d->file, DFR_HEADER_ARG1 + number - 1, &u) ? u : 0;
}

static uint64_t pointer(const struct dfr_dump *d, unsigned number)
{
    uint64_t u = argument(d, number);
    return dfr_dump_is_kernel(d, u) ? u : 0;
}

struct dfr_exception dfr_dump_exception(const struct dfr_dump *d)
{
    struct dfr_exception e = {0};
    uint64_t raw;
    if (!dfr_container_field(&d->file, DFR_HEADER_CODE, &raw))
        return e;
    uint32_t code = dfr_bugcheck_code((uint32_t)raw);
    for (size_t i = 0; i < sizeof trap_args / sizeof *trap_args; i++) {
        if (trap_args[i].code != code)
            continue;
        e.ip = argument(d, trap_args[i].ip);
        e.code = (uint32_t)argument(d, trap_args[i].exception);
        e.frame = pointer(d, trap_args[i].frame);
        e.context = pointer(d, trap_args[i].context);
    }
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        if (pointers[i].code != code)
            continue;
        e.record = pointer(d, pointers[i].record);
        e.context = e.context ? e.context : pointer(d, pointers[i].context);
        e.frame = e.frame ? e.frame : pointer(d, pointers[i].frame);
    }
    /* A double fault: the frame that the processor's own stack for it holds, and where it was. Observed. */
    enum { TRAP = 0x7F, DOUBLE_FAULT = 8 };
    if (code == TRAP && argument(d, 1) == DOUBLE_FAULT && d->file.machine == DFR_MACHINE_X64) {
        e.ip = pointer(d, 4);
        e.frame = pointer(d, 2);
    }
    return e;
}

/* A record that is one: an error, warning or success with a facility, no more parameters than fit,
 * an address, and, where the bug check says them, the same code and address. */
static bool is_record(const struct dfr_dump *d, const struct dfr_exception *e, const uint8_t *buf)
{
    const struct layout *l = &layouts[dfr_dump_pointer_bytes(d) == 4];
    struct dfr_span s = {buf, l->bytes};
    uint32_t code = 0, flags = 0, count = 0, narrow = 0;
    uint64_t address = 0;
    (void)dfr_span_u32le(s, 0, &code);
    (void)dfr_span_u32le(s, 4, &flags);
    (void)dfr_span_u32le(s, l->count, &count);
    if (dfr_dump_pointer_bytes(d) == 4) {
        (void)dfr_span_u32le(s, l->address, &narrow);
        address = narrow;
    } else {
        (void)dfr_span_u64le(s, l->address, &address);
    }
    return code >> 30 && address && count <= MOST_PARAMETERS && !(flags >> 16) &&
           (!e->code || code == e->code) && (!e->ip || address == e->ip);
}

static bool read_record(const struct dfr_dump *d, const struct dfr_exception *e, uint64_t va,
                        uint8_t *buf)
{
    return dfr_dump_is_kernel(d, va) &&
           dfr_space_copy(&d->memory, va, buf, layouts[dfr_dump_pointer_bytes(d) == 4].bytes) &&
           is_record(d, e, buf);
}

/* Dispatching an exception builds its record on the stack, and some bug checks point to nothing of it:
 * the one place on the crashing stack with the exception's code and address. Observed on 3B, 7E. */
static uint64_t find_record(const struct dfr_dump *d, const struct dfr_exception *e)
{
    uint8_t first[0x30], buf[0x30];
    uint64_t found = 0, size = d->stack_end - d->stack_low;
    uint32_t step = dfr_dump_pointer_bytes(d), code;
    if (!e->code || !e->ip || d->stack_end <= d->stack_low)
        return 0;
    if (size > DFR_LIMIT_DUMP_STACK_BYTES)
        size = DFR_LIMIT_DUMP_STACK_BYTES;
    for (uint64_t at = 0; at < size; at += step) {
        uint64_t va = d->stack_low + at;
        if (!dfr_space_u32(&d->memory, va, &code))
            break;
        if (code != e->code || !read_record(d, e, va, buf))
            continue;
        if (found && memcmp(first, buf, layouts[step == 4].bytes) != 0)
            return 0;
        memcpy(first, buf, sizeof first);
        found = va;
    }
    return found;
}

/* Where a record stands: in memory, or in the header of the dump. */
struct found {
    uint64_t va, off; /* one of them is 0 */
    uint8_t buf[0x30];
};

/* The record in the header, where it is that of the fault and not the breakpoint of the bug check. */
static bool header_record(const struct dfr_dump *d, const struct dfr_exception *e,
                          struct found *ret)
{
    enum { IN_HEADER64 = 0xF00, IN_HEADER32 = 0x7D0 };
    uint64_t off = d->file.wide ? IN_HEADER64 : IN_HEADER32;
    struct dfr_span s;
    if (!e->code || !e->ip ||
        !dfr_span_sub(d->file.header, off, layouts[dfr_dump_pointer_bytes(d) == 4].bytes, &s))
        return false;
    memset(ret, 0, sizeof *ret);
    memcpy(ret->buf, s.p, s.len);
    ret->off = off;
    return is_record(d, e, ret->buf);
}

static bool memory_record(const struct dfr_dump *d, const struct dfr_exception *e,
                          struct found *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->va = e->record;
    if (ret->va && read_record(d, e, ret->va, ret->buf))
        return true;
    ret->va = find_record(d, e);
    return ret->va && read_record(d, e, ret->va, ret->buf);
}

static uint64_t word(const struct found *r, uint32_t off, uint32_t len)
{
    uint64_t u = 0;
    for (uint32_t i = 0; i < len && off + i < sizeof r->buf; i++)
        u |= (uint64_t)r->buf[off + i] << 8 * i;
    return u;
}

static void put(struct dfr_dump *d, const struct found *r, uint32_t field, struct dfr_value v,
                uint64_t off, uint64_t len)
{
    if (r->va)
        dfr_dump_put_va(d, field, v, r->va + off, len);
    else
        dfr_dump_put(d, field, v, r->off + off, r->off + off + len);
}

/* Of an access violation: what it wanted, and where. All ones is what Windows reports for an address
 * that the processor did not tell. Documented. */
static void put_access(struct dfr_dump *d, const struct found *r, const struct layout *l)
{
    uint32_t bytes = dfr_dump_pointer_bytes(d);
    uint64_t wanted = word(r, l->first, bytes), where = word(r, l->first + bytes, bytes);
    if (wanted == 0 || wanted == 1 || wanted == 8) {
        uint32_t access = wanted == 0   ? DFR_ACCESS_READ
                          : wanted == 1 ? DFR_ACCESS_WRITE
                                        : DFR_ACCESS_EXECUTE;
        put(d, r, DFR_F_TRAP_ACCESS, dfr_v_enum(DFR_E_ACCESS, access), l->first, bytes);
    }
    if (where != (bytes == 4 ? UINT32_MAX : UINT64_MAX))
        put(d, r, DFR_F_TRAP_ADDRESS, dfr_v_addr(where), l->first + bytes, bytes);
}

void dfr_exception_put(struct dfr_dump *d, const struct dfr_exception *e)
{
    const uint32_t access_violation = 0xC0000005, in_page_error = 0xC0000006;
    const struct layout *l = &layouts[dfr_dump_pointer_bytes(d) == 4];
    struct found r;
    if (!memory_record(d, e, &r) && !header_record(d, e, &r))
        return;
    uint32_t code = (uint32_t)word(&r, 0, 4), count = (uint32_t)word(&r, l->count, 4);
    put(d, &r, DFR_F_TRAP_EXCEPTION, dfr_v_addr(code), 0, 4);
    if ((code == access_violation || code == in_page_error) && count >= 2)
        put_access(d, &r, l);
}
