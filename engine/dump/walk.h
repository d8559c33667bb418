/* The walk up one stack, from a context to its callers. Inside the dump layer only. */
#ifndef DFR_DUMP_WALK_H
#define DFR_DUMP_WALK_H

#include "dump/context.h"
#include "image/unwind.h"

struct dfr_walked {
    uint64_t pc, sp; /* sp of x86: the frame pointer, as debuggers number frames there */
    uint64_t low;    /* what lies below belongs to newer frames */
    uint64_t slot;   /* where pc stood on the stack; 0: in a register, or a context */
    uint32_t method; /* DFR_METHOD_* */
    bool exact;      /* pc is where the processor stood */
};

enum dfr_stack_end {
    DFR_WALK_STOPPED, /* the next frame cannot be told */
    DFR_WALK_ROOT,    /* the last frame returns to nothing */
    DFR_WALK_USER,    /* the last frame is one of a program */
    DFR_WALK_CHAIN,   /* the chain of frame pointers ended */
    DFR_WALK_LIMIT,
};

struct dfr_stack_walk {
    DFR_VEC(struct dfr_walked) frames; /* newest first, the context's own is the first */
    enum dfr_stack_end end;
    enum dfr_unwind how; /* why unwind data did not lead on; OK: it did */
    bool off_stack;      /* it led where no stack is, or to what is no code */
};

/* Walk from `c` over the stacks of a processor and a thread. At most `most` frames. */
void dfr_dump_walk(struct dfr_dump *d, const struct dfr_context *c, const struct dfr_stacks *stacks,
                   uint32_t most, struct dfr_stack_walk *ret);
/* Can `address` be one that a call returns to? It lies in code of an image, behind a call where its
 * bytes can be read. */
bool dfr_dump_may_return(struct dfr_dump *d, uint64_t address);

#endif
