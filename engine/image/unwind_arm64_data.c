/* Unwind data of ARM64 into operations: codes, and the words that stand for canonical functions.
 * Source: the documented exception handling of ARM64. */
#include "base/limits.h"
#include "image/unwind_arm64.h"
#include "image/unwind_step.h"

enum { ENTRY = 8, FIRST = 19 }; /* x19 is the first register that a call keeps */

static bool bad(struct dfr_step *s, const struct dfr_pe *pe, uint32_t rva)
{
    return dfr_step_fail(s, DFR_UNWIND_INFO_BAD, DFR_REASON_NONE, pe->base + rva);
}

/* Header of the data: length, version, handler, one epilog or a list of them, counts; counts of zero
 * are in a second word. */
static bool read_header(const struct dfr_pe *pe, struct dfr_arm64_function *fn, struct dfr_step *s)
{
    uint32_t w, more, at = fn->word + 4;
    if (!dfr_pe_u32(pe, fn->word, &w))
        return dfr_step_lost(s, DFR_UNWIND_INFO_LOST, pe, fn->word);
    if (w >> 18 & 3)
        return dfr_step_fail(s, DFR_UNWIND_VERSION, DFR_REASON_NONE, pe->base + fn->word);
    uint32_t epilogs = w >> 22 & 31, words = w >> 27;
    bool one = w >> 21 & 1;
    if (!epilogs && !words) {
        if (!dfr_pe_u32(pe, at, &more))
            return dfr_step_lost(s, DFR_UNWIND_INFO_LOST, pe, at);
        epilogs = more & 0xFFFF;
        words = more >> 16 & 0xFF;
        at += 4;
    }
    fn->length = (w & 0x3FFFF) * 4;
    fn->epilogs = one ? 1 : epilogs;
    fn->scopes = one ? 0 : at;
    fn->index = one ? epilogs : 0;
    fn->codes = one ? at : at + epilogs * 4;
    fn->code_bytes = words * 4;
    return true;
}

bool dfr_arm64_function(const struct dfr_pe *pe, uint32_t entry, struct dfr_arm64_function *ret,
                        struct dfr_step *s)
{
    *ret = (struct dfr_arm64_function){0};
    if (!dfr_pe_u32(pe, entry, &ret->begin) || !dfr_pe_u32(pe, entry + 4, &ret->word))
        return dfr_step_lost(s, DFR_UNWIND_TABLE_LOST, pe, entry);
    ret->packed = ret->word & 3;
    if ((ret->word & 3) == 3)
        return bad(s, pe, entry);
    if (!ret->packed)
        return read_header(pe, ret, s);
    ret->length = (ret->word >> 2 & 0x7FF) * 4;
    ret->epilogs = (ret->word & 3) == 1; /* 2: a part of a function without prolog and epilog */
    return true;
}

uint32_t dfr_arm64_instructions(const struct dfr_arm64_ops *o, uint32_t to)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < to; i++)
        n += o->op[i].at;
    return n;
}

static struct dfr_unwind_op op(enum dfr_unwind_kind kind, uint32_t reg, uint32_t count,
                               uint32_t amount)
{
    return (struct dfr_unwind_op){(uint8_t)kind, (uint8_t)reg, (uint8_t)count, 1, amount};
}

/* Saves: their first byte, the bits that are the register, what is saved and whether sp moves. */
static const struct save {
    uint16_t mask, value; /* of the two bytes */
    uint8_t reg_at, reg_bits, off_bits;
    enum dfr_unwind_kind kind;
    uint8_t count, first, stride;
} saves[] = {
    {0xFC00, 0xC800, 6, 4, 6, DFR_OP_SAVE, 2, FIRST, 1},
    {0xFC00, 0xCC00, 6, 4, 6, DFR_OP_SAVE_X, 2, FIRST, 1},
    {0xFC00, 0xD000, 6, 4, 6, DFR_OP_SAVE, 1, FIRST, 1},
    {0xFE00, 0xD400, 5, 4, 5, DFR_OP_SAVE_X, 1, FIRST, 1},
    {0xFE00, 0xD600, 6, 3, 6, DFR_OP_SAVE_LR, 1, FIRST, 2},
    {0xFE00, 0xD800, 6, 3, 6, DFR_OP_XMM, 2, 8, 1},
    {0xFE00, 0xDA00, 6, 3, 6, DFR_OP_XMM_X, 2, 8, 1},
    {0xFE00, 0xDC00, 6, 3, 6, DFR_OP_XMM, 1, 8, 1},
    {0xFF00, 0xDE00, 5, 3, 5, DFR_OP_XMM_X, 1, 8, 1},
};

static bool decode_save(uint32_t two, struct dfr_unwind_op *ret)
{
    for (size_t i = 0; i < sizeof saves / sizeof *saves; i++) {
        const struct save *v = &saves[i];
        if ((two & v->mask) != v->value)
            continue;
        uint32_t reg = two >> v->reg_at & ((1u << v->reg_bits) - 1);
        uint32_t off = two & ((1u << v->off_bits) - 1);
        bool moves = v->kind == DFR_OP_SAVE_X || v->kind == DFR_OP_XMM_X;
        *ret = op(v->kind, v->first + reg * v->stride, v->count, (off + moves) * 8);
        return true;
    }
    return false;
}

/* Any register: pair, moving sp, number, kind (x, d, q), offset in 8 or 16 bytes. */
static bool decode_any(uint32_t b1, uint32_t b2, struct dfr_unwind_op *ret)
{
    bool pair = b1 >> 6 & 1, moves = b1 >> 5 & 1;
    uint32_t kind = b2 >> 6, reg = b1 & 31;
    if ((b1 & 0x80) || kind == 3)
        return false;
    /* Pairs, quads and what moves sp stand at multiples of 16, which the move counts from one. */
    uint32_t amount = (b2 & 63) + moves;
    amount *= pair || moves || kind == 2 ? 16 : 8;
    *ret = op(kind ? (moves ? DFR_OP_XMM_X : DFR_OP_XMM) : (moves ? DFR_OP_SAVE_X : DFR_OP_SAVE),
              reg, pair ? 2 : 1, amount);
    return true;
}

/* One code at `c`: its length in bytes, 0 when it is not known. `end` of the codes is no operation. */
static uint32_t decode(struct dfr_span c, struct dfr_unwind_op *ret)
{
    uint8_t b[4] = {0};
    for (uint32_t i = 0; i < sizeof b; i++)
        (void)dfr_span_u8(c, i, &b[i]);
    uint32_t a = b[0], two = a << 8 | b[1];
    if (a < 0x20) {
        *ret = op(DFR_OP_ALLOC, 0, 0, a * 16);
        return 1;
    }
    if (a < 0x40) {
        *ret = op(DFR_OP_SAVE_X, FIRST, 2, (a & 31) * 8);
        return 1;
    }
    if (a < 0x80) {
        *ret = op(DFR_OP_SAVE, DFR_ARM64_FP, 2, (a & 63) * 8);
        return 1;
    }
    if (a < 0xC0) {
        *ret = op(DFR_OP_SAVE_X, DFR_ARM64_FP, 2, ((a & 63) + 1) * 8);
        return 1;
    }
    if (a < 0xC8) {
        *ret = op(DFR_OP_ALLOC, 0, 0, (two & 0x7FF) * 16);
        return 2;
    }
    if (a < 0xDF)
        return decode_save(two, ret) ? 2 : 0;
    switch (a) {
    case 0xE0:
        *ret = op(DFR_OP_ALLOC, 0, 0, ((uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]) * 16);
        return 4;
    case 0xE1:
        *ret = op(DFR_OP_SET_FP, DFR_ARM64_FP, 0, 0);
        return 1;
    case 0xE2:
        *ret = op(DFR_OP_SET_FP, DFR_ARM64_FP, 0, b[1] * 8u);
        return 2;
    case 0xE3:
        *ret = op(DFR_OP_NONE, 0, 0, 0);
        return 1;
    case 0xE6:
        *ret = op(DFR_OP_NEXT, 0, 0, 0);
        return 1;
    case 0xE7:
        return decode_any(b[1], b[2], ret) ? 3 : 0;
    case 0xE8:
    case 0xE9:
    case 0xEA:
    case 0xEC:
        *ret = op(a == 0xE8   ? DFR_OP_TRAP
                  : a == 0xE9 ? DFR_OP_MFRAME
                  : a == 0xEA ? DFR_OP_CONTEXT
                              : DFR_OP_EXACT,
                  0, 0, 0);
        ret->at = 0;
        return 1;
    case 0xFC:
        *ret = op(DFR_OP_PAC, 0, 0, 0);
        return 1;
    default:
        return 0;
    }
}

static bool read_codes(const struct dfr_pe *pe, const struct dfr_arm64_function *fn, uint32_t from,
                       struct dfr_arm64_ops *ret, struct dfr_step *s)
{
    enum { END = 0xE4, END_PART = 0xE5 };
    uint8_t b[DFR_ARM64_OPS];
    ret->n = ret->own = 0;
    bool own = true;
    if (fn->code_bytes > sizeof b || from > fn->code_bytes)
        return bad(s, pe, fn->word);
    if (!dfr_pe_read(pe, fn->codes, b, fn->code_bytes))
        return dfr_step_lost(s, DFR_UNWIND_INFO_LOST, pe, fn->codes);
    for (uint32_t at = from, len; at < fn->code_bytes; at += len) {
        struct dfr_span c = {b + at, fn->code_bytes - at};
        if (b[at] == END)
            break;
        len = 1;
        if (b[at] == END_PART) {
            own = false;
            continue;
        }
        len = decode(c, &ret->op[ret->n]);
        if (!len || len > c.len)
            return dfr_step_fail(s, DFR_UNWIND_OPERATION, DFR_REASON_NONE,
                                 pe->base + fn->codes + at);
        ret->n++;
        if (own)
            ret->own = ret->n;
    }
    return true;
}

/* What the canonical prolog does, in its order. Homed parameters stand for nothing but the room. */
static bool canonical(uint32_t word, struct dfr_arm64_ops *o)
{
    uint32_t floats = word >> 13 & 7, ints = word >> 16 & 15, homed = word >> 20 & 1;
    uint32_t cr = word >> 21 & 3, frame = (word >> 23) * 16;
    uint32_t int_bytes = ints * 8 + (cr == 1 ? 8 : 0), fp_bytes = floats ? floats * 8 + 8 : 0;
    uint32_t saved = (int_bytes + fp_bytes + homed * 64 + 15) & ~15u;
    if (ints > 10 || saved > frame)
        return false;
    if (!int_bytes && !fp_bytes) { /* homed parameters alone lie with the locals */
        saved = 0;
        homed = 0;
    }
    uint32_t local = frame - saved, n = 0, i = 0;
    struct dfr_unwind_op *p = o->op;
    if (cr == 2)
        p[n++] = op(DFR_OP_PAC, 0, 0, 0);
    bool moved = false; /* the first save makes room for all */
    for (; i + 1 < ints; i += 2, moved = true)
        p[n++] = op(moved ? DFR_OP_SAVE : DFR_OP_SAVE_X, FIRST + i, 2, moved ? i * 8 : saved);
    if (i < ints && cr == 1) {
        if (!moved) /* no single instruction does both */
            p[n++] = op(DFR_OP_ALLOC, 0, 0, saved);
        p[n++] = op(DFR_OP_SAVE_LR, FIRST + i, 1, i * 8);
        moved = true;
    } else if (i < ints || cr == 1) {
        uint32_t reg = i < ints ? FIRST + i : DFR_ARM64_LR;
        p[n++] = op(moved ? DFR_OP_SAVE : DFR_OP_SAVE_X, reg, 1, moved ? i * 8 : saved);
        moved = true;
    }
    for (uint32_t k = 0; floats && k <= floats; k += 2, moved = true)
        p[n++] = op(moved ? DFR_OP_XMM : DFR_OP_XMM_X, 8 + k, k < floats ? 2 : 1,
                    moved ? int_bytes + k * 8 : saved);
    for (uint32_t k = 0; homed && k < 4; k++, moved = true)
        p[n++] = moved ? op(DFR_OP_NONE, 0, 0, 0) : op(DFR_OP_ALLOC, 0, 0, saved);
    bool chained = cr == 2 || cr == 3;
    if (chained && local <= 512) {
        p[n++] = op(DFR_OP_SAVE_X, DFR_ARM64_FP, 2, local);
    } else if (local) {
        enum { MOST = 4080 };
        if (local > MOST)
            p[n++] = op(DFR_OP_ALLOC, 0, 0, MOST);
        p[n++] = op(DFR_OP_ALLOC, 0, 0, local > MOST ? local - MOST : local);
        if (chained)
            p[n++] = op(DFR_OP_SAVE, DFR_ARM64_FP, 2, 0);
    }
    if (chained)
        p[n++] = op(DFR_OP_SET_FP, DFR_ARM64_FP, 0, 0);
    o->n = o->own = n;
    return true;
}

bool dfr_arm64_unpack(uint32_t word, bool epilog, struct dfr_arm64_ops *ret)
{
    struct dfr_arm64_ops o;
    if (!canonical(word, &o))
        return false;
    ret->n = 0;
    for (uint32_t i = o.n; i-- > 0;) {
        bool forward = o.op[i].kind == DFR_OP_NONE || o.op[i].kind == DFR_OP_SET_FP;
        if (!epilog || !forward)
            ret->op[ret->n++] = o.op[i];
    }
    ret->own = (word & 3) == 2 ? 0 : ret->n;
    return true;
}

bool dfr_arm64_prolog(const struct dfr_pe *pe, const struct dfr_arm64_function *fn,
                      struct dfr_arm64_ops *ret, struct dfr_step *s)
{
    if (!fn->packed)
        return read_codes(pe, fn, 0, ret, s);
    return dfr_arm64_unpack(fn->word, false, ret) || bad(s, pe, fn->begin);
}

bool dfr_arm64_scope(const struct dfr_pe *pe, const struct dfr_arm64_function *fn, uint32_t i,
                     uint32_t *ret_start, uint32_t *ret_index)
{
    uint32_t scope;
    if (!dfr_pe_u32(pe, fn->scopes + i * 4, &scope))
        return false;
    *ret_start = (scope & 0x3FFFF) * 4;
    *ret_index = scope >> 22;
    return true;
}

bool dfr_arm64_epilog(const struct dfr_pe *pe, const struct dfr_arm64_function *fn, uint32_t i,
                      uint32_t *ret_start, struct dfr_arm64_ops *ret, struct dfr_step *s)
{
    uint32_t start = 0, index = fn->index;
    if (fn->scopes && !dfr_arm64_scope(pe, fn, i, &start, &index))
        return dfr_step_lost(s, DFR_UNWIND_INFO_LOST, pe, fn->scopes + i * 4);
    if (!fn->packed && !read_codes(pe, fn, index, ret, s))
        return false;
    if (fn->packed && !dfr_arm64_unpack(fn->word, true, ret))
        return bad(s, pe, fn->begin);
    uint32_t bytes = (dfr_arm64_instructions(ret, ret->own) + 1) * 4;
    if (bytes > fn->length)
        return bad(s, pe, fn->packed ? fn->begin : fn->word);
    *ret_start = fn->scopes ? start : fn->length - bytes;
    return true;
}
