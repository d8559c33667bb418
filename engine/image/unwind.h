/* One step up a stack: from the registers of a frame to those of its caller, by the unwind data of
 * the image that the frame runs in. Knows nothing of crashes; the walk is somebody else's.
 *
 * Unwind data is hostile: every table is read through the image's bounds, chains have an end, and a
 * step that cannot be taken exactly is not taken. */
#ifndef DFR_IMAGE_UNWIND_H
#define DFR_IMAGE_UNWIND_H

#include "image/pe.h"

#define UNWIND(id, text) DFR_UNWIND_##id,
enum dfr_unwind {
#include "image/unwind.def"
    DFR_UNWIND_COUNT
};
#undef UNWIND

const char *dfr_unwind_text(enum dfr_unwind u);

enum { DFR_X64_RSP = 4, DFR_X64_RBP = 5, DFR_ARM64_FP = 29, DFR_ARM64_LR = 30 };

/* Registers of a frame in the numbering of the processor's unwind data: x64 rax rcx rdx rbx rsp rbp
 * rsi rdi r8..r15 (the fifth is unused: it is `sp`), ARM64 x0..x30. */
struct dfr_frame {
    uint64_t pc, sp;
    uint64_t r[31];
    uint32_t known; /* bit n: r[n] is what it was in this frame */
    bool exact;     /* the processor stood at pc (a context, an interrupted frame); else pc is a
                       return address */
};

struct dfr_step {
    enum dfr_unwind how;
    enum dfr_reason why; /* of what cannot be read */
    uint64_t at;         /* address of what cannot be read, or of the data that is bad */
    bool leaf;           /* no function holds pc: it saved nothing */
    bool interrupted;    /* a processor's frame stood there: the new pc is exact */
    bool user;           /* of an interrupted frame: it ran in user mode */
    bool resumes;        /* the new pc is exact for another reason: the data says so */
    uint64_t slot;       /* address of the stack slot that held the new pc; 0: none did */
    uint32_t begin, end; /* the function table's entry, RVAs; of a leaf 0 */
};

/* Unwind `f` by the data of `pe`, which is loaded at pe->base (also when it comes from a file).
 * `pac`: bits of a code pointer that authenticate it, 0 when not known. OK: *f is the caller; its
 * registers that a call may change are not known. Else *f is untouched and `how` says why not. */
struct dfr_step dfr_unwind(const struct dfr_pe *pe, const struct dfr_space *stack, uint64_t pac,
                           struct dfr_frame *f);

/* A code pointer without the bits that authenticate it. */
uint64_t dfr_strip_pac(uint64_t pointer, uint64_t pac);

/* The operations of a function, for tools and tests. */
enum dfr_unwind_kind {
    DFR_OP_PUSH,    /* x64: register at sp, sp + 8 */
    DFR_OP_ALLOC,   /* sp + amount */
    DFR_OP_SET_FP,  /* sp = frame register - amount */
    DFR_OP_SAVE,    /* `count` registers from `reg` on stand at base + amount */
    DFR_OP_SAVE_X,  /* ... at sp, then sp + amount */
    DFR_OP_SAVE_LR, /* ARM64: `reg` at sp + amount and lr behind it */
    DFR_OP_XMM,     /* floating-point registers at base + amount: nothing that is followed */
    DFR_OP_XMM_X,   /* ... at sp, then sp + amount */
    DFR_OP_MACHINE, /* x64: what the processor pushed; amount 1: with an error code */
    DFR_OP_TRAP,    /* ARM64: a trap frame at sp */
    DFR_OP_MFRAME,  /* ARM64: sp and pc at sp */
    DFR_OP_CONTEXT, /* ARM64: a whole context at sp */
    DFR_OP_PAC,     /* ARM64: lr is signed */
    DFR_OP_NEXT,    /* ARM64: the next save has two registers more */
    DFR_OP_EXACT,   /* ARM64: the caller was not left by a call */
    DFR_OP_NONE,    /* an instruction that changes nothing that is followed */
};

struct dfr_unwind_op {
    uint8_t kind;
    uint8_t reg, count;
    uint8_t at; /* x64: offset behind the instruction; ARM64: 0 when it stands for none */
    uint32_t amount;
};

#endif
