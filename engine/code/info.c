/* The instruction set and the builtins as data, from op.def and builtin.def. */
#include "code/program.h"

#define VARIES (-1)
#define OP(name, operand, extra, in, out, help)                                                    \
    {#name, help, DFR_OPERAND_##operand, extra, in, out},
static const struct dfr_op_info ops[] = {
#include "code/op.def"
};
#undef OP
#undef VARIES

_Static_assert(DFR_OP_COUNT <= 256, "an opcode is one byte");

const struct dfr_op_info *dfr_op_info(uint32_t op)
{
    return op < DFR_OP_COUNT ? &ops[op] : NULL;
}

/* What the words of a row's argument list and its result parameter stand for. */
enum {
    ARG_ = DFR_KIND_NONE,
    ARG_INT = DFR_KIND_INT,
    ARG_ADDR = DFR_KIND_ADDR,
    ARG_STR = DFR_KIND_STR,
    ARG_MODULE = DFR_KIND_MODULE,
    ARG_RULE = DFR_ARG_RULE,
    ARG_CAUSE = DFR_ARG_CAUSE,
};
#define PARAM_BOOL(p) 0
#define PARAM_INT(p) 0
#define PARAM_ADDR(p) 0
#define PARAM_STR(p) 0
#define PARAM_MODULE(p) 0
#define PARAM_ROW(p) DFR_T_##p
#define PARAM_ENUM(p) DFR_E_##p
#define THREE(a, b, c, ...)                                                                        \
    {                                                                                              \
        ARG_##a, ARG_##b, ARG_##c                                                                  \
    }
#define COUNT3(a, b, c, ...) (ARG_##a != 0) + (ARG_##b != 0) + (ARG_##c != 0)
#define OPEN(...) __VA_ARGS__, , , 0
#define APPLY(macro, ...) macro(__VA_ARGS__)
#define BUILTIN(id, name, kind, param, cost, args, help)                                           \
    {name,                                                                                         \
     help,                                                                                         \
     DFR_KIND_##kind,                                                                              \
     PARAM_##kind(param),                                                                          \
     cost,                                                                                         \
     APPLY(COUNT3, OPEN args),                                                                     \
     APPLY(THREE, OPEN args),                                                                      \
     false},
#define TEST_BUILTIN(id, name, kind, param, args, help)                                            \
    {name,                                                                                         \
     help,                                                                                         \
     DFR_KIND_##kind,                                                                              \
     PARAM_##kind(param),                                                                          \
     1,                                                                                            \
     APPLY(COUNT3, OPEN args),                                                                     \
     APPLY(THREE, OPEN args),                                                                      \
     true},
static const struct dfr_builtin_info builtins[] = {
#include "code/builtin.def"
};

const struct dfr_builtin_info *dfr_builtin_info(uint32_t builtin)
{
    return builtin < DFR_B_COUNT ? &builtins[builtin] : NULL;
}
