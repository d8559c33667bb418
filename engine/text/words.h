/* The clean text as words: runs without blanks, classed by shape, with pasted-together pieces cut
 * apart (`Technology4: kd>`, `usbspIMAGE_NAME:`, `+0x69fffff880`009b9f30`). Line ends are kept as flags,
 * never as limits, because pastes break and join lines anywhere. */
#ifndef DFR_TEXT_WORDS_H
#define DFR_TEXT_WORDS_H

#include "base/str.h"
#include "base/vec.h"

enum dfr_word_class {
    DFR_W_OTHER,
    DFR_W_ADDR64, /* 16 hex digits, with or without a backtick or apostrophe in the middle */
    DFR_W_ADDR32, /* 8 hex digits */
    DFR_W_HEX,    /* 1 to 15 hex digits, not 8 */
    DFR_W_DASHES, /* the `--------`--------` of an inline frame */
    DFR_W_COLON,  /* a lone `:` */
    DFR_W_KEY,    /* NAME_OF_KEY: */
    DFR_W_PROMPT, /* `4: kd>`, `kd>`, `lkd>`, `16.0: kd:x86>`, `0:000>` as one word */
    DFR_W_REG,    /* `rax=0123...`: a name, `=`, a hexadecimal value */
};

enum dfr_word_flag {
    DFR_W_BOL = 1,   /* first on its line */
    DFR_W_BLOCK = 2, /* first behind the edge of a quoted block */
    DFR_W_PARA = 4,  /* first behind an empty line */
};

struct dfr_word {
    uint32_t at, len;
    uint8_t cls, flags;
};

struct dfr_words {
    struct dfr_word *v;
    uint32_t n, cap;
};

/* Is `key` (without its colon) one that the reader knows? Decides where glued keys are cut. */
typedef bool dfr_key_known(const void *user, struct dfr_str key);

void dfr_words_init(struct dfr_words *w, struct dfr_arena *a, struct dfr_str text,
                    dfr_key_known *known, const void *user);

/* Value of hexadecimal digits, skipping ` and ', with or without 0x; false when there are other bytes, none
 * or more than 16 digits. */
bool dfr_hex_value(struct dfr_str s, uint64_t *ret);
/* Number of leading bytes of `s` that are hexadecimal digits. */
size_t dfr_hex_run(struct dfr_str s);

#endif
