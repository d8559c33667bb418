/* A recipe's syntax: YAML as a tree whose nodes know their place in the file. Anchors and aliases are
 * no part of recipes and are refused. */
#ifndef DFR_FORGE_YAML_H
#define DFR_FORGE_YAML_H

#include "base/diag.h"

enum dfr_yaml_kind { DFR_YAML_SCALAR, DFR_YAML_LIST, DFR_YAML_MAP };

struct dfr_yaml {
    enum dfr_yaml_kind kind;
    struct dfr_str text;    /* of a scalar */
    uint32_t n;             /* items of a list, pairs of a map */
    struct dfr_yaml **keys; /* of a map */
    struct dfr_yaml **items;
    uint32_t line, column; /* 1-based; column in code points */
    uint32_t width;        /* code points to underline */
};

struct dfr_yaml_file {
    struct dfr_arena *arena;
    struct dfr_diags *diags;
    struct dfr_str path, text;
};

/* The tree of the file's one document; NULL after a diagnostic. */
const struct dfr_yaml *dfr_yaml_parse(const struct dfr_yaml_file *f);
/* Give a diagnostic the place of `node` (NULL: the file alone). */
void dfr_yaml_place(const struct dfr_yaml_file *f, struct dfr_diag *d, const struct dfr_yaml *node);

#endif
