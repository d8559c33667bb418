/* The schema as data: one id space for scalars, tables and columns, from schema.def and enums.def. */
#ifndef DFR_FACTS_SCHEMA_H
#define DFR_FACTS_SCHEMA_H

#include "base/str.h"
#include "facts/enums.h"
#include "facts/value.h"

enum { DFR_SCHEMA_VERSION = 1 };

/* Field ids: DFR_F_BUGCHECK_CODE, DFR_F_MODULES (the table), DFR_F_MODULES_NAME (a column). */
#define SCALAR(id, path, type, param, unit, cost, command, meaning) DFR_F_##id,
#define TABLE(id, path, cost, command, meaning) DFR_F_##id,
#define COLUMN(table, id, path, type, param, unit, meaning) DFR_F_##id,
enum dfr_field {
#include "facts/schema.def"
    DFR_F_COUNT
};
#undef SCALAR
#undef TABLE
#undef COLUMN

/* Table numbers: DFR_T_MODULES, dense from 0. */
#define SCALAR(id, path, type, param, unit, cost, command, meaning)
#define TABLE(id, path, cost, command, meaning) DFR_T_##id,
#define COLUMN(table, id, path, type, param, unit, meaning)
enum dfr_table {
#include "facts/schema.def"
    DFR_T_COUNT
};
#undef SCALAR
#undef TABLE
#undef COLUMN

enum dfr_field_class { DFR_FIELD_SCALAR, DFR_FIELD_TABLE, DFR_FIELD_COLUMN };

struct dfr_field_info {
    enum dfr_field_class cls;
    enum dfr_kind kind; /* LIST for a table */
    uint32_t param;     /* enum dfr_enum for ENUM; enum dfr_table for ROW, LIST and tables */
    uint32_t table;     /* enum dfr_table of a table or column */
    uint32_t column;    /* position in its table */
    uint32_t cost;
    const char *path; /* "bugcheck.code", "modules", "modules.built" */
    const char *name; /* last part of the path */
    const char *unit, *command, *meaning;
};

struct dfr_table_info {
    uint32_t field;        /* the table's own field id */
    uint32_t first_column; /* field id */
    uint32_t columns;
};

const struct dfr_field_info *dfr_field_info(uint32_t field);
const struct dfr_table_info *dfr_table_info(uint32_t table);
/* Field of a full path ("cpus.ipi_frozen" finds the column), or DFR_F_COUNT. */
uint32_t dfr_field_find(struct dfr_str path);
/* Column of `table` by name, or DFR_F_COUNT. */
uint32_t dfr_column_find(uint32_t table, struct dfr_str name);
/* Bounds of a number (range.def); false: it has none. */
bool dfr_field_range(uint32_t field, int64_t *ret_low, int64_t *ret_high);
const char *dfr_kind_name(enum dfr_kind kind);

const char *dfr_enum_name(uint32_t type);
uint32_t dfr_enum_count(uint32_t type);
const char *dfr_enum_word(uint32_t type, uint32_t value);
/* Value of a word (without case), or UINT32_MAX. */
uint32_t dfr_enum_find(uint32_t type, struct dfr_str word);

#endif
