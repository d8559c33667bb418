/* The walk over the words: each is offered to the readers that its shape or its text calls for. */
#include "text/transcript.h"

#include <string.h>

#include "base/limits.h"
#include "text/sections.h"

struct marker {
    struct dfr_str word;
    dfr_section_fn *read;
};

static const struct marker markers[] = {
#define MARK(word, fn) {{word, sizeof(word) - 1}, fn},
#define COMMAND(verb, args, out)
#define KEY(name, how, field)
#define NOISE(words)
#include "text/sections.def"
#undef MARK
#undef COMMAND
#undef KEY
#undef NOISE
};

enum { MARKERS = sizeof markers / sizeof *markers };

static void index_markers(struct dfr_reader *r)
{
    size_t m = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        r->marker_from[byte] = (uint16_t)m;
        while (m < MARKERS && (unsigned char)markers[m].word.p[0] == byte)
            m++;
    }
    r->marker_from[256] = (uint16_t)m;
}

/* One word may have several readers, in consecutive rows. */
static uint32_t by_marker(struct dfr_reader *r, uint32_t i)
{
    struct dfr_str s = dfr_tx_text(r, i);
    if (!s.len)
        return i;
    unsigned byte = (unsigned char)s.p[0];
    for (size_t m = r->marker_from[byte]; m < r->marker_from[byte + 1]; m++) {
        if (markers[m].word.len != s.len || memcmp(markers[m].word.p, s.p, s.len) != 0)
            continue;
        uint32_t next = markers[m].read(r, i);
        if (next > i)
            return next;
    }
    return i;
}

static uint32_t first_that_reads(struct dfr_reader *r, uint32_t i, dfr_section_fn *const *fns,
                                 size_t n)
{
    for (size_t k = 0; k < n; k++) {
        uint32_t next = fns[k](r, i);
        if (next > i)
            return next;
    }
    return i;
}

/* Columns of addresses: a frame, a module, an instruction, a processor, or a logged caller. */
static uint32_t by_address(struct dfr_reader *r, uint32_t i)
{
    static dfr_section_fn *const fns[] = {dfr_tx_device,     dfr_tx_pool_row, dfr_tx_running_row,
                                          dfr_tx_module_row, dfr_tx_frame,    dfr_tx_insn,
                                          dfr_tx_log_frame};
    if (r->out == DFR_OUT_RAW)
        return dfr_tx_raw_row(r, i);
    return first_that_reads(r, i, fns, sizeof fns / sizeof *fns);
}

static uint32_t by_hex(struct dfr_reader *r, uint32_t i)
{
    static dfr_section_fn *const fns[] = {dfr_tx_running_row, dfr_tx_frame, dfr_tx_call};
    if (r->out == DFR_OUT_RAW)
        return i;
    return first_that_reads(r, i, fns, sizeof fns / sizeof *fns);
}

static uint32_t by_shape(struct dfr_reader *r, uint32_t i)
{
    struct dfr_str s = dfr_tx_text(r, i);
    uint32_t next = i;
    if (s.p[0] == '+' && r->out == DFR_OUT_RAW)
        return dfr_tx_type_row(r, i);
    if (s.p[0] == '(') {
        next = dfr_tx_name_code(r, i);
        if (next == i && dfr_tx_says(r, i, "(Inline"))
            next = dfr_tx_frame(r, i);
    } else if (s.p[0] == '\\' || (s.p[0] == '>' && s.len == 1)) {
        next = dfr_tx_device(r, i);
        if (next == i)
            next = dfr_tx_irp_location(r, i);
    } else if (s.p[0] == '>' || (s.p[0] == '[' && r->irp_open)) {
        next = dfr_tx_irp_location(r, i);
        if (next == i)
            next = dfr_tx_elision(r, i);
    } else if (s.p[0] == '*') {
        next = dfr_tx_pool_row(r, i);
        if (next == i)
            next = dfr_tx_noise_line(r, i);
    } else if (s.p[0] == '.' || s.p[0] == '[' || s.p[0] == '<' || s.p[0] == '-') {
        next = dfr_tx_elision(r, i);
    }
    if (next > i || r->out == DFR_OUT_RAW)
        return next;
    if (memchr(s.p, '!', s.len) || memchr(s.p, '+', s.len)) {
        static dfr_section_fn *const fns[] = {dfr_tx_insn_label, dfr_tx_call};
        next = first_that_reads(r, i, fns, sizeof fns / sizeof *fns);
    } else if (s.len > 6 && (s.p[s.len - 1] == '`' || memchr(s.p, '`', s.len))) {
        next = dfr_tx_frame(r, i); /* an address that the end of its line cut */
    }
    return next;
}

static uint32_t read_at(struct dfr_reader *r, uint32_t i)
{
    uint32_t next = i;
    if (r->out == DFR_OUT_BLACKBOX && !dfr_tx_is(r, i, DFR_W_PROMPT) && !dfr_tx_is(r, i, DFR_W_KEY))
        next = dfr_tx_blackbox_line(r, i);
    else if (r->stacks_open)
        next = dfr_tx_stacks_row(r, i);
    if (next > i)
        return next;
    switch (dfr_tx_word(r, i)->cls) {
    case DFR_W_PROMPT:
        return dfr_tx_prompt(r, i);
    case DFR_W_KEY:
        next = dfr_tx_key(r, i);
        break;
    case DFR_W_ADDR64:
    case DFR_W_ADDR32:
    case DFR_W_DASHES:
        return by_address(r, i);
    case DFR_W_HEX:
        return by_hex(r, i);
    case DFR_W_REG:
        return dfr_tx_regs(r, i);
    default:
        break;
    }
    if (next == i)
        next = by_marker(r, i);
    if (next == i)
        next = by_shape(r, i);
    if (next == i && r->record_open)
        next = dfr_tx_record_line(r, i);
    if (next == i && dfr_tx_bol(r, i))
        next = dfr_tx_noise(r, i);
    return next;
}

static void walk(struct dfr_reader *r)
{
    for (uint32_t i = 0; i < r->words.n;) {
        r->frame = r->taken_before = 0;
        uint32_t next = read_at(r, i);
        if (next == i) {
            if (r->loose == DFR_NO_WORD) {
                r->loose = i;
                r->loose_frame = r->last_frame;
            }
            i++;
            continue;
        }
        dfr_tx_loose_flush(r, i - r->taken_before);
        r->last_frame = r->frame ? r->frame - 1 : UINT32_MAX;
        i = next;
    }
    dfr_tx_loose_flush(r, r->words.n);
    dfr_tx_stack_close(r);
    if (r->lm_whole)
        r->lm_whole = false; /* the list may have been cut where the text ends */
}

bool dfr_transcript_looks_like(struct dfr_span bytes)
{
    static const char *const binary[] = {"PAGEDU64", "PAGEDUMP", "MDMP",
                                         "MZ",       "\177ELF",  "PK\x03\x04"};
    struct dfr_str s = {(const char *)bytes.p, bytes.len};
    for (size_t i = 0; i < sizeof binary / sizeof *binary; i++)
        if (dfr_str_starts(s, dfr_str_from(binary[i])))
            return false;
    if (bytes.len >= 2 &&
        ((bytes.p[0] == 0xFF && bytes.p[1] == 0xFE) || (bytes.p[0] == 0xFE && bytes.p[1] == 0xFF)))
        return true;
    size_t look = bytes.len < 4096 ? bytes.len : 4096, odd = 0;
    for (size_t i = 0; i < look; i++)
        odd += bytes.p[i] == 0;
    return odd * 32 <= look;
}

/* In the order of the text, but what has a bug check before what has none: a sample of a program, or
 * a session without a crash, is not what the text is about when it shows a crash as well. */
static void put_in_order(const struct dfr_reader *r, uint32_t n, struct dfr_facts *out)
{
    for (int without = 0; without < 2; without++)
        for (uint32_t i = 0; i < n; i++) {
            const struct dfr_facts *f = r->crashes.v[i]->f;
            if ((dfr_facts_scalar(f, DFR_F_BUGCHECK_CODE)->state != DFR_KNOWN) == without)
                *out++ = *f;
        }
}

enum dfr_status dfr_transcript_read(struct dfr_arena *a, struct dfr_str bytes,
                                    struct dfr_diags *diags, struct dfr_transcript *ret,
                                    struct dfr_err *err)
{
    if (bytes.len > DFR_LIMIT_TRANSCRIPT_BYTES)
        return dfr_fail(err, DFR_LIMIT, "the text has %zu bytes; the limit is %d", bytes.len,
                        DFR_LIMIT_TRANSCRIPT_BYTES);
    struct dfr_reader *r = DFR_NEW(a, struct dfr_reader);
    r->a = a;
    r->diags = diags;
    r->command = r->loose = r->label_word = DFR_NO_WORD;
    r->loose_frame = r->last_frame = UINT32_MAX;
    r->module = r->unloaded_row = UINT32_MAX;
    dfr_tx_close_rows(r);
    r->prompt_cpu = -1;
    dfr_normal_init(&r->norm, a, bytes);
    dfr_words_init(&r->words, a, r->norm.text, dfr_tx_key_known, NULL);
    index_markers(r);
    dfr_tx_crash_begin(r, 0);
    walk(r);
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->crashes.n; i++) {
        struct dfr_crash *c = r->crashes.v[i];
        if (!c->evidence && c->code.source == DFR_SRC_NONE)
            continue;
        r->crashes.v[n++] = c;
    }
    if (!n)
        return dfr_fail(err, DFR_NOT_A_CRASH,
                        "no debugger output is in this text: neither a bug check nor a stack, "
                        "registers, modules "
                        "or an analysis");
    for (uint32_t i = 0; i < n; i++)
        dfr_tx_crash_finish(r, r->crashes.v[i]);
    ret->crashes = DFR_NEW_N(a, n, struct dfr_facts);
    ret->n = n;
    put_in_order(r, n, ret->crashes);
    if (n > 1 && diags)
        dfr_diags_add(diags, DFR_D_TEXT_CRASHES,
                      "the text holds %u crashes; each is read by itself", n);
    return DFR_OK;
}
