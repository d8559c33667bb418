/* The pool block that a bug check is about: its header, and before Windows 10 1903 the whole page of
 * blocks around it.
 *
 * Until then every block of less than a page had a header, and the headers of a page formed a chain.
 * Since then a heap holds the blocks: the header in front of a small block still names its tag and
 * size, but neither says whether it is free, nor leads to its neighbours, and larger blocks have none.
 * Layout: types of public symbol files. */
#include "base/limits.h"
#include "dump/reader.h"

enum { PAGE = 0x1000, FIRST_HEAP_BUILD = 18362, IN_USE = 2, PROTECTED = 0x80 };

/* Parameters that are the address of a header or of the block behind it, and one that is a tag; by
 * bug check and its first parameter. Documented. */
static const struct {
    uint32_t code;
    uint8_t kind, header, block, tag; /* 1 to 4, 0: none */
} objects[] = {
    {0x19, 0x03, 2, 0, 0}, {0x19, 0x05, 2, 0, 0}, {0x19, 0x06, 2, 0, 0}, {0x19, 0x07, 2, 0, 0},
    {0x19, 0x08, 2, 0, 0}, {0x19, 0x09, 2, 0, 0}, {0x19, 0x0A, 2, 0, 0}, {0x19, 0x20, 2, 0, 0},
    {0xC2, 0x01, 2, 0, 0}, {0xC2, 0x02, 2, 0, 0}, {0xC2, 0x04, 2, 0, 0}, {0xC2, 0x06, 3, 0, 0},
    {0xC2, 0x07, 0, 4, 0}, {0xC2, 0x0A, 0, 2, 3},
};

struct header {
    uint64_t va;
    uint32_t bytes, before; /* of this block and of the one before it, with their headers */
    uint8_t type;
    char tag[4];
    bool plausible;
};

static uint32_t unit(const struct dfr_dump *d)
{
    return dfr_dump_pointer_bytes(d) == 8 ? 16 : 8;
}

/* Printable; the top bit of the last letter marks a protected block. */
static bool tag_text(uint32_t tag, char ret[4])
{
    tag &= ~((uint32_t)PROTECTED << 24);
    for (unsigned i = 0; i < 4; i++) {
        ret[i] = (char)(tag >> 8 * i);
        if (ret[i] < ' ' || ret[i] > '~')
            return false;
    }
    return tag != 0x20202020;
}

/* x64: u8 size before, u8 index, u8 size, u8 type in units of 16; x86: 9, 7, 9, 7 bits in units of
 * 8. Then u32 tag. */
static bool header_at(const struct dfr_dump *d, uint64_t va, struct header *ret)
{
    uint32_t word, tag, size = unit(d);
    if (!dfr_dump_is_kernel(d, va) || va % size || va > UINT64_MAX - PAGE ||
        !dfr_space_u32(&d->memory, va, &word) || !dfr_space_u32(&d->memory, va + 4, &tag))
        return false;
    bool wide = size == 16;
    *ret = (struct header){
        .va = va,
        .bytes = (wide ? word >> 16 & 0xFF : word >> 16 & 0x1FF) * size,
        .before = (wide ? word & 0xFF : word & 0x1FF) * size,
        .type = (uint8_t)(wide ? word >> 24 : word >> 25),
    };
    ret->plausible =
        tag_text(tag, ret->tag) && ret->bytes >= size && va % PAGE + ret->bytes <= PAGE;
    return true;
}

static bool chained(const struct dfr_dump *d)
{
    uint64_t build;
    return dfr_container_field(&d->file, DFR_HEADER_BUILD, &build) && build < FIRST_HEAP_BUILD;
}

static const char *state(const struct dfr_dump *d, const struct header *h)
{
    return !chained(d) ? NULL : h->type & IN_USE ? "Allocated" : "Free";
}

static struct dfr_str tag_of(struct dfr_dump *d, const char tag[4])
{
    size_t len = 4;
    while (len && tag[len - 1] == ' ')
        len--;
    return dfr_str_dup(d->arena, (struct dfr_str){tag, len});
}

static void put_row(struct dfr_dump *d, const struct header *h, bool asked)
{
    uint32_t row = dfr_facts_row(d->facts, DFR_T_POOLS);
    if (row == UINT32_MAX)
        return;
    uint32_t place = dfr_dump_place(d, h->va, unit(d));
    dfr_dump_cell(d, DFR_F_POOLS_ADDR, row, dfr_v_addr(h->va), place);
    dfr_dump_cell(d, DFR_F_POOLS_SIZE, row, dfr_v_int(h->bytes), place);
    dfr_dump_cell(d, DFR_F_POOLS_TAG, row, dfr_v_str(tag_of(d, h->tag)), place);
    dfr_dump_cell(d, DFR_F_POOLS_ASKED, row, dfr_v_bool(asked), place);
    if (state(d, h))
        dfr_dump_cell(d, DFR_F_POOLS_STATE, row, dfr_v_str(dfr_str_from(state(d, h))), place);
}

/* The blocks of the page, from its start for as long as each header fits the one before it. True when
 * the chain led to `asked`. */
static bool put_page(struct dfr_dump *d, uint64_t asked)
{
    uint64_t va = asked & ~(uint64_t)(PAGE - 1), end = va + PAGE;
    uint32_t before = 0;
    struct header h;
    bool met = false;
    while (va < end && header_at(d, va, &h) && h.plausible && h.before == before) {
        put_row(d, &h, va == asked);
        met |= va == asked;
        before = h.bytes;
        va += h.bytes;
    }
    return met;
}

static void unknown(struct dfr_dump *d, enum dfr_reason why, uint64_t va)
{
    dfr_dump_put_va(d, DFR_F_POOL_TAG, dfr_v_unknown(DFR_KIND_STR, why), va, 0);
    dfr_dump_put_va(d, DFR_F_POOL_STATE, dfr_v_unknown(DFR_KIND_STR, why), va, 0);
}

static void put_block(struct dfr_dump *d, uint64_t va)
{
    struct header h;
    bool met = chained(d) && put_page(d, va);
    if (!header_at(d, va, &h)) {
        enum dfr_reason why = dfr_space_why(&d->memory, va);
        unknown(d, why ? why : DFR_REASON_DAMAGED, va);
        return;
    }
    if (!h.plausible) {
        unknown(d, chained(d) ? DFR_REASON_DAMAGED : DFR_REASON_NOT_UNDERSTOOD, va);
        return;
    }
    if (!met)
        put_row(d, &h, true);
    if (dfr_facts_scalar(d->facts, DFR_F_POOL_TAG)->state != DFR_KNOWN)
        dfr_dump_put_va(d, DFR_F_POOL_TAG, dfr_v_str(tag_of(d, h.tag)), va, unit(d));
    if (state(d, &h))
        dfr_dump_put_va(d, DFR_F_POOL_STATE, dfr_v_str(dfr_str_from(state(d, &h))), va, unit(d));
    else
        dfr_dump_put_va(d, DFR_F_POOL_STATE, dfr_v_unknown(DFR_KIND_STR, DFR_REASON_NOT_UNDERSTOOD),
                        va, 0);
}

void dfr_dump_pool(struct dfr_dump *d)
{
    uint32_t code = dfr_dump_code(d);
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        char tag[4];
        if (objects[i].code != code || objects[i].kind != dfr_dump_arg(d, 1))
            continue;
        if (objects[i].tag && tag_text((uint32_t)dfr_dump_arg(d, objects[i].tag), tag)) {
            uint64_t begin, end;
            dfr_container_where(&d->file, DFR_HEADER_ARG1 + objects[i].tag - 1, &begin, &end);
            dfr_dump_put(d, DFR_F_POOL_TAG, dfr_v_str(tag_of(d, tag)), begin, end);
        }
        if (objects[i].header)
            put_block(d, dfr_dump_arg(d, objects[i].header));
        else if (dfr_dump_arg(d, objects[i].block) > unit(d))
            put_block(d, dfr_dump_arg(d, objects[i].block) - unit(d));
    }
}
