/* Dumps of physical pages put together in memory: pages by number, then a file of any kind that holds
 * them. The header is the one of dump_forge.h, or its 32-bit form. */
#ifndef DFR_TESTS_PAGE_FORGE_H
#define DFR_TESTS_PAGE_FORGE_H

#include <stdbool.h>

#include "dump_forge.h"
#include "memory/container.h"

enum { PAGES_MOST = 64, PAGES_FILE = 0x80000, PAGES_BYTES = 4096 };

struct pages_forge {
    uint64_t pfn[PAGES_MOST]; /* rising */
    uint8_t data[PAGES_MOST][PAGES_BYTES];
    unsigned n;
};

/* The page with this number, made of zeros when it is new. */
static inline uint8_t *pages_forge_page(struct pages_forge *f, uint64_t pfn)
{
    unsigned i = f->n;
    while (i && f->pfn[i - 1] >= pfn)
        i--;
    if (i < f->n && f->pfn[i] == pfn)
        return f->data[i];
    memmove(&f->pfn[i + 1], &f->pfn[i], (f->n - i) * sizeof f->pfn[0]);
    memmove(&f->data[i + 1], &f->data[i], (f->n - i) * sizeof f->data[0]);
    f->pfn[i] = pfn;
    memset(f->data[i], 0, PAGES_BYTES);
    f->n++;
    return f->data[i];
}

static inline void pages_forge_put(uint8_t *d, size_t at, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        d[at + i] = (uint8_t)(v >> 8 * i);
}

static inline void pages_forge_u64(struct pages_forge *f, uint64_t address, uint64_t v)
{
    pages_forge_put(pages_forge_page(f, address >> 12), address & 0xFFF, v, 8);
}

static inline void pages_forge_u32(struct pages_forge *f, uint64_t address, uint32_t v)
{
    pages_forge_put(pages_forge_page(f, address >> 12), address & 0xFFF, v, 4);
}

static inline void pages_forge_header32(uint8_t *d, uint32_t type)
{
    for (size_t at = 0; at < 0x1000; at += 4)
        memcpy(d + at, "PAGE", 4);
    memcpy(d, "PAGEDUMP", 8);
    forge32(d, 0x008, 15);
    forge32(d, 0x00C, 7601);
    forge32(d, 0x020, 0x14C);
    forge32(d, 0x024, 1);
    forge32(d, 0x028, 0x50);
    for (size_t i = 0; i < 4; i++)
        forge32(d, 0x02C + 4 * i, (uint32_t)i);
    forge32(d, 0xF88, type);
}

/* Runs of pages at `at`, with fields of `bytes`; how many there are. */
static inline uint32_t pages_forge_runs(const struct pages_forge *f, uint8_t *d, size_t at,
                                        unsigned bytes)
{
    uint32_t runs = 0;
    for (unsigned i = 0, n; i < f->n; i += n, runs++, at += 2 * bytes) {
        for (n = 1; i + n < f->n && f->pfn[i + n] == f->pfn[i] + n;)
            n++;
        pages_forge_put(d, at, f->pfn[i], bytes);
        pages_forge_put(d, at + bytes, n, bytes);
    }
    return runs;
}

/* Write the file; its length. `bits`: of a bitmap. `d` has PAGES_FILE bytes. */
static inline size_t pages_forge_file(const struct pages_forge *f, uint32_t type, bool wide,
                                      uint64_t bits, uint8_t *d)
{
    size_t head = wide ? 0x2000 : 0x1000, first = head, map = 0;
    memset(d, 0, PAGES_FILE);
    if (wide)
        forge_header(d, type);
    else
        pages_forge_header32(d, type);
    switch (type) {
    case 1: {
        size_t at = wide ? 0x88 : 0x64;
        unsigned bytes = wide ? 8 : 4;
        forge32(d, at, pages_forge_runs(f, d, at + 2 * bytes, bytes));
        pages_forge_put(d, at + bytes, f->n, bytes);
        break;
    }
    case 2:
        first = head + 0x1000;
        map = head + (wide ? 0x28 : 0x20);
        memcpy(d + head, wide ? "SDMPDUMP" : "PAGEDUMP", 8);
        forge32(d, head + 0xC, (uint32_t)first);
        forge32(d, head + 0x10, (uint32_t)bits);
        forge32(d, head + 0x14, f->n);
        break;
    case 5:
    case 6:
        first = head + 0x1000;
        map = head + 0x38;
        memcpy(d + head, type == 5 ? "FDMPDUMP" : "SDMPDUMP", 8);
        forge64(d, head + 0x20, first);
        forge64(d, head + 0x28, f->n);
        forge64(d, head + 0x30, bits);
        break;
    default: {
        first = head + 0x1000 + 0x40;
        forge32(d, head, 0x40);
        memcpy(d + head + 4, "RDMPDUMP", 8);
        forge64(d, head + 0x10, first - 0x2020);
        forge64(d, head + 0x18, first);
        uint32_t runs = pages_forge_runs(f, d, head + 0x30, 8);
        if (type == 10) {
            forge32(d, head + 0x20, runs);
            forge64(d, head + 0x28, f->n);
        }
        break;
    }
    }
    for (unsigned i = 0; map && i < f->n; i++)
        d[map + f->pfn[i] / 8] |= (uint8_t)(1u << f->pfn[i] % 8);
    for (unsigned i = 0; i < f->n; i++)
        memcpy(d + first + (size_t)i * PAGES_BYTES, f->data[i], PAGES_BYTES);
    return first + (size_t)f->n * PAGES_BYTES;
}

#endif
