/* PDB files made in memory, for tests: streams, laid out in blocks of 512 bytes. */
#ifndef DFR_TEST_PDB_FORGE_H
#define DFR_TEST_PDB_FORGE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { FORGE_BLOCK = 512, FORGE_MOST = 1 << 16 };
enum {
    FORGE_INFO = 1,
    FORGE_TYPES,
    FORGE_DEBUG,
    FORGE_SYMBOLS,
    FORGE_SECTIONS,
    FORGE_ORIGINAL,
    FORGE_MOVED,
    FORGE_BACK,
    FORGE_MODULE,
    FORGE_STREAMS
};

/* A growing stream. */
struct forge_stream {
    uint8_t b[8192];
    size_t n;
};
struct forge_pdb {
    struct forge_stream s[FORGE_STREAMS];
    uint16_t machine;
    uint32_t age, types;
    unsigned copies; /* how many more modules name the one stream of symbols */
};

static inline void forge_bytes(struct forge_stream *s, const void *p, size_t n)
{
    memcpy(s->b + s->n, p, n);
    s->n += n;
}

static inline void forge_u16(struct forge_stream *s, unsigned v)
{
    const uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    forge_bytes(s, b, sizeof b);
}

static inline void forge_u32(struct forge_stream *s, uint32_t v)
{
    forge_u16(s, v & 0xFFFF);
    forge_u16(s, v >> 16);
}

static inline void forge_z(struct forge_stream *s, const char *z)
{
    forge_bytes(s, z, strlen(z) + 1);
}

/* Records: begin with a kind, end with their length; padded to four bytes. */
static inline size_t forge_begin(struct forge_stream *s, unsigned kind)
{
    forge_u16(s, 0);
    forge_u16(s, kind);
    return s->n - 4;
}

static inline void forge_end(struct forge_stream *s, size_t at)
{
    while (s->n % 4) {
        s->b[s->n] = (uint8_t)(0xF0 | (4 - s->n % 4));
        s->n++;
    }
    s->b[at] = (uint8_t)(s->n - at - 2);
    s->b[at + 1] = (uint8_t)((s->n - at - 2) >> 8);
}

static inline void forge_public(struct forge_pdb *p, unsigned segment, uint32_t off, uint32_t flags,
                                const char *name)
{
    struct forge_stream *s = &p->s[FORGE_SYMBOLS];
    size_t at = forge_begin(s, 0x110E);
    forge_u32(s, flags);
    forge_u32(s, off);
    forge_u16(s, segment);
    forge_z(s, name);
    forge_end(s, at);
}

static inline void forge_function(struct forge_pdb *p, unsigned segment, uint32_t off,
                                  uint32_t size, const char *name)
{
    struct forge_stream *s = &p->s[FORGE_MODULE];
    size_t at = forge_begin(s, 0x1110);
    for (int i = 0; i < 3; i++)
        forge_u32(s, 0);
    forge_u32(s, size);
    for (int i = 0; i < 3; i++)
        forge_u32(s, 0);
    forge_u32(s, off);
    forge_u16(s, segment);
    forge_bytes(s, "", 1);
    forge_z(s, name);
    forge_end(s, at);
}

static inline void forge_section(struct forge_stream *s, uint32_t rva, uint32_t size)
{
    uint8_t b[40] = ".x";
    forge_bytes(s, b, 8);
    forge_u32(s, size);
    forge_u32(s, rva);
    forge_bytes(s, b + 8, 24);
}

static inline void forge_omap(struct forge_stream *s, uint32_t from, uint32_t to)
{
    forge_u32(s, from);
    forge_u32(s, to);
}

/* Start a type record; returns where it begins. Its index is 0x1000 + how many were before. */
static inline size_t forge_type(struct forge_pdb *p, unsigned kind)
{
    p->types++;
    return forge_begin(&p->s[FORGE_TYPES], kind);
}

static inline uint32_t forge_last(const struct forge_pdb *p)
{
    return 0x1000 + p->types - 1;
}

static inline void forge_start(struct forge_pdb *p, unsigned machine)
{
    memset(p, 0, sizeof *p);
    p->machine = (uint16_t)machine;
    p->age = 7;
    forge_u32(&p->s[FORGE_MODULE], 4);
    for (int i = 0; i < 14; i++)
        forge_u32(&p->s[FORGE_TYPES], 0); /* the head, filled in at the end */
}

static inline void forge_heads(struct forge_pdb *p)
{
    struct forge_stream *s = &p->s[FORGE_INFO], head = {.n = 0};
    forge_u32(s, 20000404);
    forge_u32(s, 0x5F000000);
    forge_u32(s, 99); /* not the age that counts */
    for (unsigned i = 1; i <= 16; i++)
        forge_bytes(s, &(uint8_t){(uint8_t)i}, 1);
    forge_u32(&head, 20040203);
    forge_u32(&head, 56);
    forge_u32(&head, 0x1000);
    forge_u32(&head, 0x1000 + p->types);
    forge_u32(&head, (uint32_t)p->s[FORGE_TYPES].n - 56);
    memcpy(p->s[FORGE_TYPES].b, head.b, head.n);
    /* One module, whose symbols stand in their stream. */
    struct forge_stream module = {.n = 0};
    for (unsigned m = 0; m <= p->copies; m++) {
        for (int i = 0; i < 8; i++)
            forge_u32(&module, 0);
        forge_u16(&module, 0);
        forge_u16(&module, FORGE_MODULE);
        forge_u32(&module, (uint32_t)p->s[FORGE_MODULE].n);
        for (int i = 0; i < 6; i++)
            forge_u32(&module, 0);
        forge_z(&module, "a.obj");
        forge_z(&module, "a.lib");
        while (module.n % 4)
            module.b[module.n++] = 0;
    }
    bool moved = p->s[FORGE_MOVED].n > 0;
    s = &p->s[FORGE_DEBUG];
    forge_u32(s, 0xFFFFFFFF);
    forge_u32(s, 19990903);
    forge_u32(s, p->age);
    forge_u16(s, 0xFFFF);
    forge_u16(s, 0);
    forge_u16(s, 0xFFFF);
    forge_u16(s, 0);
    forge_u16(s, FORGE_SYMBOLS);
    forge_u16(s, 0);
    forge_u32(s, (uint32_t)module.n);
    for (int i = 0; i < 5; i++)
        forge_u32(s, 0);
    forge_u32(s, 22);
    forge_u32(s, 0);
    forge_u16(s, 0);
    forge_u16(s, p->machine);
    forge_u32(s, 0);
    forge_bytes(s, module.b, module.n);
    const unsigned numbers[11] = {0xFFFF,
                                  0xFFFF,
                                  0xFFFF,
                                  moved ? FORGE_BACK : 0xFFFF,
                                  moved ? FORGE_MOVED : 0xFFFF,
                                  FORGE_SECTIONS,
                                  0xFFFF,
                                  0xFFFF,
                                  0xFFFF,
                                  0xFFFF,
                                  moved ? FORGE_ORIGINAL : 0xFFFF};
    for (int i = 0; i < 11; i++)
        forge_u16(s, numbers[i]);
}

/* The file. Blocks of streams stand in falling order, so that nobody takes them for contiguous.
 * Returns its length; 0: it does not fit. */
static inline size_t forge_file(struct forge_pdb *p, uint8_t *ret)
{
    struct forge_stream directory = {.n = 0};
    uint32_t next = 3, first[FORGE_STREAMS], count[FORGE_STREAMS];
    forge_heads(p);
    forge_u32(&directory, FORGE_STREAMS);
    for (int i = 0; i < FORGE_STREAMS; i++)
        forge_u32(&directory, (uint32_t)p->s[i].n);
    for (int i = 0; i < FORGE_STREAMS; i++) {
        count[i] = (uint32_t)((p->s[i].n + FORGE_BLOCK - 1) / FORGE_BLOCK);
        first[i] = next;
        next += count[i];
        for (uint32_t k = 0; k < count[i]; k++)
            forge_u32(&directory, first[i] + count[i] - 1 - k);
    }
    size_t total = (size_t)(next + 2) * FORGE_BLOCK;
    if (total > FORGE_MOST || directory.n > FORGE_BLOCK)
        return 0;
    memset(ret, 0, total);
    for (int i = 0; i < FORGE_STREAMS; i++)
        for (uint32_t k = 0; k < count[i]; k++) {
            size_t from = (size_t)k * FORGE_BLOCK, left = p->s[i].n - from;
            memcpy(ret + (size_t)(first[i] + count[i] - 1 - k) * FORGE_BLOCK, p->s[i].b + from,
                   left < FORGE_BLOCK ? left : FORGE_BLOCK);
        }
    memcpy(ret + (size_t)next * FORGE_BLOCK, directory.b, directory.n);
    struct forge_stream head = {.n = 0}, map = {.n = 0};
    static const char magic[32] = "Microsoft C/C++ MSF 7.00\r\n\x1A"
                                  "DS\0\0";
    forge_bytes(&head, magic, sizeof magic);
    forge_u32(&head, FORGE_BLOCK);
    forge_u32(&head, 1);
    forge_u32(&head, next + 2);
    forge_u32(&head, (uint32_t)directory.n);
    forge_u32(&head, 0);
    forge_u32(&head, next + 1);
    forge_u32(&map, next);
    memcpy(ret, head.b, head.n);
    memcpy(ret + (size_t)(next + 1) * FORGE_BLOCK, map.b, map.n);
    return total;
}

#endif
