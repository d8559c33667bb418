/* The debugger data block: the kernel's own table of contents. Its first part is documented in the
 * SDK, the offset table behind it agrees with every dump seen. Its pointers have 64 bits in all
 * systems. */
#include "dump/kdbg.h"
#include "base/checked.h"
#include "base/limits.h"
#include "dump/triage.h"

enum { TAG_AT = 0x10, SIZE_AT = 0x14, HEAD = 0x50, LEAST = 0x250, MOST = 0x1000 };

bool dfr_kdbg_u64(const struct dfr_dump *d, uint32_t off, uint64_t *ret)
{
    return dfr_span_u64le(d->kdbg, off, ret);
}

bool dfr_kdbg_u32(const struct dfr_dump *d, uint32_t off, uint32_t *ret)
{
    return dfr_span_u32le(d->kdbg, off, ret);
}

bool dfr_kdbg_u16(const struct dfr_dump *d, uint32_t off, uint16_t *ret)
{
    return dfr_span_u16le(d->kdbg, off, ret);
}

static uint64_t as_pointer(const struct dfr_dump *d, uint64_t u)
{
    return dfr_dump_pointer_bytes(d) == 4 ? (uint32_t)u : u;
}

bool dfr_kdbg_pointer(const struct dfr_dump *d, uint32_t off, uint64_t *ret)
{
    uint64_t u;
    if (!dfr_kdbg_u64(d, off, &u) || !as_pointer(d, u))
        return false;
    *ret = as_pointer(d, u);
    return true;
}

/* Its tag, and a length that makes sense. */
static bool is_block(struct dfr_span head, uint32_t *ret_size)
{
    uint32_t tag, size;
    if (!dfr_span_u32le(head, TAG_AT, &tag) || tag != 0x4742444B ||
        !dfr_span_u32le(head, SIZE_AT, &size) || size < LEAST || size > MOST)
        return false;
    *ret_size = size;
    return true;
}

/* One that was searched for must also name the module list that the dump's header names, in the image
 * of the kernel that it names: four letters alone stand in memory by chance. */
static bool belongs(const struct dfr_dump *d, struct dfr_span head)
{
    const uint64_t image = 64u << 20, page = 0xFFF;
    uint64_t base = 0, list = 0, wanted;
    if (!dfr_container_field(&d->file, DFR_HEADER_MODULE_LIST, &wanted) ||
        !dfr_span_u64le(head, DFR_KDBG_KERNEL, &base) ||
        !dfr_span_u64le(head, DFR_KDBG_MODULE_LIST, &list))
        return false;
    base = as_pointer(d, base);
    list = as_pointer(d, list);
    return list == wanted && dfr_dump_is_kernel(d, base) && !(base & page) && list > base &&
           list - base < image;
}

static bool take(struct dfr_dump *d, struct dfr_where w, uint64_t most)
{
    uint8_t head[HEAD];
    uint32_t size;
    if (!dfr_where_copy(d, &w, 0, head, sizeof head) ||
        !is_block((struct dfr_span){head, sizeof head}, &size))
        return false;
    if (size > most)
        size = (uint32_t)most;
    uint8_t *p = dfr_arena_alloc(d->arena, size);
    uint32_t have = size;
    while (have > HEAD && !dfr_where_copy(d, &w, 0, p, have))
        have -= 8; /* a torn file still gives what comes first */
    if (have <= HEAD)
        return false;
    d->kdbg = (struct dfr_span){p, have};
    d->kdbg_at = w.off;
    uint64_t left;
    if (!w.off && !dfr_space_at(&d->memory, w.va, &d->kdbg_at, &left))
        d->kdbg_at = 0;
    return true;
}

/* Look through [begin, end) of memory, or of the file, in steps of a pointer. */
static bool search(struct dfr_dump *d, bool memory, uint64_t begin, uint64_t end)
{
    enum { CHUNK = 0x1000, STEP = 8 };
    uint8_t buf[CHUNK + HEAD];
    for (uint64_t at = begin; at < end && end - at >= HEAD; at += CHUNK) {
        size_t n = end - at < sizeof buf ? (size_t)(end - at) : sizeof buf;
        struct dfr_where w = memory ? (struct dfr_where){.va = at} : (struct dfr_where){.off = at};
        if (!dfr_where_copy(d, &w, 0, buf, n)) {
            n = n < CHUNK ? n : CHUNK; /* the next page may not be there */
            if (!dfr_where_copy(d, &w, 0, buf, n))
                continue;
        }
        for (size_t i = 0; i + HEAD <= n; i += STEP) {
            struct dfr_span head = {buf + i, HEAD};
            uint32_t size;
            struct dfr_where found = {memory ? at + i : 0, memory ? 0 : at + i};
            if (is_block(head, &size) && belongs(d, head) && take(d, found, size))
                return true;
        }
    }
    return false;
}

/* The block is part of the kernel's image, and the image is the first entry of the module list. Small
 * dumps are searched as files: they hold it once. */
static bool search_everywhere(struct dfr_dump *d)
{
    if (d->triage.len) {
        uint64_t end =
            d->bytes->size < DFR_LIMIT_DUMP_SEARCH ? d->bytes->size : DFR_LIMIT_DUMP_SEARCH;
        return search(d, false, d->file.header.len, end);
    }
    uint32_t pointer = dfr_dump_pointer_bytes(d);
    uint64_t list, first, base, size, end;
    struct dfr_where entry;
    if (!dfr_container_field(&d->file, DFR_HEADER_MODULE_LIST, &list) ||
        !dfr_dump_pointer(d, list, &first))
        return false;
    entry = (struct dfr_where){.va = first};
    if (!dfr_where_pointer(d, &entry, pointer == 8 ? 0x30 : 0x18, &base) ||
        !dfr_where_word(d, &entry, pointer == 8 ? 0x40 : 0x20, 4, &size) ||
        !dfr_dump_is_kernel(d, base) || !size)
        return false;
    if (size > DFR_LIMIT_DUMP_SEARCH)
        size = DFR_LIMIT_DUMP_SEARCH;
    return dfr_u64_add(base, size, &end) && search(d, true, base, end);
}

void dfr_kdbg_open(struct dfr_dump *d)
{
    uint64_t off = d->triage.len ? dfr_triage_u32(d, DFR_TRIAGE_KDBG) : 0, va = 0;
    uint64_t size = d->triage.len ? dfr_triage_u32(d, DFR_TRIAGE_KDBG_SIZE) : MOST;
    bool known = dfr_container_field(&d->file, DFR_HEADER_KDBG, &va) && va;
    bool asked = off || known;
    if (!(off && take(d, (struct dfr_where){.off = off}, size)) &&
        !(known && take(d, (struct dfr_where){.va = va}, MOST)) && !search_everywhere(d) && asked &&
        d->whole)
        dfr_dump_damaged(d, off, off + (off ? LEAST : 0),
                         "the kernel's debugger data block is not readable");
    uint64_t kernel;
    if (dfr_kdbg_pointer(d, DFR_KDBG_KERNEL, &kernel) && dfr_dump_is_kernel(d, kernel)) {
        d->kernel = kernel;
        dfr_dump_put(d, DFR_F_OS_KERNEL_BASE, dfr_v_addr(kernel), d->kdbg_at + DFR_KDBG_KERNEL,
                     d->kdbg_at + DFR_KDBG_KERNEL + 8);
    }
}
