/* x64: begin, end, unwind data, 12 bytes; ARM64: begin and a word, 8 bytes. Documented. */
#include "image/functions.h"

enum { X64_ENTRY = 12, ARM64_ENTRY = 8, CHAIN_MOST = 32 };

/* Number of the last entry that begins at or below `rva`, 1-based; 0: none. False: unreadable. */
static bool search(const struct dfr_pe *pe, uint32_t entry, uint32_t rva, uint32_t *ret)
{
    uint32_t table = pe->dirs[DFR_PE_EXCEPTION].rva;
    uint32_t from = 0, to = pe->dirs[DFR_PE_EXCEPTION].size / entry, begin;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (!dfr_pe_u32(pe, table + mid * entry, &begin))
            return false;
        if (begin <= rva)
            from = mid + 1;
        else
            to = mid;
    }
    *ret = from;
    return true;
}

/* The function that a piece belongs to: unwind data may say that it goes on in another entry's. */
static bool first_piece(const struct dfr_pe *pe, uint32_t begin, uint32_t data, uint32_t *ret)
{
    enum { CHAINED = 4, COUNT = 2, CODES = 4, DATA = 8 };
    for (unsigned n = 0; n < CHAIN_MOST; n++) {
        uint8_t head[CODES];
        if (data > UINT32_MAX - 2 * 256 - X64_ENTRY || !dfr_pe_read(pe, data, head, sizeof head))
            return false;
        if (!((head[0] >> 3) & CHAINED)) {
            *ret = begin;
            return true;
        }
        uint32_t next = data + CODES + ((head[COUNT] + 1u) & ~1u) * 2;
        if (!dfr_pe_u32(pe, next, &begin) || !dfr_pe_u32(pe, next + DATA, &data))
            return false;
    }
    return false;
}

static enum dfr_function_found x64(const struct dfr_pe *pe, uint32_t rva, struct dfr_function *ret)
{
    uint32_t n, at, end, data;
    if (!search(pe, X64_ENTRY, rva, &n))
        return DFR_FUNCTION_UNKNOWN;
    if (!n)
        return DFR_FUNCTION_NONE;
    at = pe->dirs[DFR_PE_EXCEPTION].rva + (n - 1) * X64_ENTRY;
    if (!dfr_pe_u32(pe, at, &ret->piece) || !dfr_pe_u32(pe, at + 4, &end) ||
        !dfr_pe_u32(pe, at + 8, &data))
        return DFR_FUNCTION_UNKNOWN;
    if (rva >= end)
        return DFR_FUNCTION_NONE;
    if (data & 1) /* "as that entry", in images of old linkers */
        ret->begin = ret->piece;
    else if (!first_piece(pe, ret->piece, data, &ret->begin))
        return DFR_FUNCTION_UNKNOWN;
    return DFR_FUNCTION_FOUND;
}

static enum dfr_function_found arm64(const struct dfr_pe *pe, uint32_t rva,
                                     struct dfr_function *ret)
{
    uint32_t n, at, word, length;
    if (!search(pe, ARM64_ENTRY, rva, &n))
        return DFR_FUNCTION_UNKNOWN;
    if (!n)
        return DFR_FUNCTION_NONE;
    at = pe->dirs[DFR_PE_EXCEPTION].rva + (n - 1) * ARM64_ENTRY;
    if (!dfr_pe_u32(pe, at, &ret->piece) || !dfr_pe_u32(pe, at + 4, &word))
        return DFR_FUNCTION_UNKNOWN;
    if (word & 3)
        length = (word >> 2 & 0x7FF) * 4;
    else if (dfr_pe_u32(pe, word, &length))
        length = (length & 0x3FFFF) * 4;
    else
        return DFR_FUNCTION_UNKNOWN;
    if (rva - ret->piece >= length)
        return DFR_FUNCTION_NONE;
    ret->begin = ret->piece;
    return (word & 3) == 2 ? DFR_FUNCTION_UNKNOWN : DFR_FUNCTION_FOUND; /* 2: whose, it says not */
}

enum dfr_function_found dfr_function_at(const struct dfr_pe *pe, uint32_t rva,
                                        struct dfr_function *ret)
{
    uint32_t table = pe->dirs[DFR_PE_EXCEPTION].rva, size = pe->dirs[DFR_PE_EXCEPTION].size;
    if (!table || size > UINT32_MAX - table)
        return DFR_FUNCTION_UNKNOWN;
    if (pe->machine == DFR_MACHINE_X64)
        return x64(pe, rva, ret);
    if (pe->machine == DFR_MACHINE_ARM64)
        return arm64(pe, rva, ret);
    return DFR_FUNCTION_UNKNOWN;
}
