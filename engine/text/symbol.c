/* Symbols as debuggers print them. They may hold blanks, commas, templates and quotes, and in pasted text
 * anything may follow them; they end at their offset, or at the first blank outside brackets. */
#include "text/reader.h"

#include <string.h>

enum { SYMBOL_WORDS = 24, SYMBOL_BYTES = 1024 };

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '-' || c == '.' || c == '~';
}

/* End of `+0x1f` or `+1f` at `i`, or 0. */
static size_t offset_end(struct dfr_str s, size_t i, uint64_t *ret)
{
    if (i >= s.len || s.p[i] != '+')
        return 0;
    size_t d = i + 1;
    if (d + 1 < s.len && s.p[d] == '0' && (s.p[d + 1] == 'x' || s.p[d + 1] == 'X'))
        d += 2;
    size_t run = dfr_hex_run(dfr_str_slice(s, d, s.len));
    if (!run || run > 16)
        return 0;
    if (!dfr_hex_value(dfr_str_slice(s, d, d + run), ret))
        return 0;
    return d + run;
}

/* `module+0x1`, `<Unloaded_x.sys>+0x1`: no function. */
static bool module_offset(struct dfr_str s, struct dfr_sym *ret, bool *ret_unloaded,
                          size_t *ret_used)
{
    bool unloaded = dfr_str_starts(s, DFR_STR("<Unloaded_"));
    size_t from = unloaded ? sizeof "<Unloaded_" - 1 : 0, i = from;
    while (i < s.len && is_name(s.p[i]))
        i++;
    size_t to = i;
    if (to == from)
        return false;
    if (unloaded) {
        if (i >= s.len || s.p[i] != '>')
            return false;
        i++;
    }
    uint64_t offset = 0;
    size_t end = offset_end(s, i, &offset);
    /* `drv+1f` without 0x appears in SYMBOL_NAME; `3+4` does not name a driver. */
    if (!end && !unloaded)
        return false;
    *ret = (struct dfr_sym){
        .module = dfr_str_slice(s, from, to), .offset = offset, .has_offset = end != 0};
    *ret_unloaded = unloaded;
    *ret_used = end ? end : i;
    return true;
}

/* The function behind `module!`, from `i`: its end, where an offset, a note or prose begins. */
static size_t function_end(struct dfr_str s, size_t i, bool *ret_closed)
{
    int angle = 0, round = 0;
    bool quote = false;
    size_t start = i;
    *ret_closed = true;
    /* The optimiser's outlined blocks: `nt! ?? ::FNODOBFM::`string'+0x1`. */
    size_t k = i;
    while (k < s.len && s.p[k] == ' ')
        k++;
    bool outlined = s.len - k >= 2 && memcmp(s.p + k, "??", 2) == 0;
    for (; i < s.len; i++) {
        char c = s.p[i];
        uint64_t unused;
        if (c == '+' && !angle && !round && offset_end(s, i, &unused))
            return i;
        if (c == '`')
            quote = true;
        else if (c == '\'')
            quote = false;
        else if (c == '<')
            angle++;
        else if (c == '>' && angle)
            angle--;
        else if (c == '(')
            round++;
        else if (c == ')') {
            if (!round)
                return i;
            round--;
        } else if (c == ' ' || c == '\n') {
            if (outlined && i < start + 60 && c == ' ')
                continue;
            struct dfr_str f = dfr_str_slice(s, start, i);
            if (dfr_str_ends_ci(f, DFR_STR("operator")) && c == ' ')
                continue;
            if (i + 1 < s.len && (s.p[i + 1] == '[' || s.p[i + 1] == '(') && !angle)
                return i;
            if (!angle && !round && !quote)
                return i;
        } else if (!angle && !round && !quote &&
                   (c == ',' || c == ';' || c == '"' || c == '[' || c == ']' || c == '|' ||
                    c == '=')) {
            return i;
        }
    }
    *ret_closed = !angle && !round && !quote;
    return i;
}

bool dfr_tx_symbol_text(struct dfr_str s, struct dfr_sym *ret, bool *ret_unloaded, size_t *ret_used)
{
    struct dfr_sym sym = {0};
    *ret_unloaded = false;
    if (!s.len)
        return false;
    if (dfr_str_starts(s, DFR_STR("0x")) && dfr_hex_run(dfr_str_slice(s, 2, s.len))) {
        size_t i = 2;
        while (i < s.len && i < 20 &&
               (dfr_hex_run(dfr_str_slice(s, i, i + 1)) || s.p[i] == '`' || s.p[i] == '\''))
            i++;
        if (!dfr_hex_value(dfr_str_slice(s, 0, i), &sym.offset))
            return false;
        sym.has_offset = true;
        *ret = sym;
        *ret_used = i;
        return true;
    }
    size_t bang = 0;
    while (bang < s.len && is_name(s.p[bang]))
        bang++;
    if (bang == 0 || bang >= s.len || s.p[bang] != '!')
        return module_offset(s, ret, ret_unloaded, ret_used);
    sym.module = dfr_str_slice(s, 0, bang);
    bool closed;
    size_t end = function_end(s, bang + 1, &closed);
    if (!closed) { /* an unpaired bracket: fall back to the first blank */
        end = bang + 1;
        while (end < s.len && s.p[end] != ' ' && s.p[end] != '\n')
            end++;
        for (size_t i = bang + 1; i < end; i++)
            if (s.p[i] == '+' && offset_end(s, i, &sym.offset)) {
                end = i;
                break;
            }
    }
    sym.func = dfr_str_trim(dfr_str_slice(s, bang + 1, end));
    size_t after = offset_end(s, end, &sym.offset);
    if (after) {
        sym.has_offset = true;
        end = after;
    } else {
        while (end > bang + 1 && (s.p[end - 1] == '.' || s.p[end - 1] == ':'))
            end--; /* a sentence or a label goes on */
        sym.func = dfr_str_trim(dfr_str_slice(s, bang + 1, end));
        const char *plus = sym.func.len > 3 ? memmem(sym.func.p, sym.func.len, "0x", 2) : NULL;
        size_t at = plus ? (size_t)(plus - sym.func.p) : 0;
        uint64_t v;
        if (at &&
            dfr_hex_run(dfr_str_slice(sym.func, at + 2, sym.func.len)) == sym.func.len - at - 2 &&
            dfr_hex_value(dfr_str_slice(sym.func, at + 2, sym.func.len), &v)) {
            sym.func.len = at; /* `Foo0x51`: the plus sign was lost */
            sym.offset = v;
            sym.has_offset = true;
        }
    }
    if (!sym.func.len)
        return false;
    *ret = sym;
    *ret_used = end;
    return true;
}

/* Words from `i` on up to the `lines`th end of a line, as far as a symbol can need them: the last one. */
static uint32_t reach(const struct dfr_reader *r, uint32_t i, unsigned lines)
{
    const struct dfr_word *w = r->words.v;
    uint32_t last = i;
    while (last + 1 < r->words.n && last - i < SYMBOL_WORDS &&
           w[last + 1].at - w[i].at < SYMBOL_BYTES && w[last + 1].at != w[last].at + w[last].len) {
        if (dfr_tx_bol(r, last + 1) && (w[last + 1].flags & (DFR_W_PARA | DFR_W_BLOCK) || !--lines))
            break;
        last++;
    }
    return last;
}

/* A name with template arguments that the end of a line broke: it closes below, with an offset. */
static bool broken_symbol(struct dfr_reader *r, uint32_t i, struct dfr_str line,
                          struct dfr_sym *ret, size_t *ret_used)
{
    const char *bang = memchr(line.p, '!', line.len), *angle = memchr(line.p, '<', line.len);
    bool closed, unloaded;
    if (!bang || !angle || angle < bang || angle == bang + 1)
        return false;
    (void)function_end(line, (size_t)(bang + 1 - line.p), &closed);
    if (closed)
        return false;
    struct dfr_str s = dfr_tx_text_range(r, i, reach(r, i, 3));
    char *copy = dfr_arena_alloc(r->a, s.len + 1);
    for (size_t k = 0; k < s.len; k++)
        copy[k] = s.p[k] == '\n' ? ' ' : s.p[k];
    (void)function_end((struct dfr_str){copy, s.len}, (size_t)(bang + 1 - line.p), &closed);
    struct dfr_sym sym;
    if (!closed || !dfr_tx_symbol_text((struct dfr_str){copy, s.len}, &sym, &unloaded, ret_used) ||
        !sym.has_offset || unloaded)
        return false;
    *ret = sym;
    return true;
}

uint32_t dfr_tx_symbol(struct dfr_reader *r, uint32_t i, struct dfr_sym *ret, bool *ret_unloaded)
{
    if (i >= r->words.n)
        return i;
    const struct dfr_word *w = r->words.v;
    struct dfr_str s = dfr_tx_text_range(r, i, reach(r, i, 1));
    size_t used;
    if (!dfr_tx_symbol_text(s, ret, ret_unloaded, &used))
        return i;
    (void)broken_symbol(r, i, s, ret, &used);
    uint32_t end = i;
    while (end < r->words.n && w[end].at < w[i].at + used)
        end++;
    return end;
}
