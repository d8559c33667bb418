/* Secondary data behind a small dump: a chain of blobs, each with its id. Layout from public
 * headers; the records of CPUID, two processors side by side, observed in every x64 dump seen. */
#include <string.h>

#include "dump/triage.h"

enum {
    MOST_BLOBS = 256,
    MOST_RECORDS = 512,
    CHAIN = 16, /* bytes of the chain's header at least: 8 of its name, then its length */
    HEAD = 0x20,
    ID = 4,
    SIZE = 0x14,
    BEFORE = 0x18, /* padding */
    AFTER = 0x1C,
    RECORD = 0x28, /* u32 kind, number, then eax ebx ecx edx twice */
    ECX_ONE = 0x10,
    ECX_TWO = 0x20,
};

static uint32_t u32(struct dfr_span s, uint64_t off)
{
    uint32_t u = 0;
    return dfr_span_u32le(s, off, &u) ? u : 0;
}

static bool find_blob(const struct dfr_dump *d, const uint8_t id[16], uint64_t *ret_off,
                      uint32_t *ret_size)
{
    uint8_t buf[HEAD];
    uint64_t at = dfr_triage_u32(d, DFR_TRIAGE_SIZE_OF_DUMP);
    struct dfr_span s = {buf, HEAD};
    if (!at || !dfr_bytes_copy(d->bytes, at, buf, CHAIN) || memcmp(buf, "DumpBlob", 8) != 0)
        return false;
    at += u32(s, 8);
    for (unsigned i = 0; i < MOST_BLOBS && dfr_bytes_copy(d->bytes, at, buf, HEAD); i++) {
        uint64_t data = at + u32(s, 0) + u32(s, BEFORE);
        if (u32(s, 0) < HEAD)
            return false;
        if (!memcmp(buf + ID, id, 16)) {
            *ret_off = data;
            *ret_size = u32(s, SIZE);
            return true;
        }
        at = data + u32(s, SIZE) + u32(s, AFTER);
    }
    return false;
}

bool dfr_dump_cpuid_ecx(const struct dfr_dump *d, uint32_t leaf, uint32_t *ret)
{
    static const uint8_t id[16] = {0x6F, 0xC0, 0x3D, 0xD0, 0x8E, 0xD8, 0xC5, 0x44,
                                   0xBA, 0x2A, 0xFA, 0xE0, 0x35, 0x17, 0x2D, 0x19};
    uint64_t off;
    uint32_t size;
    uint8_t buf[RECORD];
    struct dfr_span s = {buf, RECORD};
    if (!find_blob(d, id, &off, &size))
        return false;
    for (uint32_t i = 0; i < MOST_RECORDS && i < size / RECORD; i++) {
        if (!dfr_bytes_copy(d->bytes, off + (uint64_t)i * RECORD, buf, RECORD))
            return false;
        if (u32(s, 0) == 0 && u32(s, 4) == leaf) {
            *ret = u32(s, ECX_ONE) | u32(s, ECX_TWO);
            return *ret != 0;
        }
    }
    return false;
}
