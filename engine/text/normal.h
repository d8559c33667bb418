/* Cleaning of pasted text, with the way back: every byte of the clean text maps to the byte range of
 * the input that it came from, so that each fact can quote its source.
 * Knows HTML, BBCode, Markdown and encodings; knows nothing of debuggers, except which marks that
 * look like quoting are data (`>[` of !irp, `> ffff...` of !devstack). */
#ifndef DFR_TEXT_NORMAL_H
#define DFR_TEXT_NORMAL_H

#include "base/vec.h"
#include "facts/store.h"

/* A stretch of the output; byte `out + k` comes from input byte `in + k * step`. */
struct dfr_text_run {
    uint32_t out, in;
    uint32_t step; /* 0: one output byte stands for all input up to the next run */
};

struct dfr_text_map {
    DFR_VEC(struct dfr_text_run) runs;
};

struct dfr_normal {
    struct dfr_arena *arena;
    struct dfr_str text;        /* clean UTF-8-ish bytes; '\f' marks the edge of a quoted block */
    struct dfr_str input;       /* what it was made from, not owned */
    struct dfr_text_map clean;  /* text -> decoded bytes */
    struct dfr_text_map decode; /* decoded bytes -> input; no runs: they are the same */
    DFR_VEC(uint32_t) lines;    /* input offset of the start of each line */
    uint32_t near_clean, near_decode, near_line; /* where the last place was found */
};

/* Clean `bytes` (at most DFR_LIMIT_TRANSCRIPT_BYTES). The result lives in `a`; `bytes` must outlive it. */
void dfr_normal_init(struct dfr_normal *n, struct dfr_arena *a, struct dfr_str bytes);
/* The input range and line of the clean bytes [begin, end). */
struct dfr_place dfr_normal_place(struct dfr_normal *n, uint32_t begin, uint32_t end);

/* Step 1 of cleaning, in normal_decode.c: UTF-16 with a byte order mark becomes UTF-8, a UTF-8 mark goes.
 * Fills `lines` and, where bytes moved, `decode`; returns the decoded bytes. */
struct dfr_str dfr_normal_decode(struct dfr_normal *n, struct dfr_str bytes);
void dfr_text_map_add(struct dfr_text_map *m, struct dfr_arena *a, uint32_t out, uint32_t in,
                      uint32_t step);

/* Markup at `s.p` (normal_markup.c): how many bytes it takes, 0 when it is none, and the one byte
 * that stands for it (0: nothing). `before` is the byte in front of it, 0 at the start. */
size_t dfr_markup_entity(struct dfr_str s, char *ret_stand_in);
size_t dfr_markup_tag(struct dfr_str s, char before, char *ret_stand_in);
size_t dfr_markup_bbcode(struct dfr_str s, char *ret_stand_in);

#endif
