/* Cutting and classing words: one walk, each byte looked at a bounded number of times. */
#include "text/words.h"

#include <string.h>

/* A run without blanks is looked at in pieces of WORD_MOST, which bounds the work on hostile ones. */
enum { KEY_MOST = 64, PROMPT_DIGITS = 6, WORD_MOST = 2048 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum { HEX = 1, SPACE = 2 };

static const uint8_t kind_of[256] = {
    ['0'] = HEX,    ['1'] = HEX,    ['2'] = HEX,    ['3'] = HEX, ['4'] = HEX,   ['5'] = HEX,
    ['6'] = HEX,    ['7'] = HEX,    ['8'] = HEX,    ['9'] = HEX, ['a'] = HEX,   ['b'] = HEX,
    ['c'] = HEX,    ['d'] = HEX,    ['e'] = HEX,    ['f'] = HEX, ['A'] = HEX,   ['B'] = HEX,
    ['C'] = HEX,    ['D'] = HEX,    ['E'] = HEX,    ['F'] = HEX, [' '] = SPACE, ['\n'] = SPACE,
    ['\t'] = SPACE, ['\f'] = SPACE, ['\r'] = SPACE,
};

static bool is_hex(char c)
{
    return kind_of[(unsigned char)c] == HEX;
}

static bool is_upper(char c)
{
    return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

size_t dfr_hex_run(struct dfr_str s)
{
    size_t i = 0;
    while (i < s.len && is_hex(s.p[i]))
        i++;
    return i;
}

bool dfr_hex_value(struct dfr_str s, uint64_t *ret)
{
    size_t i = s.len > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X') ? 2 : 0, digits = 0;
    uint64_t v = 0;
    for (; i < s.len; i++) {
        char c = s.p[i];
        if ((c == '`' || c == '\'') && digits)
            continue;
        if (!is_hex(c) || ++digits > 16)
            return false;
        v = v << 4 | (unsigned)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    if (!digits)
        return false;
    *ret = v;
    return true;
}

struct cutter {
    struct dfr_words *w;
    struct dfr_arena *a;
    struct dfr_str t;
    dfr_key_known *known;
    const void *user;
    uint8_t flags; /* for the next word */
};

static enum dfr_word_class class_of(struct dfr_str s)
{
    size_t run = dfr_hex_run(s);
    if (run == s.len)
        return run == 16  ? DFR_W_ADDR64
               : run == 8 ? DFR_W_ADDR32
               : run < 16 ? DFR_W_HEX
                          : DFR_W_OTHER;
    if (run == 8 && s.len == 17 && (s.p[8] == '`' || s.p[8] == '\'') &&
        dfr_hex_run(dfr_str_slice(s, 9, 17)) == 8)
        return DFR_W_ADDR64;
    if (s.len == 1 && s.p[0] == ':')
        return DFR_W_COLON;
    if (s.len >= 8 && s.p[0] == '-' && s.len <= 17) {
        size_t i = 0;
        while (i < s.len && (s.p[i] == '-' || s.p[i] == '`' || s.p[i] == '\''))
            i++;
        return i == s.len && memchr(s.p, '`', s.len) ? DFR_W_DASHES : DFR_W_OTHER;
    }
    size_t name = 0;
    while (name < s.len && name < 12 &&
           (is_digit(s.p[name]) || ((s.p[name] | 0x20) >= 'a' && (s.p[name] | 0x20) <= 'z')))
        name++;
    if (name >= 2 && name < s.len && s.p[name] == '=' &&
        dfr_hex_run(dfr_str_slice(s, name + 1, s.len)) + name + 1 == s.len && s.len > name + 1)
        return DFR_W_REG;
    return DFR_W_OTHER;
}

static void push(struct cutter *c, size_t at, size_t len, enum dfr_word_class cls)
{
    if (!len)
        return;
    *DFR_PUSH(c->a, c->w) = (struct dfr_word){(uint32_t)at, (uint32_t)len, (uint8_t)cls, c->flags};
    c->flags = 0;
}

static void push_classed(struct cutter *c, size_t at, size_t len)
{
    push(c, at, len, class_of(dfr_str_slice(c->t, at, at + len)));
}

/* Length of `kd>`, `lkd>`, `kd:x86>`, `NNN>` at `i`, which follows `digits:`; 0 when it is none. */
static size_t prompt_tail(struct dfr_str s, size_t i)
{
    struct dfr_str r = dfr_str_slice(s, i, s.len);
    if (dfr_str_starts(r, DFR_STR("kd>")))
        return 3;
    if (dfr_str_starts(r, DFR_STR("lkd>")))
        return 4;
    if (dfr_str_starts(r, DFR_STR("kd:x86>")))
        return 7;
    if (dfr_str_starts(r, DFR_STR("kd:x64>")))
        return 7;
    return 0;
}

/* `digits:` or `digits.digits:` at the end of [at, end): where it starts, or SIZE_MAX. */
static size_t prompt_number(struct dfr_str t, size_t at, size_t end)
{
    if (end <= at + 1 || t.p[end - 1] != ':')
        return SIZE_MAX;
    size_t i = end - 1;
    while (i > at && end - i < PROMPT_DIGITS + 2 && (is_digit(t.p[i - 1]) || t.p[i - 1] == '.'))
        i--;
    while (i < end - 1 && t.p[i] == '.')
        i++; /* a sentence's full stop glued to the number */
    /* In `pending.4:` the stop before the digits belongs to the sentence, in `16.0:` it does not. */
    for (size_t k = i; k < end - 1; k++)
        if (t.p[k] == '.' && i > at)
            i = k + 1;
    return i < end - 1 && is_digit(t.p[i]) ? i : SIZE_MAX;
}

/* A debugger prompt that starts at `i` inside the blank-delimited word [at, end). Returns its end, or 0. */
static size_t cut_prompt(struct cutter *c, size_t at, size_t end, size_t i)
{
    size_t tail = prompt_tail(dfr_str_slice(c->t, 0, end), i);
    if (!tail || (i > at && c->t.p[i - 1] != ':' && c->t.p[i - 1] != '.'))
        return 0;
    if (i > at) { /* `0:kd>` without a blank */
        size_t number = prompt_number(c->t, at, i);
        if (number == SIZE_MAX)
            number = i;
        push_classed(c, at, number - at);
        push(c, number, i + tail - number, DFR_W_PROMPT);
        return i + tail;
    }
    if (c->w->n && !(c->flags & (DFR_W_BOL | DFR_W_BLOCK))) {
        struct dfr_word *last = &c->w->v[c->w->n - 1];
        size_t number = prompt_number(c->t, last->at, last->at + last->len);
        if (number != SIZE_MAX) {
            if (number == last->at) {
                c->flags |= last->flags;
                c->w->n--;
            } else {
                last->len = (uint32_t)(number - last->at);
                last->cls = (uint8_t)class_of(dfr_str_slice(c->t, last->at, number));
            }
            push(c, number, i + tail - number, DFR_W_PROMPT);
            return i + tail;
        }
    }
    push(c, i, tail, DFR_W_PROMPT);
    return i + tail;
}

/* `0:000>` and `0:000:x86>` of user-mode sessions, whole words only. */
static bool is_user_prompt(struct dfr_str s)
{
    size_t i = 0, a = 0;
    while (i < s.len && is_digit(s.p[i]))
        i++;
    if (!i || i > 3 || i >= s.len || s.p[i] != ':')
        return false;
    for (i++; i < s.len && is_digit(s.p[i]); i++)
        a++;
    struct dfr_str rest = dfr_str_slice(s, i, s.len);
    return a == 3 && (dfr_str_eq(rest, DFR_STR(">")) || dfr_str_eq(rest, DFR_STR(":x86>")));
}

static bool is_key_name(struct cutter *c, struct dfr_str key)
{
    return c->known(c->user, key) || (memchr(key.p, '_', key.len) && key.len > 4);
}

/* Where a key that ends with the colon at `colon` starts in [at, colon): the longest known name, so that
 * `ATMFDIMAGE_NAME:` is cut too. SIZE_MAX: there is none. */
static size_t key_start(struct cutter *c, size_t at, size_t colon)
{
    size_t i = colon;
    while (i > at && colon - i < KEY_MOST && is_upper(c->t.p[i - 1]))
        i--;
    if (colon - i < 3) {
        if (colon - at >= 4 && memcmp(c->t.p + colon - 4, "Arg", 3) == 0 &&
            c->t.p[colon - 1] >= '1' && c->t.p[colon - 1] <= '4')
            return colon - 4;
        return SIZE_MAX;
    }
    struct dfr_str whole = dfr_str_slice(c->t, i, colon);
    if (!is_key_name(c, whole))
        return SIZE_MAX;
    if (c->known(c->user, whole))
        return i;
    for (size_t k = i + 1; colon - k >= 4; k++)
        if (c->known(c->user, dfr_str_slice(c->t, k, colon)))
            return k;
    return i;
}

/* Two addresses or an offset and an address run together: `+0x69fffff880`009b9f30`. */
static size_t glued_address(struct dfr_str s)
{
    const char *tick = s.len > 20 ? memchr(s.p + 9, '`', s.len - 9) : NULL;
    if (!tick)
        return 0;
    size_t i = (size_t)(tick - s.p);
    if (s.len - i < 9 || dfr_hex_run(dfr_str_slice(s, i + 1, s.len)) < 8)
        return 0;
    size_t from = i - 8;
    if (from < 4 || dfr_hex_run(dfr_str_slice(s, from, i)) != 8 || !is_hex(s.p[from - 1]))
        return 0;
    size_t k = from;
    while (k > 0 && is_hex(s.p[k - 1]) && from - k < 10)
        k--;
    bool offset = k >= 3 && s.p[k - 1] == 'x' && s.p[k - 2] == '0' && s.p[k - 3] == '+';
    return offset ? from : 0;
}

static void cut(struct cutter *c, size_t at, size_t end)
{
    while (at < end) {
        struct dfr_str s = dfr_str_slice(c->t, at, end);
        if (s.len == 1 && s.p[0] == '|')
            return; /* the border of a Markdown table */
        enum dfr_word_class cls = class_of(s);
        if (cls != DFR_W_OTHER) {
            push(c, at, s.len, cls);
            return;
        }
        size_t glued = glued_address(s);
        if (glued) {
            push_classed(c, at, glued);
            at += glued;
            continue;
        }
        const char *p = s.len >= 3 ? memchr(s.p, '>', s.len) : NULL;
        if (p) {
            if (is_user_prompt(s)) {
                push(c, at, s.len, DFR_W_PROMPT);
                return;
            }
            size_t gt = (size_t)(p - s.p), done = 0;
            for (size_t back = 3; back <= 7 && back <= gt + 1 && !done; back++)
                done = cut_prompt(c, at, end, at + gt + 1 - back);
            if (done) {
                at = done;
                continue;
            }
        }
        const char *colon = memchr(s.p, ':', s.len);
        bool again = false;
        for (int looks = 0; colon && looks < 4; looks++) {
            size_t k = at + (size_t)(colon - s.p);
            /* `ADAPTER_RENDER::Reset` is a C++ name. */
            bool scope = (k + 1 < end && c->t.p[k + 1] == ':') || (k > at && c->t.p[k - 1] == ':');
            size_t key = scope ? SIZE_MAX : key_start(c, at, k);
            if (key != SIZE_MAX) {
                bool arg = c->t.p[key] == 'A' && c->t.p[key + 1] == 'r';
                if (key > at)
                    push_classed(c, at, key - at);
                push(c, key, k + 1 - key, arg ? DFR_W_OTHER : DFR_W_KEY);
                at = k + 1;
                again = true;
                break;
            }
            colon = memchr(colon + 1, ':', s.len - (size_t)(colon + 1 - s.p));
        }
        if (again)
            continue;
        push(c, at, s.len, DFR_W_OTHER);
        return;
    }
}

static bool is_space(char ch)
{
    return kind_of[(unsigned char)ch] == SPACE;
}

void dfr_words_init(struct dfr_words *w, struct dfr_arena *a, struct dfr_str text,
                    dfr_key_known *known, const void *user)
{
    memset(w, 0, sizeof *w);
    struct cutter c = {.w = w, .a = a, .t = text, .known = known, .user = user, .flags = DFR_W_BOL};
    unsigned lines = 0;
    /* Debugger output has a word in about six bytes: with room for one in five nothing is copied. */
    w->cap = (uint32_t)(text.len / 5) + 16;
    w->v = dfr_arena_raw(a, w->cap * sizeof *w->v);
    for (size_t i = 0; i < text.len;) {
        char ch = text.p[i];
        if (ch == '\n') {
            c.flags |= DFR_W_BOL | (++lines > 1 ? DFR_W_PARA : 0);
            i++;
        } else if (ch == '\f') {
            c.flags |= DFR_W_BLOCK | DFR_W_BOL;
            i++;
        } else if (is_space(ch)) {
            i++;
        } else {
            size_t start = i;
            while (i < text.len && i - start < WORD_MOST && !is_space(text.p[i]))
                i++;
            lines = 0;
            cut(&c, start, i);
        }
    }
}
