/* Hardware error records, in the common platform error record format of UEFI. Source: its specification
 * and public headers. */
#include <stdio.h>
#include <string.h>

#include "forge/world.h"

enum { HEAD = 0x80, DESCRIPTOR = 0x48, SECTION_BYTES = 0x108, MOST_SECTIONS = 8 };
enum { GENERIC, X86, MEMORY, PCIE, MCA };

struct guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};
static const struct guid creator = {
    0xCF07C4BD, 0xB789, 0x4E18, {0xB3, 0xC4, 0x1F, 0x73, 0x2C, 0xB5, 0x71, 0x31}};
static const struct guid notify[] = {
    {0xE8F56FFE, 0x919C, 0x4CC5, {0xBA, 0x88, 0x65, 0xAB, 0xE1, 0x49, 0x13, 0xBB}},
    {0x2DCE8BB1, 0xBDD7, 0x450E, {0xB9, 0xAD, 0x9C, 0xF4, 0xEB, 0xD4, 0xF8, 0x90}},
    {0x5BAD89FF, 0xB7E6, 0x42C9, {0x81, 0x4A, 0xCF, 0x24, 0x85, 0xD6, 0xE9, 0x8A}},
    {0xCF93C01F, 0x1A16, 0x4DFC, {0xB8, 0xBC, 0x9C, 0x4D, 0xAF, 0x67, 0xC1, 0x04}},
    {0x3D61A466, 0xAB40, 0x409A, {0xA6, 0x98, 0xF3, 0x62, 0xD4, 0x64, 0xB3, 0x8F}},
};
static const struct guid kinds[] = {
    [GENERIC] = {0x9876CCAD, 0x47B4, 0x4BDB, {0xB6, 0x5E, 0x16, 0xF1, 0x93, 0xC4, 0xF3, 0xDB}},
    [X86] = {0xDC3EA0B0, 0xA144, 0x4797, {0xB9, 0x5B, 0x53, 0xFA, 0x24, 0x2B, 0x6E, 0x1D}},
    [MEMORY] = {0xA5BC1114, 0x6F64, 0x4EDE, {0xB8, 0x63, 0x3E, 0x83, 0xED, 0x7C, 0x83, 0xB1}},
    [PCIE] = {0xD995E954, 0xBBC1, 0x430F, {0xAD, 0x91, 0xB4, 0x4D, 0xCB, 0x3C, 0x6F, 0x35}},
    [MCA] = {0x8A1E1D01, 0x42F9, 0x4557, {0x9C, 0x33, 0x56, 0x5E, 0x5C, 0xC3, 0xF7, 0xE8}},
};

static void put_guid(uint8_t *p, const struct guid *g)
{
    dfr_put_le(p, g->a, 4);
    dfr_put_le(p + 4, g->b, 2);
    dfr_put_le(p + 6, g->c, 2);
    memcpy(p + 8, g->d, 8);
}

/* vendor:device@bus:device.function, all in hex */
static bool device(struct dfr_str s, unsigned v[5])
{
    char text[64];
    if (s.len >= sizeof text)
        return false;
    memcpy(text, s.p, s.len);
    text[s.len] = '\0';
    return sscanf(text, "%x:%x@%x:%x.%x", &v[0], &v[1], &v[2], &v[3], &v[4]) == 5;
}

/* Returns the section's bytes. */
static uint32_t put_section(struct dfr_forge *f, const struct dfr_recipe_section *s, uint8_t *p)
{
    static const uint8_t errors[] = {0, 1, 2, 4, 8};
    unsigned d[5] = {0};
    switch (s->kind) {
    case GENERIC:
        dfr_put_le(p, 0x12F, 8); /* valid: kind, instruction set, error, operation, level, id */
        p[9] = 2;
        p[0xA] = errors[s->error];
        p[0xB] = (uint8_t)s->operation;
        p[0xD] = (uint8_t)s->level;
        dfr_put_le(p + 0x98, s->processor, 8);
        return 0xC0;
    case X86:
        dfr_put_le(p, 1, 8); /* valid: APIC id */
        dfr_put_le(p + 8, s->processor, 8);
        return 0x40;
    case MEMORY:
        dfr_put_le(p, 0x4002, 8); /* valid: address, kind */
        dfr_put_le(p + 0x10, s->address, 8);
        p[0x48] = 3; /* multi-bit */
        return 0x50;
    case PCIE:
        if (!device(s->device, d))
            dfr_recipe_error(&f->file, s->node, DFR_D_RECIPE_VALUE,
                             "`device` is vendor:device@bus:device.function in hex, such as "
                             "10de:2204@01:00.0");
        dfr_put_le(p, 9, 8); /* valid: port, device */
        dfr_put_le(p + 0x28, d[0], 2);
        dfr_put_le(p + 0x2A, d[1], 2);
        p[0x2F] = (uint8_t)d[4];
        p[0x30] = (uint8_t)d[3];
        p[0x33] = (uint8_t)d[2];
        return 0xD0;
    default:
        dfr_put_le(p, 2, 4);
        dfr_put_le(p + 4, 1, 4); /* Intel */
        dfr_put_le(p + 0x10, s->processor, 4);
        dfr_put_le(p + 0x24, s->bank, 4); /* packed: nothing is aligned */
        dfr_put_le(p + 0x28, s->status, 8);
        dfr_put_le(p + 0x30, s->address, 8);
        return 0x108;
    }
}

static uint8_t bcd(unsigned n)
{
    return (uint8_t)(n / 10 << 4 | n % 10);
}

/* Seconds, minutes, hours, a flag, day, month, year, century in binary coded decimals. */
static void put_time(uint8_t *p, uint64_t t)
{
    uint64_t day = t / 86400, z = day + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    unsigned d = (unsigned)(doy - (153 * mp + 2) / 5 + 1),
             m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    unsigned y = (unsigned)(yoe + era * 400 + (m <= 2));
    p[0] = bcd((unsigned)(t % 60));
    p[1] = bcd((unsigned)(t / 60 % 60));
    p[2] = bcd((unsigned)(t / 3600 % 24));
    p[4] = bcd(d);
    p[5] = bcd(m);
    p[6] = bcd(y % 100);
    p[7] = bcd(y / 100);
}

void dfr_forge_write_whea(struct dfr_forge *f)
{
    for (uint32_t k = 0; k < f->r.whea.n; k++) {
        const struct dfr_recipe_whea *w = &f->r.whea.v[k];
        struct dfr_ref self = {.node = w->node, .name = w->name};
        uint8_t b[0x1000] = {0};
        uint32_t n = w->sections.n, severity = w->severity ? w->severity - 1 : 1;
        uint32_t at = HEAD + DESCRIPTOR * n;
        if (n > MOST_SECTIONS) {
            dfr_recipe_error(&f->file, w->node, DFR_D_RECIPE_VALUE,
                             "an error record has %u sections at most", (unsigned)MOST_SECTIONS);
            continue;
        }
        memcpy(b, "CPER", 4);
        dfr_put_le(b + 4, 0x210, 2);
        dfr_put_le(b + 6, UINT32_MAX, 4);
        dfr_put_le(b + 0xA, n, 2);
        dfr_put_le(b + 0xC, severity, 4);
        dfr_put_le(b + 0x10, 2, 4); /* valid: time */
        put_time(b + 0x18, f->r.time);
        put_guid(b + 0x40, &creator);
        put_guid(b + 0x50, &notify[w->notify]);
        dfr_put_le(b + 0x60, 0x1DBB3D5A3C6E7F0, 8);
        for (uint32_t i = 0; i < n; i++) {
            const struct dfr_recipe_section *s = &w->sections.v[i];
            uint8_t *d = b + HEAD + DESCRIPTOR * i;
            uint32_t len = put_section(f, s, b + at);
            dfr_put_le(d, at, 4);
            dfr_put_le(d + 4, len, 4);
            dfr_put_le(d + 8, 0x201, 2);
            dfr_put_le(d + 0xC, i ? 0 : 1, 4);
            put_guid(d + 0x10, &kinds[s->kind]);
            dfr_put_le(d + 0x30, severity, 4);
            at += len;
        }
        dfr_put_le(b + 0x14, at, 4);
        uint64_t va = dfr_name_value(f, &self, 0);
        dfr_world_put(f, va, b, at);
        dfr_world_hold(f, va, at, DFR_HELD_BY_BOTH);
    }
}
