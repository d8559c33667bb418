/* Memory as people look at it: dq, dd, dp, dps and their kin; x; dt. */
#include "text/sections.h"

#include <string.h>

/* Bytes of a word as it is printed: 8 or 16 digits, with or without a mark in the middle; 0: none. */
static uint32_t word_bytes(struct dfr_str s, uint64_t *ret)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++)
        digits += s.p[i] != '`' && s.p[i] != '\'';
    if ((digits != 8 && digits != 16) || s.len > digits + 1 || !dfr_hex_value(s, ret))
        return 0;
    return (uint32_t)digits / 2;
}

static bool verb_is(const struct dfr_reader *r, const char *const *verbs)
{
    for (; *verbs; verbs++)
        if (dfr_str_eq(r->verb, dfr_str_from(*verbs)))
            return true;
    return false;
}

static void put_word(struct dfr_reader *r, uint32_t i, uint32_t at, uint64_t va, uint64_t value,
                     uint32_t bytes, struct dfr_str name)
{
    uint32_t row = dfr_tx_new_row(r, DFR_T_WORDS, i, at);
    dfr_tx_put_cell(r, DFR_F_WORDS_ADDR, row, dfr_v_addr(va), i, at);
    dfr_tx_put_cell(r, DFR_F_WORDS_VALUE, row, dfr_v_addr(value), at, at);
    dfr_tx_put_cell(r, DFR_F_WORDS_SIZE, row, dfr_v_int(bytes), at, at);
    if (name.len)
        dfr_tx_put_cell(r, DFR_F_WORDS_NAME, row, dfr_v_str(name), at, at);
}

/* `fffff804`1  fffff804`2 nt!ZwWriteFile`, `fffff880`1  00000001 00000002 00000003 00000004`. */
static uint32_t memory_row(struct dfr_reader *r, uint32_t i)
{
    enum { COLUMNS = 4, NAME_WORDS = 8 };
    static const char *const plain[] = {"dq", "dd", "dp", NULL};
    static const char *const named[] = {"dps", "dqs", "dds", NULL};
    bool one = verb_is(r, named);
    uint64_t va, value;
    uint32_t j = i + 1, width = 0;
    if ((!one && !verb_is(r, plain)) || !dfr_tx_address(r, i, &va))
        return i;
    if (r->verb.p[1] == 'q' || r->verb.p[1] == 'd')
        width = r->verb.p[1] == 'q' ? 8 : 4;
    for (uint32_t n = 0; n < COLUMNS && j < r->words.n && !dfr_tx_bol(r, j); n++, j++) {
        uint32_t bytes = word_bytes(dfr_tx_text(r, j), &value);
        if (!bytes || (width && bytes != width) || va > UINT64_MAX - 64)
            break; /* `????????`: not there */
        width = bytes;
        struct dfr_str name = {0};
        if (one && j + 1 < r->words.n && !dfr_tx_bol(r, j + 1))
            name = dfr_tx_text_range(r, j + 1, dfr_tx_line_end(r, j + 1, NAME_WORDS) - 1);
        put_word(r, i, j, va, value, bytes, name);
        va += bytes;
        if (one) {
            j = dfr_tx_line_end(r, j, NAME_WORDS + 1);
            break;
        }
    }
    return j > i + 1 ? j : i;
}

/* `fffff804`1 nt!KiBugCheckData = <no type information>`; a name with wildcards lists several. */
static uint32_t symbol_row(struct dfr_reader *r, uint32_t i)
{
    uint64_t va;
    if (!dfr_str_eq(r->verb, DFR_STR("x")) || !dfr_tx_address(r, i, &va) || dfr_tx_bol(r, i + 1))
        return i;
    struct dfr_str name = dfr_tx_text(r, i + 1);
    if (name.len < 3 || !memchr(name.p, '!', name.len) || memchr(name.p, '*', name.len))
        return i;
    uint32_t row = dfr_tx_new_row(r, DFR_T_SYMBOLS, i, i + 1);
    dfr_tx_put_cell(r, DFR_F_SYMBOLS_NAME, row, dfr_v_str(name), i + 1, i + 1);
    dfr_tx_put_cell(r, DFR_F_SYMBOLS_ADDR, row, dfr_v_addr(va), i, i);
    return dfr_tx_line_end(r, i, 16);
}

uint32_t dfr_tx_raw_row(struct dfr_reader *r, uint32_t i)
{
    if (!dfr_tx_bol(r, i) || r->command == DFR_NO_WORD)
        return i;
    uint32_t next = memory_row(r, i);
    return next > i ? next : symbol_row(r, i);
}

/* --- dt ----------------------------------------------------------------------------------------- */

struct listing { /* what `dt` was asked for */
    struct dfr_str type, path;
    uint64_t va;
    uint32_t first, last; /* words of the command */
};

/* `dt nt!_IRP ffffe001`1 Tail.Overlay.Thread`; with `-r` the lines do not tell what they belong to. */
static bool asked(const struct dfr_reader *r, struct listing *ret)
{
    bool has_va = false;
    *ret = (struct listing){.first = r->command, .last = r->command_end - 1};
    if (r->command == DFR_NO_WORD || !dfr_str_eq(r->verb, DFR_STR("dt")))
        return false;
    for (uint32_t j = r->command + 1; j < r->command_end; j++) {
        struct dfr_str s = dfr_tx_text(r, j);
        if (s.p[0] == '-')
            return false;
        if (!ret->type.len)
            ret->type = s;
        else if (!has_va)
            has_va = dfr_tx_address(r, j, &ret->va);
        else if (!ret->path.len)
            ret->path = s;
        else
            return false; /* several members */
    }
    return ret->type.len && has_va;
}

/* `0xffffe001`1`, `0n5`, `3`: what dt prints as a number. */
static bool printed_number(struct dfr_str s, uint64_t *ret)
{
    int64_t n;
    if (dfr_str_starts(s, DFR_STR("0x")))
        return dfr_hex_value(s, ret);
    if (dfr_str_starts(s, DFR_STR("0n")))
        s = dfr_str_slice(s, 2, s.len);
    else if (s.len != 1)
        return false;
    if (!dfr_tx_decimal(s, &n))
        return false;
    *ret = (uint64_t)n;
    return true;
}

/* The next name of a dotted path, taken off its front. */
static struct dfr_str next_name(struct dfr_str *path)
{
    const char *dot = path->len ? memchr(path->p, '.', path->len) : NULL;
    size_t end = dot ? (size_t)(dot - path->p) : path->len;
    struct dfr_str name = dfr_str_slice(*path, 0, end);
    *path = dfr_str_slice(*path, end + (dot != NULL), path->len);
    return name;
}

static void put_member(struct dfr_reader *r, const struct listing *l, struct dfr_str member,
                       uint64_t offset, uint64_t value, uint32_t first, uint32_t last)
{
    uint32_t row = dfr_tx_new_row(r, DFR_T_FIELDS, first, last);
    dfr_tx_put_cell(r, DFR_F_FIELDS_ADDR, row, dfr_v_addr(l->va), l->first, l->last);
    dfr_tx_put_cell(r, DFR_F_FIELDS_TYPE, row, dfr_v_str(l->type), l->first, l->last);
    dfr_tx_put_cell(r, DFR_F_FIELDS_MEMBER, row, dfr_v_str(member), first, last);
    dfr_tx_put_cell(r, DFR_F_FIELDS_VALUE, row, dfr_v_addr(value), first, last);
    dfr_tx_put_cell(r, DFR_F_FIELDS_OFFSET, row, dfr_v_int((int64_t)offset), first, last);
}

/* `+0x042 StackCount       : 7 ''`, and for a dotted member one line for each of its names. */
uint32_t dfr_tx_type_row(struct dfr_reader *r, uint32_t i)
{
    struct listing l;
    if (!dfr_tx_bol(r, i) || !asked(r, &l))
        return i;
    struct dfr_str rest = l.path;
    uint64_t sum = 0, offset, value;
    uint32_t j = i;
    for (; j + 2 < r->words.n && dfr_tx_bol(r, j); j = dfr_tx_line_end(r, j, 40)) {
        struct dfr_str at = dfr_tx_text(r, j), name = dfr_tx_text(r, j + 1);
        if (at.len < 4 || at.p[0] != '+' || !dfr_hex_value(dfr_str_slice(at, 1, at.len), &offset) ||
            offset > UINT32_MAX || !dfr_tx_is(r, j + 2, DFR_W_COLON))
            break;
        bool number = !dfr_tx_bol(r, j + 3) && printed_number(dfr_tx_text(r, j + 3), &value);
        if (!l.path.len) {
            if (number)
                put_member(r, &l, name, offset, value, j, j + 3);
            continue;
        }
        if (!dfr_str_eq(next_name(&rest), name))
            break;
        sum += offset;
        if (number && !rest.len)
            put_member(r, &l, l.path, sum, value, j, j + 3);
    }
    return j;
}
