/* Stable structures by name. */
#include "facts/member.h"

#include <string.h>

enum {
    X64 = 1 << DFR_ARCH_X64,
    ARM64 = 1 << DFR_ARCH_ARM64,
    X86 = 1 << DFR_ARCH_X86,
    W64 = X64 | ARM64,
};

static const struct dfr_member_row rows[] = {
#define MEMBER(archs, type, member, offset, size, count)                                           \
    {DFR_MEMBER_FIXED, archs, 0, type, member, offset, size, count},
#define MEMBER_KDBG(type, member, at, width, size)                                                 \
    {DFR_MEMBER_KDBG, DFR_MEMBER_ALL, width, type, member, at, size, 1},
#define MEMBER_BLOCK(type, member, size)                                                           \
    {DFR_MEMBER_BLOCK, DFR_MEMBER_ALL, 0, type, member, 0, size, 1},
#include "facts/member.def"
#undef MEMBER
#undef MEMBER_KDBG
#undef MEMBER_BLOCK
};

const struct dfr_member_row *dfr_member_rows(size_t *ret_n)
{
    *ret_n = sizeof rows / sizeof *rows;
    return rows;
}

/* `Name[3]` without its index. */
static struct dfr_str without_index(struct dfr_str path, uint32_t *ret_index, bool *ret_indexed)
{
    *ret_index = 0;
    *ret_indexed = path.len && path.p[path.len - 1] == ']';
    if (!*ret_indexed)
        return path;
    size_t open = path.len;
    while (open > 0 && path.p[open - 1] != '[')
        open--;
    for (size_t i = open; i + 1 < path.len; i++)
        *ret_index = *ret_index * 10 + (uint32_t)(path.p[i] - '0');
    return dfr_str_slice(path, 0, open ? open - 1 : 0);
}

const struct dfr_member_row *dfr_member_find(uint32_t arch, struct dfr_str type,
                                             struct dfr_str path, uint32_t *ret_index,
                                             bool *ret_indexed)
{
    if (!dfr_member_path_ok(path))
        return NULL;
    struct dfr_str bare = without_index(path, ret_index, ret_indexed);
    uint32_t want = arch < DFR_ARCH_COUNT ? 1u << arch : DFR_MEMBER_ALL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].archs & want && dfr_str_eq(type, dfr_str_from(rows[i].type)) &&
            dfr_str_eq(bare, dfr_str_from(rows[i].member)))
            return &rows[i];
    }
    return NULL;
}

enum dfr_reason dfr_member_at(const struct dfr_member_row *row, uint64_t at, uint32_t pointer_bytes,
                              uint32_t index, bool indexed, struct dfr_member *ret)
{
    uint32_t size = row->size ? row->size : pointer_bytes;
    if (index >= row->count)
        return DFR_REASON_NO_SUCH_MEMBER;
    *ret = (struct dfr_member){.offset = at + (uint64_t)index * size,
                               .size = indexed ? size : size * row->count};
    return DFR_REASON_NONE;
}

/* --- Spelling ----------------------------------------------------------------------------------- */

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
}

bool dfr_symbol_split(struct dfr_str spelled, struct dfr_str *ret_module, struct dfr_str *ret_name)
{
    enum { MOST = 256 };
    size_t bang = dfr_str_find(spelled, DFR_STR("!"));
    if (bang == SIZE_MAX || !bang || bang + 1 >= spelled.len || spelled.len > MOST)
        return false;
    for (size_t i = 0; i < spelled.len; i++) {
        char c = spelled.p[i];
        bool more = i < bang ? strchr(".-", c) != NULL : i > bang && strchr("@?:~.-", c) != NULL;
        if (i != bang && !word_char(c) && !(c && more))
            return false;
    }
    *ret_module = dfr_str_slice(spelled, 0, bang);
    *ret_name = dfr_str_slice(spelled, bang + 1, spelled.len);
    return true;
}

bool dfr_member_path_ok(struct dfr_str path)
{
    enum { MOST = 256, DIGITS = 5 };
    size_t i = 0;
    if (path.len > MOST)
        return false;
    for (;;) {
        size_t from = i, digits = 0;
        while (i < path.len && word_char(path.p[i]))
            i++;
        if (i == from || (path.p[from] >= '0' && path.p[from] <= '9'))
            return false;
        if (i < path.len && path.p[i] == '[') {
            for (i++; i < path.len && path.p[i] >= '0' && path.p[i] <= '9'; i++)
                digits++;
            if (!digits || digits > DIGITS || i == path.len || path.p[i] != ']')
                return false;
            i++;
        }
        if (i == path.len)
            return true;
        if (path.p[i++] != '.')
            return false;
    }
}
