/* Strings, globs, edit distance and the table of distinct names. */
#include "base/str.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static unsigned char fold(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

struct dfr_str dfr_str_from(const char *z)
{
    return (struct dfr_str){z, z ? strlen(z) : 0};
}

struct dfr_str dfr_str_dup(struct dfr_arena *a, struct dfr_str s)
{
    return (struct dfr_str){dfr_arena_copy(a, s.p, s.len), s.len};
}

bool dfr_str_eq(struct dfr_str a, struct dfr_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static int fold_cmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int d = fold((unsigned char)a[i]) - fold((unsigned char)b[i]);
        if (d)
            return d;
    }
    return 0;
}

bool dfr_str_eq_ci(struct dfr_str a, struct dfr_str b)
{
    return a.len == b.len && fold_cmp(a.p, b.p, a.len) == 0;
}

static int by_length(int d, struct dfr_str a, struct dfr_str b)
{
    return d ? d : (a.len > b.len) - (a.len < b.len);
}

int dfr_str_cmp(struct dfr_str a, struct dfr_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    return by_length(n ? memcmp(a.p, b.p, n) : 0, a, b);
}

int dfr_str_cmp_ci(struct dfr_str a, struct dfr_str b)
{
    return by_length(fold_cmp(a.p, b.p, a.len < b.len ? a.len : b.len), a, b);
}

bool dfr_str_starts(struct dfr_str s, struct dfr_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

bool dfr_str_starts_ci(struct dfr_str s, struct dfr_str prefix)
{
    return s.len >= prefix.len && fold_cmp(s.p, prefix.p, prefix.len) == 0;
}

bool dfr_str_ends_ci(struct dfr_str s, struct dfr_str suffix)
{
    return s.len >= suffix.len && fold_cmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0;
}

size_t dfr_str_find(struct dfr_str s, struct dfr_str needle)
{
    if (needle.len == 0)
        return 0;
    if (s.len < needle.len)
        return SIZE_MAX;
    const char *hit = memmem(s.p, s.len, needle.p, needle.len);
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t dfr_str_find_ci(struct dfr_str s, struct dfr_str needle)
{
    for (size_t i = 0; needle.len <= s.len && i <= s.len - needle.len; i++)
        if (fold_cmp(s.p + i, needle.p, needle.len) == 0)
            return i;
    return SIZE_MAX;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct dfr_str dfr_str_trim(struct dfr_str s)
{
    while (s.len && is_blank(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

struct dfr_str dfr_str_slice(struct dfr_str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (struct dfr_str){from ? s.p + from : s.p, to - from}; /* s.p may be NULL */
}

uint64_t dfr_str_hash(struct dfr_str s)
{
    return XXH3_64bits(s.p, s.len);
}

uint64_t dfr_str_hash_ci(struct dfr_str s)
{
    char folded[256];
    if (s.len > sizeof folded)
        s.len = sizeof folded; /* a shared prefix only costs a comparison */
    for (size_t i = 0; i < s.len; i++)
        folded[i] = (char)fold((unsigned char)s.p[i]);
    return XXH3_64bits(folded, s.len);
}

bool dfr_str_glob(struct dfr_str pattern, struct dfr_str s, bool fold_case)
{
    size_t p = 0, i = 0, star = SIZE_MAX, resume = 0;
    while (i < s.len) {
        unsigned char want = p < pattern.len ? (unsigned char)pattern.p[p] : 0;
        unsigned char have = (unsigned char)s.p[i];
        if (p < pattern.len && want == '*') {
            star = p++;
            resume = i;
        } else if (p < pattern.len &&
                   (want == '?' || want == have || (fold_case && fold(want) == fold(have)))) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.p[p] == '*')
        p++;
    return p == pattern.len;
}

unsigned dfr_str_distance(struct dfr_str a, struct dfr_str b, unsigned most)
{
    enum { LONGEST = 64 };
    if (a.len > LONGEST || b.len > LONGEST)
        return most + 1;
    unsigned rows[3][LONGEST + 1];
    unsigned *two = rows[0], *one = rows[1], *now = rows[2];
    for (unsigned j = 0; j <= b.len; j++)
        one[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        now[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned char x = fold((unsigned char)a.p[i - 1]), y = fold((unsigned char)b.p[j - 1]);
            unsigned best = one[j - 1] + (x != y);
            if (one[j] + 1 < best)
                best = one[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && x == fold((unsigned char)b.p[j - 2]) &&
                y == fold((unsigned char)a.p[i - 2]) && two[j - 2] + 1 < best)
                best = two[j - 2] + 1;
            now[j] = best;
        }
        unsigned *spare = two;
        two = one;
        one = now;
        now = spare;
    }
    return one[b.len] > most ? most + 1 : one[b.len];
}

void dfr_names_init(struct dfr_names *t, struct dfr_arena *a, bool fold_case)
{
    enum { FIRST = 64 };
    *t = (struct dfr_names){.arena = a, .n = 1, .cap = FIRST, .fold_case = fold_case};
    t->text = DFR_NEW_N(a, FIRST, struct dfr_str);
    t->slots = DFR_NEW_N(a, (size_t)2 * FIRST, uint32_t);
    t->mask = 2 * FIRST - 1;
}

static uint64_t name_hash(const struct dfr_names *t, struct dfr_str s)
{
    return t->fold_case ? dfr_str_hash_ci(s) : dfr_str_hash(s);
}

static uint32_t *slot_of(const struct dfr_names *t, struct dfr_str s)
{
    uint32_t i = (uint32_t)name_hash(t, s) & t->mask;
    while (t->slots[i]) {
        struct dfr_str have = t->text[t->slots[i]];
        if (t->fold_case ? dfr_str_eq_ci(have, s) : dfr_str_eq(have, s))
            break;
        i = (i + 1) & t->mask;
    }
    return &t->slots[i];
}

static void names_grow(struct dfr_names *t)
{
    struct dfr_str *text = DFR_NEW_N(t->arena, (size_t)t->cap * 2, struct dfr_str);
    memcpy(text, t->text, t->n * sizeof *text);
    t->text = text;
    t->cap *= 2;
    t->slots = DFR_NEW_N(t->arena, (size_t)t->cap * 2, uint32_t);
    t->mask = t->cap * 2 - 1;
    for (uint32_t id = 1; id < t->n; id++)
        *slot_of(t, t->text[id]) = id;
}

uint32_t dfr_names_add(struct dfr_names *t, struct dfr_str s)
{
    uint32_t *slot = slot_of(t, s);
    if (*slot)
        return *slot;
    if (t->n == t->cap) {
        names_grow(t);
        slot = slot_of(t, s);
    }
    t->text[t->n] = dfr_str_dup(t->arena, s);
    *slot = t->n;
    return t->n++;
}

uint32_t dfr_names_find(const struct dfr_names *t, struct dfr_str s)
{
    return *slot_of(t, s);
}
