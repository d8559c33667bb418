/* The words that no section took: remarks beside frames, prose around the output, cut marks, noise. */
#include "text/sections.h"

#include <string.h>

enum { REMARK_FLAT = 400, NOTE_BYTES = 2000, PROSE_WORDS = 4, NOISE_WORDS = 60 };

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

/* Is it a word of a human language: letters, perhaps with an apostrophe or hyphen, perhaps punctuated? */
static bool is_language(struct dfr_str s)
{
    s = dfr_tx_strip(s, ".,;:!?()\"'`*[]");
    if (!s.len)
        return false;
    size_t upper = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!is_letter(c) && c != '\'' && c != '-' && c != '/')
            return false;
        upper += c >= 'A' && c <= 'Z';
    }
    return upper < s.len || s.len == 1;
}

/* Is the range prose rather than output that nobody read? */
bool dfr_tx_is_prose(const struct dfr_reader *r, uint32_t first, uint32_t end)
{
    uint32_t words = 0, language = 0, foreign = 0;
    for (uint32_t i = first; i < end; i++) {
        struct dfr_str s = dfr_tx_text(r, i);
        words++;
        if (is_language(s))
            language++;
        for (size_t k = 0; k < s.len; k++)
            if ((unsigned char)s.p[k] >= 0xC3) {
                foreign++;
                break;
            }
    }
    if (foreign && (foreign * 3 >= words || foreign >= 4))
        return true;
    return language >= PROSE_WORDS && language * 100 >= words * 55;
}

static void add_note(struct dfr_reader *r, size_t first, size_t last, uint32_t frame)
{
    struct dfr_str s = dfr_str_slice(r->norm.text, first, last);
    while (s.len && (s.p[0] == ' ' || s.p[0] == '\n' || s.p[0] == '\t' || s.p[0] == '\f'))
        s.p++, s.len--;
    s = dfr_str_trim(s);
    if (s.len < 2)
        return;
    if (s.len > NOTE_BYTES)
        s.len = NOTE_BYTES;
    size_t at = (size_t)(s.p - r->norm.text.p);
    *DFR_PUSH(r->a, &r->c->notes) = (struct dfr_note){(uint32_t)at, (uint32_t)(at + s.len), frame};
}

/* Does a sentence end behind byte `i`? Pasting glues sentences: `either.This post`. */
static bool sentence_ends(struct dfr_str t, size_t i, size_t end)
{
    char c = t.p[i];
    if (c != '.' && c != '!' && c != '?')
        return i >= 2 && (unsigned char)t.p[i - 2] == 0xE3 && (unsigned char)t.p[i - 1] == 0x80 &&
               (unsigned char)c == 0x82; /* the ideographic full stop */
    size_t k = i + 1;
    while (k < end && (t.p[k] == '"' || t.p[k] == ')' || t.p[k] == '\''))
        k++;
    if (k >= end || t.p[k] == '\n')
        return true;
    unsigned char before = i ? (unsigned char)t.p[i - 1] : 0;
    if (t.p[k] == ' ') {
        while (k < end && t.p[k] == ' ')
            k++;
        return k >= end || !(t.p[k] >= 'a' && t.p[k] <= 'z');
    }
    return c == '.' && before >= 'a' && before <= 'z' && t.p[k] >= 'A' && t.p[k] <= 'Z' &&
           k + 1 < end && t.p[k + 1] >= 'a' && t.p[k + 1] <= 'z';
}

/* One note per sentence of the byte range. */
static void add_sentences(struct dfr_reader *r, size_t first, size_t end)
{
    struct dfr_str t = r->norm.text;
    size_t from = first;
    for (size_t i = first; i < end; i++) {
        bool paragraph =
            t.p[i] == '\n' && i + 1 < end && (t.p[i + 1] == '\n' || t.p[i + 1] == '\f');
        if (!paragraph && !sentence_ends(t, i, end))
            continue;
        if (!paragraph && i - from < 8)
            continue;
        size_t stop = i + 1;
        while (stop < end && (t.p[stop] == '"' || t.p[stop] == ')' || t.p[stop] == '\''))
            stop++;
        add_note(r, from, stop, UINT32_MAX);
        from = stop;
    }
    if (from < end)
        add_note(r, from, end, UINT32_MAX);
}

static size_t word_end(const struct dfr_reader *r, uint32_t i)
{
    return r->words.v[i].at + r->words.v[i].len;
}

/* What follows a frame on its line, or behind a remark mark in flattened text. */
static uint32_t take_remark(struct dfr_reader *r, uint32_t first, uint32_t end, uint32_t frame)
{
    uint32_t stop = first;
    while (stop < end && !dfr_tx_bol(r, stop))
        stop++;
    bool marked = dfr_tx_remark_mark(dfr_tx_text(r, first));
    /* A paragraph goes on behind the last frame: without a mark it is no remark on it. */
    if (!marked && word_end(r, stop - 1) - r->words.v[first].at > REMARK_FLAT)
        return first;
    uint32_t from = first;
    while (marked && from < stop) {
        struct dfr_str s = dfr_tx_strip(dfr_tx_text(r, from), "<-=/#>^*;");
        if (s.len)
            break;
        from++;
    }
    if (from == stop || frame >= r->c->frames.n)
        return stop;
    struct dfr_frame *f = &r->c->frames.v[frame];
    size_t at = r->words.v[from].at, till = word_end(r, stop - 1);
    while (at < till && strchr("<-=/#>^*;", r->norm.text.p[at]))
        at++;
    f->remark = dfr_str_trim(dfr_str_slice(r->norm.text, at, till));
    f->remark_first = from;
    f->remark_last = stop - 1;
    add_note(r, at, till, frame);
    return stop;
}

static uint32_t line_end(const struct dfr_reader *r, uint32_t i, uint32_t end)
{
    uint32_t j = i + 1;
    while (j < end && !dfr_tx_bol(r, j))
        j++;
    return j;
}

void dfr_tx_loose_flush(struct dfr_reader *r, uint32_t end)
{
    uint32_t i = r->loose, frame = r->loose_frame;
    r->loose = DFR_NO_WORD;
    if (i == DFR_NO_WORD || i >= end)
        return;
    if (frame != UINT32_MAX && !dfr_tx_bol(r, i))
        i = take_remark(r, i, end, frame);
    /* Lines one by one: prose lines join into one text, the rest is counted as not read. */
    uint32_t prose = DFR_NO_WORD, unread = DFR_NO_WORD, unread_lines = 0, unread_last = 0;
    while (i < end) {
        uint32_t stop = line_end(r, i, end);
        bool paragraph = (dfr_tx_word(r, i)->flags & (DFR_W_PARA | DFR_W_BLOCK)) != 0;
        if (prose != DFR_NO_WORD && paragraph) {
            add_sentences(r, r->words.v[prose].at, word_end(r, i - 1));
            prose = DFR_NO_WORD;
        }
        bool is_prose = dfr_tx_is_prose(r, i, stop);
        if (is_prose || (prose != DFR_NO_WORD && !paragraph && is_language(dfr_tx_text(r, i)))) {
            if (prose == DFR_NO_WORD)
                prose = i;
        } else {
            if (prose != DFR_NO_WORD)
                add_sentences(r, r->words.v[prose].at, word_end(r, i - 1));
            prose = DFR_NO_WORD;
            if (unread == DFR_NO_WORD)
                unread = i;
            unread_lines++;
            unread_last = stop - 1;
        }
        i = stop;
    }
    if (prose != DFR_NO_WORD)
        add_sentences(r, r->words.v[prose].at, word_end(r, end - 1));
    if (unread_lines >= 3 && r->out != DFR_OUT_OTHER)
        dfr_tx_skip_note(r, dfr_str_slice(dfr_tx_text_range(r, unread, unread_last), 0, 80),
                         DFR_STR("lines in a form that is not known"), unread, unread_last);
}

/* `...`, `[...]`, `[snip]` on a line of their own: what stood there is unknown. */
uint32_t dfr_tx_elision(struct dfr_reader *r, uint32_t i)
{
    if (!dfr_tx_is_elision(dfr_tx_text(r, i)) || !dfr_tx_bol(r, i))
        return i;
    if (r->stack && r->c->stacks.v[r->stack - 1].count)
        r->c->stacks.v[r->stack - 1].elided = true;
    r->lm_whole = false;
    r->elided = true;
    return i + 1;
}

static const char *const noise[] = {
#define MARK(word, fn)
#define COMMAND(verb, args, out)
#define KEY(name, how, field)
#define NOISE(words) words,
#include "text/sections.def"
#undef MARK
#undef COMMAND
#undef KEY
#undef NOISE
};

uint32_t dfr_tx_noise(struct dfr_reader *r, uint32_t i)
{
    for (size_t k = 0; k < sizeof noise / sizeof *noise; k++) {
        uint32_t n = dfr_tx_phrase(r, i, noise[k]);
        if (!n)
            continue;
        /* What such a line names, an address or a word, belongs to it. */
        uint32_t end = i + n;
        for (int more = 0;
             more < 6 && end < r->words.n && !dfr_tx_bol(r, end) && dfr_tx_is(r, end, DFR_W_ADDR64);
             more++)
            end++;
        return end;
    }
    return i;
}

/* `***` rows and boxes, `*** WARNING: ...`: warnings about modules are read, the rest of the line goes. */
uint32_t dfr_tx_noise_line(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_noise(r, i);
    if (n > i)
        return n;
    uint32_t w = i + 1;
    if (dfr_tx_says(r, w, "WARNING:") || dfr_tx_says(r, w, "ERROR:"))
        w++;
    uint32_t read = dfr_tx_module_warning(r, w);
    if (read > w)
        return read;
    read = dfr_tx_fatal_error(r, i + 1);
    if (read > i + 1)
        return read;
    if (dfr_tx_says(r, i + 1, "STOP:"))
        return dfr_tx_stop(r, i + 1) > i + 1 ? dfr_tx_stop(r, i + 1) : i + 2;
    if (!dfr_tx_bol(r, i))
        return i + 1;
    uint32_t end = dfr_tx_line_end(r, i, NOISE_WORDS);
    if (dfr_tx_says(r, i, "*") || end - i >= NOISE_WORDS) {
        /* The banner that lost its blanks reads `* *` and `* Bugcheck Analysis *`; a list of prose reads
         * `* words`. */
        return dfr_tx_says(r, end - 1, "*") && end > i + 1 ? end : i + 1;
    }
    return end;
}
