/* Building facts for the tests of derivations. */
#ifndef DFR_TESTS_DERIVE_HELP_H
#define DFR_TESTS_DERIVE_HELP_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "facts/store.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;
static struct dfr_facts facts;

static inline void open_facts(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
    dfr_facts_init(&facts, &arena);
}

static inline void close_facts(void)
{
    dfr_arena_deinit(&arena);
}

static inline void fresh(void)
{
    dfr_facts_init(&facts, &arena);
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

static inline struct dfr_str S(const char *z) {
    return dfr_str_from(z);
}

static inline const struct dfr_value *
V(uint32_t field)
{
    return dfr_facts_scalar(&facts, field);
}

static inline uint32_t frame_raw(const char *module, const char *func, uint64_t sp, uint64_t ret)
{
    uint32_t row = dfr_facts_row(&facts, DFR_T_STACK);
    dfr_facts_cell(&facts, DFR_F_STACK_INDEX, row, dfr_v_int(row));
    struct dfr_sym s = {S(module), S(func), 0x10, true};
    dfr_facts_cell(&facts, DFR_F_STACK_SYM, row, dfr_facts_sym(&facts, s));
    if (sp)
        dfr_facts_cell(&facts, DFR_F_STACK_SP, row, dfr_v_addr(sp));
    if (ret != 1)
        dfr_facts_cell(&facts, DFR_F_STACK_RET, row, dfr_v_addr(ret));
    return row;
}

/* "module!function" or "module"; return addresses count up from 0xfffff80000001000. */
static inline uint32_t frame(const char *symbol)
{
    const char *bang = strchr(symbol, '!');
    size_t len = bang ? (size_t)(bang - symbol) : strlen(symbol);
    uint32_t row = facts.tables[DFR_T_STACK].n;
    return frame_raw(dfr_arena_copy(&arena, symbol, len), bang ? bang + 1 : "",
                     0xfffff88000100000 + row * 0x100, 0xfffff80000001000 + row);
}

static inline uint32_t module(const char *name, uint64_t base, uint64_t end)
{
    uint32_t row = dfr_facts_module_row(&facts, S(name));
    if (base)
        dfr_facts_cell(&facts, DFR_F_MODULES_BASE, row, dfr_v_addr(base));
    if (end)
        dfr_facts_cell(&facts, DFR_F_MODULES_END, row, dfr_v_addr(end));
    return row;
}

static inline void args(int64_t code, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    dfr_facts_set(&facts, DFR_F_BUGCHECK_CODE, dfr_v_int(code));
    const uint64_t v[] = {a, b, c, d};
    for (uint32_t i = 0; i < 4; i++) {
        struct dfr_value x = dfr_v_addr(v[i]);
        x.place = dfr_facts_place(&facts, (struct dfr_place){.line = i + 1});
        dfr_facts_set(&facts, DFR_F_BUGCHECK_ARG1 + i, x);
    }
}

static inline void expect_module(uint32_t field, const char *want, const char *what)
{
    const struct dfr_value *v = V(field);
    if (strcmp(want, "?") == 0)
        cr_expect_eq(v->state, DFR_UNKNOWN, "%s", what);
    else if (strcmp(want, "-") == 0)
        cr_expect_eq(v->state, DFR_ABSENT, "%s", what);
    else
        cr_expect(v->state == DFR_KNOWN &&
                      dfr_str_eq((struct dfr_str){v->as.module.p, v->as.module.len}, S(want)),
                  "%s: got %.*s", what, v->state == DFR_KNOWN ? (int)v->as.module.len : 1,
                  v->state == DFR_KNOWN ? v->as.module.p : "?");
}

static inline void reg(const char *name, uint64_t value)
{
    uint32_t row = dfr_facts_row(&facts, DFR_T_REGS);
    dfr_facts_cell(&facts, DFR_F_REGS_NAME, row, dfr_v_str(S(name)));
    dfr_facts_cell(&facts, DFR_F_REGS_VALUE, row, dfr_v_addr(value));
}

#endif
