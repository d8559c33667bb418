/* The code at the fault beside the image that it was loaded from: single bits that differ, other bytes
 * that do, and whether the instruction pointer stands between two instructions.
 *
 * Drivers are patched while they are loaded (relocations, calls through the import table, guards against
 * speculation), so that a difference alone means little: one bit that stands by itself is no patch. */
#include <string.h>

#include "base/limits.h"
#include "dump/insn.h"
#include "image/pe.h"

enum { PAGE = 0x1000, ALONE = 16, FUNCTION_ENTRY = 12 };

struct code {
    struct dfr_dump *d;
    const struct dfr_image *image;
    struct dfr_pe pe;
    struct dfr_bytes bytes; /* of the image's file */
    bool from_file;
    uint32_t rva; /* of the fault */
};

static bool known_word(const struct dfr_dump *d, uint32_t column, uint32_t row, uint32_t *ret)
{
    const struct dfr_value *v = dfr_facts_at(d->facts, column, row);
    uint64_t u = v->kind == DFR_KIND_INT ? (uint64_t)v->as.n.lo : v->as.u;
    if (v->state != DFR_KNOWN || u > UINT32_MAX)
        return false;
    *ret = (uint32_t)u;
    return true;
}

/* The image's file, else the image as it was mapped. */
static bool open_image(struct code *c)
{
    const struct dfr_value *name = dfr_facts_at(c->d->facts, DFR_F_MODULES_IMAGE, c->image->row);
    uint32_t stamp, size;
    if (name->state == DFR_KNOWN &&
        known_word(c->d, DFR_F_MODULES_TIMESTAMP, c->image->row, &stamp) &&
        known_word(c->d, DFR_F_MODULES_SIZE, c->image->row, &size) &&
        dfr_store_image(c->d->store, dfr_value_str(name), stamp, size, &c->bytes) &&
        dfr_pe_open_file(&c->pe, c->d->arena, &c->bytes) == DFR_REASON_NONE &&
        c->pe.stamp == stamp && c->pe.size == size) {
        c->from_file = true;
        return true;
    }
    return dfr_pe_open_mapped(&c->pe, c->d->arena, &c->d->memory, c->image->base) ==
           DFR_REASON_NONE;
}

/* ---- differences ---- */

/* Mark what the loader relocates in [from, from + PAGE): blocks of {u32 page, u32 bytes, u16 kind and
 * offset ...}. Documented in the PE format. */
static void relocated(const struct dfr_pe *pe, uint32_t from, bool *skip)
{
    enum { HEAD = 8, DIR64 = 10, HIGHLOW = 3, MOST_BLOCKS = 1 << 16 };
    uint32_t at = pe->dirs[DFR_PE_RELOC].rva, left = pe->dirs[DFR_PE_RELOC].size;
    for (uint32_t n = 0; n < MOST_BLOCKS && left >= HEAD; n++) {
        uint32_t page, bytes;
        if (!dfr_pe_u32(pe, at, &page) || !dfr_pe_u32(pe, at + 4, &bytes) || bytes < HEAD ||
            bytes > left)
            return;
        /* A word that starts in the page before may reach into this one. */
        for (uint32_t i = HEAD; (page == from || page + PAGE == from) && i + 2 <= bytes; i += 2) {
            uint16_t entry;
            if (!dfr_pe_u16(pe, at + i, &entry))
                return;
            uint32_t size = entry >> 12 == DIR64 ? 8 : entry >> 12 == HIGHLOW ? 4 : 0;
            for (uint32_t k = 0; k < size; k++) {
                uint32_t rva = page + (entry & 0xFFF) + k;
                if (rva >= from && rva - from < PAGE)
                    skip[rva - from] = true;
            }
        }
        at += bytes;
        left -= bytes;
    }
}

/* Is the byte at `i` one bit off, and nothing near it off at all? Where not all of its neighbours were
 * captured it may be the last byte of a patch. */
static bool lone_bit(const uint8_t *delta, const bool *seen, uint32_t i)
{
    if (__builtin_popcount(delta[i]) != 1 || i < ALONE || i + ALONE >= PAGE)
        return false;
    for (uint32_t k = i - ALONE; k <= i + ALONE; k++)
        if (!seen[k] || (k != i && delta[k]))
            return false;
    return true;
}

/* The page of the fault, as much of it as was captured and lies in one executable section. */
static void differences(struct code *c)
{
    const struct dfr_pe_section *s = dfr_pe_section_at(&c->pe, c->rva);
    uint32_t page = c->rva & ~(uint32_t)(PAGE - 1), compared = 0, bits = 0, bytes = 0;
    static const uint32_t fields[] = {DFR_F_FAULT_CODE_BITS, DFR_F_FAULT_CODE_BYTES};
    if (!c->from_file || !s || !s->executable || s->writable)
        return;
    bool *skip = dfr_arena_alloc(c->d->arena, PAGE * sizeof *skip);
    bool *seen = dfr_arena_alloc(c->d->arena, PAGE * sizeof *seen);
    uint8_t *delta = dfr_arena_alloc(c->d->arena, PAGE);
    memset(skip, 0, PAGE * sizeof *skip);
    memset(seen, 0, PAGE * sizeof *seen);
    memset(delta, 0, PAGE);
    relocated(&c->pe, page, skip);
    for (uint32_t i = 0; i < PAGE; i++) {
        uint8_t here, there;
        uint32_t rva = page + i;
        if (skip[i] || rva < s->rva || rva - s->rva >= s->size ||
            !dfr_space_u8(&c->d->memory, c->image->base + rva, &here) ||
            !dfr_pe_read(&c->pe, rva, &there, 1))
            continue;
        delta[i] = here ^ there;
        seen[i] = true;
        compared++;
    }
    if (compared < ALONE)
        return;
    for (uint32_t i = 0; i < PAGE; i++) {
        bool lone = lone_bit(delta, seen, i);
        bits += lone;
        bytes += delta[i] && !lone;
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        dfr_dump_put_va(c->d, fields[i], dfr_v_int(i ? bytes : bits), c->image->base + page, PAGE);
}

/* ---- boundaries ---- */

/* The function that holds an RVA: entries {u32 begin, u32 end, u32 unwind data} in rising order. */
static bool function_at(const struct dfr_pe *pe, uint32_t rva, uint32_t *ret_begin,
                        uint32_t *ret_end)
{
    uint32_t table = pe->dirs[DFR_PE_EXCEPTION].rva, begin, end;
    uint32_t from = 0, to = pe->dirs[DFR_PE_EXCEPTION].size / FUNCTION_ENTRY;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (!dfr_pe_u32(pe, table + mid * FUNCTION_ENTRY, &begin) ||
            !dfr_pe_u32(pe, table + mid * FUNCTION_ENTRY + 4, &end))
            return false;
        if (rva < begin)
            to = mid;
        else if (rva >= end)
            from = mid + 1;
        else {
            *ret_begin = begin;
            *ret_end = end;
            return true;
        }
    }
    return false;
}

/* Believed only where what was captured of the function is what the file holds of it. */
static void boundary(struct code *c)
{
    uint32_t begin, end;
    if (c->d->file.machine != DFR_MACHINE_X64 || !function_at(&c->pe, c->rva, &begin, &end) ||
        end - begin > DFR_LIMIT_CODE_WALK)
        return;
    uint8_t *code = dfr_arena_alloc(c->d->arena, end - begin), here;
    if (!dfr_pe_read(&c->pe, begin, code, end - begin))
        return;
    for (uint32_t i = 0; c->from_file && i < end - begin; i++)
        if (dfr_space_u8(&c->d->memory, c->image->base + begin + i, &here) && here != code[i])
            return;
    int b = dfr_insn_boundary_x86(c->d, (struct dfr_span){code, end - begin}, c->rva - begin);
    if (b >= 0)
        dfr_dump_put_va(c->d, DFR_F_FAULT_MISALIGNED, dfr_v_bool(b == 0), c->image->base + c->rva,
                        1);
}

/* What only the file of the module tells; the mapped image may still show where instructions begin. */
static void needs_file(struct dfr_dump *d, uint64_t ip)
{
    static const struct {
        uint32_t field;
        enum dfr_kind kind;
    } fields[] = {{DFR_F_FAULT_CODE_BITS, DFR_KIND_INT},
                  {DFR_F_FAULT_CODE_BYTES, DFR_KIND_INT},
                  {DFR_F_FAULT_MISALIGNED, DFR_KIND_BOOL}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        dfr_dump_put_va(d, fields[i].field, dfr_v_unknown(fields[i].kind, DFR_REASON_NEEDS_IMAGE),
                        ip, 1);
}

void dfr_dump_code_image(struct dfr_dump *d, uint64_t ip)
{
    struct code c = {.d = d, .image = dfr_dump_image_at(d, ip)};
    if (!c.image || ip - c.image->base > UINT32_MAX)
        return;
    c.rva = (uint32_t)(ip - c.image->base);
    bool open = open_image(&c);
    if (!c.from_file)
        needs_file(d, ip);
    if (open) {
        differences(&c);
        boundary(&c);
    }
}
