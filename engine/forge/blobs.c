/* Secondary data: what drivers and the kernel add behind a dump. Layout from public headers; what is in
 * the parts, by inspection of real dumps. */
#include <string.h>

#include "forge/world.h"

enum { HEAD = 0x20, CHAIN = 0x10, RECORD = 0x28 };

static const uint8_t cpuid_id[16] = {0x6F, 0xC0, 0x3D, 0xD0, 0x8E, 0xD8, 0xC5, 0x44,
                                     0xBA, 0x2A, 0xFA, 0xE0, 0x35, 0x17, 0x2D, 0x19};
static const uint8_t acpi_id[16] = {0xD2, 0x40, 0x3B, 0xE8, 0xA0, 0xB0, 0x42, 0x48,
                                    0xAB, 0xEA, 0x71, 0xC9, 0xE3, 0x46, 0x3D, 0xD1};

static uint8_t *part(struct dfr_forge *f, struct dfr_forge_file *out, const uint8_t id[16],
                     uint32_t size, bool aligned)
{
    uint32_t after = aligned ? (8 - size % 8) % 8 : 0;
    uint8_t *p = dfr_forge_piece(f, out, out->size, HEAD + size + after);
    dfr_put_le(p, HEAD, 4);
    memcpy(p + 4, id, 16);
    dfr_put_le(p + 0x14, size, 4);
    dfr_put_le(p + 0x1C, after, 4);
    out->size += HEAD + size + after;
    return p + HEAD;
}

static void put_cpuid(struct dfr_forge *f, struct dfr_forge_file *out, bool aligned)
{
    enum { MSR = 1, MICROCODE = 0x8B };
    const struct dfr_recipe_blobs *b = &f->r.blobs;
    uint32_t n = b->cpuid.n + (b->microcode ? 1 : 0);
    if (!n)
        return;
    uint8_t *p = part(f, out, cpuid_id, n * RECORD, aligned);
    for (uint32_t i = 0; i < b->cpuid.n; i++, p += RECORD) {
        const struct dfr_recipe_leaf *l = &b->cpuid.v[i];
        const uint64_t regs[4] = {l->eax, l->ebx, l->ecx, l->edx};
        dfr_put_le(p + 4, l->leaf, 4);
        for (unsigned k = 0; k < 8; k++)
            dfr_put_le(p + 8 + 4 * k, regs[k % 4], 4);
    }
    if (!b->microcode)
        return;
    dfr_put_le(p, MSR, 4);
    dfr_put_le(p + 4, MICROCODE, 4);
    for (unsigned k = 0; k < 2; k++)
        dfr_put_le(p + 8 + 16 * k + 4, b->microcode, 4); /* the high half of the register */
}

static void put_acpi(struct dfr_forge *f, struct dfr_forge_file *out, bool aligned)
{
    enum { TABLE = 0x3C, OEM = 10, OEM_BYTES = 6 };
    struct dfr_str oem = f->r.blobs.acpi_oem;
    if (!oem.len)
        return;
    uint8_t *p = part(f, out, acpi_id, TABLE, aligned);
    memcpy(p, "MCFG", 4);
    dfr_put_le(p + 4, TABLE, 4);
    p[8] = 1;
    memset(p + OEM, ' ', OEM_BYTES + 8);
    memcpy(p + OEM, oem.p, oem.len < OEM_BYTES ? oem.len : OEM_BYTES);
}

void dfr_forge_blobs(struct dfr_forge *f, struct dfr_forge_file *out, bool aligned)
{
    if (!f->r.blobs.node)
        return;
    uint8_t *p = dfr_forge_piece(f, out, out->size, CHAIN);
    memcpy(p, "DumpBlob", 8);
    dfr_put_le(p + 8, CHAIN, 4);
    dfr_put_le(p + 12, 0xF0000000 | f->r.build, 4);
    out->size += CHAIN;
    put_cpuid(f, out, aligned);
    put_acpi(f, out, aligned);
}
