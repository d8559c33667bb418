/* The freeze state where this build's layout is not known: the one place in the processors' blocks that
 * looks like it. That is no fact, so it is only told. */
#include "dump/calibrate.h"

#include <string.h>

enum { LEAST_PROCESSORS = 3, MOST_PROCESSORS = 64, PRCB_SIZE = 0x2B0 };
enum { RUNNING = 0, FROZEN = 2, OWNER = 4, ASKED = 5, ACTIVE_OWNER = 0x24 };

static uint32_t word(const uint8_t *block, uint32_t size, uint32_t at)
{
    uint32_t u = UINT32_MAX;
    (void)dfr_span_u32le((struct dfr_span){block, size}, at, &u);
    return u;
}

/* The crashing processor runs or owns the freeze; every other one obeyed, or was asked to, and at
 * least one obeyed. Source: debugger documentation; observed in eight dumps. */
static bool fits(uint8_t *const *blocks, uint32_t n, uint32_t own, uint32_t size, uint32_t at)
{
    uint32_t frozen = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t u = word(blocks[i], size, at);
        if (i == own ? u != RUNNING && u != OWNER && u != ACTIVE_OWNER : u != FROZEN && u != ASKED)
            return false;
        frozen += u == FROZEN;
    }
    return frozen > 0;
}

static void tell(struct dfr_dump *d, uint8_t *const *blocks, uint32_t n, uint32_t size, uint32_t at)
{
    uint32_t asked = 0, number = 0;
    for (uint32_t i = 0; i < n; i++)
        if (word(blocks[i], size, at) == ASKED) {
            asked++;
            number = d->processors.v[i].number;
        }
    if (asked)
        (void)dfr_diags_add(
            d->diags, DFR_D_DUMP_INFERRED,
            "the freeze state of a processor probably stands at +0x%x of its block: "
            "%u did not stop when the crash asked (processor %u)",
            (unsigned)at, (unsigned)asked, (unsigned)number);
    else
        (void)dfr_diags_add(
            d->diags, DFR_D_DUMP_INFERRED,
            "the freeze state of a processor probably stands at +0x%x of its block: "
            "all stopped when the crash asked",
            (unsigned)at);
}

/* What was not captured fits nothing. */
static void load(const struct dfr_dump *d, const struct dfr_where *w, uint8_t *block, uint32_t size)
{
    enum {
        CHUNK = 64
    }; /* blocks of processors are aligned to it, so none of them crosses a page */
    memset(block, 0xFF, size);
    for (uint32_t at = 0; at < size; at += CHUNK)
        (void)dfr_where_copy(d, w, at, block + at, size - at < CHUNK ? size - at : CHUNK);
}

bool dfr_dump_calibrate(struct dfr_dump *d, const struct dfr_processor *own)
{
    uint32_t n = d->processors.n, at = 0, found = 0;
    uint16_t size;
    uint8_t *blocks[MOST_PROCESSORS];
    if (!own || n < LEAST_PROCESSORS || n > MOST_PROCESSORS || !dfr_kdbg_u16(d, PRCB_SIZE, &size))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        blocks[i] = dfr_arena_alloc(d->arena, size);
        load(d, &d->processors.v[i].prcb, blocks[i], size);
    }
    for (uint32_t off = 0; off + 4 <= size; off += 4)
        if (fits(blocks, n, (uint32_t)(own - d->processors.v), size, off)) {
            at = off;
            found++;
        }
    if (found != 1)
        return false;
    tell(d, blocks, n, size, at);
    return true;
}
