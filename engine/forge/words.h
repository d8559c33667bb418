/* Small parts of a transcript. */
#ifndef DFR_FORGE_WORDS_H
#define DFR_FORGE_WORDS_H

#include "forge/world.h"

#define DFR_LLX(v) ((unsigned long long)(v))

struct dfr_pen {
    struct dfr_forge *f;
    struct dfr_buf *b;
};

/* fffff800`22000000, or 8 digits on x86. */
void dfr_pen_address(struct dfr_pen *p, uint64_t va);
/* The same without the mark in the middle. */
void dfr_pen_plain(struct dfr_pen *p, uint64_t va);
void dfr_pen_symbol(struct dfr_pen *p, uint64_t va);
/* `1: kd> command` behind an empty line. */
void dfr_pen_prompt(struct dfr_pen *p, const char *command);
#define dfr_pen(p, ...) dfr_buf_printf((p)->b, __VA_ARGS__)
/* Sat Mar 14 09:26:53 2026; `thousandths`: with .000 behind the seconds. */
void dfr_pen_date(struct dfr_pen *p, uint64_t seconds, bool thousandths);

/* Registers of the context at `va`, or of the trap frame there, and the instruction. registers.c */
void dfr_pen_context(struct dfr_pen *p, const uint8_t *context);
void dfr_pen_trap(struct dfr_pen *p, uint32_t frame);
/* Frames from `first` on, with what their callers left for them. */
void dfr_pen_stack(struct dfr_pen *p, uint32_t first);
/* Modules, objects, records. listings.c */
void dfr_pen_listings(struct dfr_pen *p);

#endif
