/* Code before return addresses. Encodings: processor manuals. */
#include "dump/insn.h"

/* Bytes of `FF /2` with this second and third byte: a call through a register or memory. Of 32 and 64
 * bits alike: what follows the code of the register is an absolute address here, a distance there. */
static size_t indirect_length(uint8_t modrm, uint8_t sib)
{
    uint8_t mod = modrm >> 6, rm = modrm & 7;
    if ((modrm & 0x38) != 0x10)
        return 0;
    if (mod == 3)
        return 2;
    size_t n = rm == 4 ? 3 : 2;
    if (mod == 1)
        return n + 1;
    if (mod == 2)
        return n + 4;
    return rm == 5 || (rm == 4 && (sib & 7) == 5) ? n + 4 : n;
}

int dfr_code_after_call(struct dfr_dump *d, uint64_t address)
{
    enum { BYTES = 8, LONGEST = 7 };
    uint8_t b[BYTES + 1] = {0};
    struct dfr_span s = {b, BYTES};
    uint32_t w = 0;
    if (address < BYTES || !dfr_dump_text(d, address - BYTES, b, BYTES))
        return -1;
    if (d->file.machine == DFR_MACHINE_ARM64) {
        if ((address & 3) || !dfr_span_u32le(s, 4, &w))
            return 0;
        /* BL; BLR, and its forms with an authenticated pointer. */
        return (w & 0xFC000000) == 0x94000000 || (w & 0xFFFFFC1F) == 0xD63F0000 ||
               (w & 0xFEFFF800) == 0xD63F0800;
    }
    /* Where it leads proves nothing: calls that Windows patched go through stubs of no module. */
    if (b[3] == 0xE8)
        return 1;
    for (size_t n = 2; n <= LONGEST; n++)
        if (b[BYTES - n] == 0xFF && indirect_length(b[BYTES - n + 1], b[BYTES - n + 2]) == n)
            return 1;
    return 0;
}
