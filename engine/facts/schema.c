/* The schema and the enumerations as tables, straight from the .def files. */
#include "facts/schema.h"

#include <assert.h>
#include <string.h>

#define PARAM_BOOL(p) 0
#define PARAM_INT(p) 0
#define PARAM_ADDR(p) 0
#define PARAM_STR(p) 0
#define PARAM_SYM(p) 0
#define PARAM_MODULE(p) 0
#define PARAM_BYTES(p) 0
#define PARAM_TIME(p) 0
#define PARAM_DUR(p) 0
#define PARAM_VER(p) 0
#define PARAM_ENUM(p) DFR_E_##p
#define PARAM_ROW(p) DFR_T_##p
#define PARAM_LIST(p) DFR_T_##p

/* A struct per table with one char per column: its size counts them, offsetof numbers them. */
struct columns_before_any {
    char none;
#define SCALAR(id, path, type, param, unit, cost, command, meaning)
/* clang-format off */
#define TABLE(id, path, cost, command, meaning) }; struct columns_##id {
#define COLUMN(table, id, path, type, param, unit, meaning) char id;
#include "facts/schema.def"
};
/* clang-format on */
#undef TABLE
#undef COLUMN

/* What columns take from their table: where their own name starts in the path, cost, command. */
#define TABLE(id, path, cost, command, meaning)                                                    \
    enum { PREFIX_##id = sizeof(path), COST_##id = (cost) };                                       \
    static const char COMMAND_##id[] = command;
#define COLUMN(table, id, path, type, param, unit, meaning)
#include "facts/schema.def"
#undef SCALAR
#undef TABLE
#undef COLUMN

static const struct dfr_field_info fields[] = {
#define SCALAR(id, path, type, param, unit, cost, command, meaning)                                \
    {DFR_FIELD_SCALAR, DFR_KIND_##type, PARAM_##type(param), 0, 0, (cost), path, path, unit,       \
     command,          meaning},
#define TABLE(id, path, cost, command, meaning)                                                    \
    {DFR_FIELD_TABLE, DFR_KIND_LIST, DFR_T_##id, DFR_T_##id, 0, (cost), path, path, "",            \
     command,         meaning},
#define COLUMN(table, id, path, type, param, unit, meaning)                                        \
    {DFR_FIELD_COLUMN,                                                                             \
     DFR_KIND_##type,                                                                              \
     PARAM_##type(param),                                                                          \
     DFR_T_##table,                                                                                \
     offsetof(struct columns_##table, id),                                                         \
     COST_##table,                                                                                 \
     path,                                                                                         \
     (path) + PREFIX_##table,                                                                      \
     unit,                                                                                         \
     COMMAND_##table,                                                                              \
     meaning},
#include "facts/schema.def"
#undef SCALAR
#undef TABLE
#undef COLUMN
};
static_assert(sizeof fields / sizeof *fields == DFR_F_COUNT, "one row per field");

static const struct dfr_table_info tables[] = {
#define SCALAR(id, path, type, param, unit, cost, command, meaning)
#define TABLE(id, path, cost, command, meaning)                                                    \
    {DFR_F_##id, DFR_F_##id + 1, sizeof(struct columns_##id)},
#define COLUMN(table, id, path, type, param, unit, meaning)
#include "facts/schema.def"
#undef SCALAR
#undef TABLE
#undef COLUMN
};

const struct dfr_field_info *dfr_field_info(uint32_t field)
{
    assert(field < DFR_F_COUNT);
    return &fields[field];
}

const struct dfr_table_info *dfr_table_info(uint32_t table)
{
    assert(table < DFR_T_COUNT);
    return &tables[table];
}

uint32_t dfr_field_find(struct dfr_str path)
{
    for (uint32_t i = 0; i < DFR_F_COUNT; i++)
        if (strncmp(fields[i].path, path.p, path.len) == 0 && !fields[i].path[path.len])
            return i;
    return DFR_F_COUNT;
}

uint32_t dfr_column_find(uint32_t table, struct dfr_str name)
{
    const struct dfr_table_info *t = dfr_table_info(table);
    for (uint32_t i = t->first_column; i < t->first_column + t->columns; i++)
        if (strncmp(fields[i].name, name.p, name.len) == 0 && !fields[i].name[name.len])
            return i;
    return DFR_F_COUNT;
}

bool dfr_field_range(uint32_t field, int64_t *ret_low, int64_t *ret_high)
{
    static const struct {
        uint32_t field;
        int64_t low, high;
    } ranges[] = {
#define RANGE(id, low, high) {DFR_F_##id, (low), (high)},
#include "facts/range.def"
#undef RANGE
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].field == field) {
            *ret_low = ranges[i].low;
            *ret_high = ranges[i].high;
            return true;
        }
    return false;
}

const char *dfr_kind_name(enum dfr_kind kind)
{
    static const char *const names[] = {
        [DFR_KIND_NONE] = "none",     [DFR_KIND_BOOL] = "bool",   [DFR_KIND_INT] = "int",
        [DFR_KIND_ADDR] = "addr",     [DFR_KIND_STR] = "str",     [DFR_KIND_SYM] = "sym",
        [DFR_KIND_MODULE] = "module", [DFR_KIND_BYTES] = "bytes", [DFR_KIND_TIME] = "time",
        [DFR_KIND_DUR] = "dur",       [DFR_KIND_VER] = "ver",     [DFR_KIND_ENUM] = "enum",
        [DFR_KIND_ROW] = "row",       [DFR_KIND_LIST] = "list",
    };
    return kind < sizeof names / sizeof *names ? names[kind] : "?";
}

/* Enumerations: per type a run of words in one array. */
#define ENUM(type, name)
#define VALUE(type, id, word, meaning) word,
#define END(type)
static const char *const words[] = {
#include "facts/enums.def"
};
#undef ENUM
#undef VALUE

#define ENUM(type, name) FIRST_##type, BEFORE_##type = FIRST_##type - 1,
#define VALUE(type, id, word, meaning) WORD_##type##_##id,
enum {
#include "facts/enums.def"
};
#undef ENUM
#undef VALUE
#undef END

static const struct {
    const char *name;
    uint32_t first, count;
} enums[] = {
#define ENUM(type, name) {name, FIRST_##type, DFR_##type##_COUNT},
#define VALUE(type, id, word, meaning)
#define END(type)
#include "facts/enums.def"
#undef ENUM
#undef VALUE
#undef END
};

const char *dfr_enum_name(uint32_t type)
{
    return type < DFR_E_COUNT ? enums[type].name : "?";
}

uint32_t dfr_enum_count(uint32_t type)
{
    return type < DFR_E_COUNT ? enums[type].count : 0;
}

const char *dfr_enum_word(uint32_t type, uint32_t value)
{
    return value < dfr_enum_count(type) ? words[enums[type].first + value] : "?";
}

uint32_t dfr_enum_find(uint32_t type, struct dfr_str word)
{
    for (uint32_t i = 0; i < dfr_enum_count(type); i++)
        if (dfr_str_eq_ci(dfr_str_from(words[enums[type].first + i]), word))
            return i;
    return UINT32_MAX;
}
