/* Rule sources to a program: parse, resolve, check types, generate code.
 *
 * The result does not depend on the order of the sources, nor on the order of items in them: packs
 * and everything in them are compiled in the order of their names. */
#ifndef DFR_LANG_COMPILE_H
#define DFR_LANG_COMPILE_H

#include "base/diag.h"
#include "code/program.h"

struct dfr_compile_source {
    struct dfr_str path; /* its folder decides the pack */
    struct dfr_str text;
    int layer; /* 0 pack, 1 team, 2 user */
};

struct dfr_compile_options {
    int64_t now; /* seconds since 1970, for `until`; 0: nothing expires */
    int tiers;   /* 0: stable rules only, 1: and test, 2: and nursery */
    bool lint;
    bool no_tests;    /* leave tests out: they are not needed to check a crash */
    bool givens_only; /* for what-if: a test may do without `expect` */
};

/* Compile. Diagnostics are appended in the order of their places. Returns DFR_BAD_RULES when there
 * were errors; *ret is then not to be used. Everything lives in `a`; texts are copied. */
enum dfr_status dfr_compile(struct dfr_arena *a, const struct dfr_compile_source *sources, size_t n,
                            const struct dfr_compile_options *options, struct dfr_diags *diags,
                            struct dfr_program *ret, struct dfr_err *err);

#endif
