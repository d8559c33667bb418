/* The enumerations of enums.def: DFR_E_ARCH names a type, DFR_ARCH_X64 a value of it. */
#ifndef DFR_FACTS_ENUMS_H
#define DFR_FACTS_ENUMS_H

#define ENUM(type, name) DFR_E_##type,
#define VALUE(type, id, word, meaning)
#define END(type)
enum dfr_enum {
#include "facts/enums.def"
    DFR_E_COUNT
};
#undef ENUM
#undef VALUE
#undef END
#define ENUM(type, name) enum {
#define VALUE(type, id, word, meaning) DFR_##type##_##id,
/* clang-format off */
#define END(type) DFR_##type##_COUNT };
/* clang-format on */
#include "facts/enums.def"
#undef ENUM
#undef VALUE
#undef END

#endif
