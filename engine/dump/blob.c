/* Secondary data behind a dump: a chain of blobs, each with its id. Layout from public headers; the
 * records of CPUID, two processors side by side, observed in every x64 dump seen. */
#include "dump/blob.h"

#include <string.h>

#include "base/limits.h"
#include "dump/triage.h"
#include "memory/pages.h"

enum {
    MOST_RECORDS = 512,
    CHAIN = 16, /* bytes of the chain's header at least: 8 of its name, then its length */
    HEAD = 0x20,
    ID = 4,
    SIZE = 0x14,
    BEFORE = 0x18, /* padding */
    AFTER = 0x1C,
    RECORD = 0x28, /* u32 kind, number, then eax ebx ecx edx twice */
    CPUID = 0,     /* kinds; of a register the first two words are its low and high half */
    REGISTER = 1,
    LOW_ONE = 0x08,
    ECX_ONE = 0x10,
    ECX_TWO = 0x20,
};

static uint32_t u32(struct dfr_span s, uint64_t off)
{
    uint32_t u = 0;
    return dfr_span_u32le(s, off, &u) ? u : 0;
}

/* Small dumps say where the chain begins. In others it is looked for behind the last page: that is
 * not documented, so the mark at its start has to be there. */
static uint64_t chain_at(const struct dfr_dump *d)
{
    const struct dfr_pages *pages = d->memory.paging.pages;
    if (d->triage.len)
        return dfr_triage_u32(d, DFR_TRIAGE_SIZE_OF_DUMP);
    if (!pages || pages->first > d->bytes->size ||
        pages->count > (d->bytes->size - pages->first) / DFR_PAGE_BYTES)
        return 0;
    return pages->first + pages->count * DFR_PAGE_BYTES;
}

static uint64_t first(const struct dfr_dump *d)
{
    uint8_t buf[CHAIN];
    struct dfr_span s = {buf, CHAIN};
    uint64_t at = chain_at(d);
    if (!at || !dfr_bytes_copy(d->bytes, at, buf, CHAIN) || memcmp(buf, "DumpBlob", 8) != 0 ||
        u32(s, 8) < CHAIN)
        return 0;
    return at + u32(s, 8);
}

bool dfr_blob_next(const struct dfr_dump *d, uint64_t *at, struct dfr_blob *ret)
{
    uint8_t buf[HEAD];
    struct dfr_span s = {buf, HEAD};
    uint64_t from = *at ? *at : first(d);
    if (!from || !dfr_bytes_copy(d->bytes, from, buf, HEAD) || u32(s, 0) < HEAD)
        return false;
    memcpy(ret->id, buf + ID, sizeof ret->id);
    ret->off = from + u32(s, 0) + u32(s, BEFORE);
    ret->size = u32(s, SIZE);
    *at = ret->off + ret->size + u32(s, AFTER);
    return ret->off <= d->bytes->size;
}

bool dfr_blob_find(const struct dfr_dump *d, const uint8_t id[DFR_BLOB_ID_BYTES],
                   struct dfr_blob *ret)
{
    uint64_t at = 0;
    struct dfr_blob b;
    for (unsigned i = 0; i < DFR_LIMIT_DUMP_BLOBS && dfr_blob_next(d, &at, &b); i++)
        if (!memcmp(b.id, id, sizeof b.id)) {
            *ret = b;
            return true;
        }
    return false;
}

struct dfr_str dfr_guid_text(struct dfr_arena *a, const uint8_t id[DFR_BLOB_ID_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    static const uint8_t order[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    char *p = dfr_arena_alloc(a, DFR_GUID_TEXT);
    size_t n = 0;
    p[n++] = '{';
    for (size_t i = 0; i < sizeof order; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            p[n++] = '-';
        p[n++] = hex[id[order[i]] >> 4];
        p[n++] = hex[id[order[i]] & 15];
    }
    p[n++] = '}';
    return (struct dfr_str){p, n};
}

/* The record of that kind and number. */
static bool record_of(const struct dfr_dump *d, uint32_t kind, uint32_t number, uint8_t *buf,
                      uint64_t *ret_at)
{
    static const uint8_t id[DFR_BLOB_ID_BYTES] =
        DFR_GUID(0xD03DC06F, 0xD88E, 0x44C5, 0xBA, 0x2A, 0xFA, 0xE0, 0x35, 0x17, 0x2D, 0x19);
    struct dfr_blob b;
    struct dfr_span s = {buf, RECORD};
    if (!dfr_blob_find(d, id, &b))
        return false;
    for (uint32_t i = 0; i < MOST_RECORDS && i < b.size / RECORD; i++) {
        *ret_at = b.off + (uint64_t)i * RECORD;
        if (!dfr_bytes_copy(d->bytes, *ret_at, buf, RECORD))
            return false;
        if (u32(s, 0) == kind && u32(s, 4) == number)
            return true;
    }
    return false;
}

bool dfr_dump_cpuid_ecx(const struct dfr_dump *d, uint32_t leaf, uint32_t *ret)
{
    uint8_t buf[RECORD];
    uint64_t at;
    if (!record_of(d, CPUID, leaf, buf, &at))
        return false;
    *ret =
        u32((struct dfr_span){buf, RECORD}, ECX_ONE) | u32((struct dfr_span){buf, RECORD}, ECX_TWO);
    return *ret != 0;
}

bool dfr_blob_register(const struct dfr_dump *d, uint32_t number, uint64_t *ret, uint64_t *ret_at)
{
    uint8_t buf[RECORD];
    return record_of(d, REGISTER, number, buf, ret_at) &&
           dfr_span_u64le((struct dfr_span){buf, RECORD}, LOW_ONE, ret);
}
