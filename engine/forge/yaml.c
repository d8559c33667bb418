/* The only file that knows libyaml. */
#include "forge/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/limits.h"

enum { DEPTH = 24 };

struct loader {
    const struct dfr_yaml_file *file;
    yaml_parser_t parser;
    yaml_document_t document;
    bool parser_live, document_live;
    uint32_t nodes;
};

static void release(void *p)
{
    struct loader *l = p;
    if (l->document_live)
        yaml_document_delete(&l->document);
    if (l->parser_live)
        yaml_parser_delete(&l->parser);
}

/* The line of `text` with this 1-based number, without its end. */
static struct dfr_str line_of(struct dfr_str text, uint32_t line, size_t *ret_at)
{
    size_t at = 0;
    for (uint32_t i = 1; i < line && at < text.len; i++) {
        const char *nl = memchr(text.p + at, '\n', text.len - at);
        at = nl ? (size_t)(nl - text.p) + 1 : text.len;
    }
    const char *nl = at < text.len ? memchr(text.p + at, '\n', text.len - at) : NULL;
    struct dfr_str s = dfr_str_slice(text, at, nl ? (size_t)(nl - text.p) : text.len);
    if (s.len && s.p[s.len - 1] == '\r')
        s.len--;
    *ret_at = at;
    return s;
}

static void place(const struct dfr_yaml_file *f, struct dfr_diag *d, uint32_t line, uint32_t column,
                  uint32_t width)
{
    size_t at;
    d->file = f->path;
    d->line = line;
    d->column = column;
    d->source = line_of(f->text, line, &at);
    size_t i = 0;
    for (uint32_t c = 1; c < column && i < d->source.len; c++)
        do
            i++;
        while (i < d->source.len && ((unsigned char)d->source.p[i] & 0xC0) == 0x80);
    d->begin = at + i;
    d->end = d->begin + width;
    d->caret = column ? column - 1 : 0;
    d->width = width ? width : 1;
}

void dfr_yaml_place(const struct dfr_yaml_file *f, struct dfr_diag *d, const struct dfr_yaml *node)
{
    if (node)
        place(f, d, node->line, node->column, node->width);
    else
        d->file = f->path;
}

static const struct dfr_yaml *refuse(struct loader *l, const yaml_mark_t *mark, const char *what)
{
    struct dfr_diag *d = dfr_diags_add(l->file->diags, DFR_D_RECIPE_SYNTAX, "%s", what);
    place(l->file, d, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, 1);
    return NULL;
}

static struct dfr_yaml *convert(struct loader *l, int id, unsigned depth)
{
    const yaml_node_t *n = yaml_document_get_node(&l->document, id);
    if (!n)
        return NULL;
    struct dfr_arena *a = l->file->arena;
    if (depth > DEPTH || ++l->nodes > DFR_LIMIT_RECIPE_NODES) {
        (void)refuse(l, &n->start_mark, "nested too deeply, or too many values");
        return NULL;
    }
    struct dfr_yaml *y = DFR_NEW(a, struct dfr_yaml);
    y->line = (uint32_t)n->start_mark.line + 1;
    y->column = (uint32_t)n->start_mark.column + 1;
    y->width = n->end_mark.line == n->start_mark.line
                   ? (uint32_t)(n->end_mark.column - n->start_mark.column)
                   : 1;
    if (n->type == YAML_SCALAR_NODE) {
        y->text = (struct dfr_str){dfr_arena_copy(a, n->data.scalar.value, n->data.scalar.length),
                                   n->data.scalar.length};
        return y;
    }
    if (n->type == YAML_SEQUENCE_NODE) {
        y->kind = DFR_YAML_LIST;
        y->n = (uint32_t)(n->data.sequence.items.top - n->data.sequence.items.start);
        y->items = DFR_NEW_N(a, y->n, struct dfr_yaml *);
        for (uint32_t i = 0; i < y->n; i++)
            if (!(y->items[i] = convert(l, n->data.sequence.items.start[i], depth + 1)))
                return NULL;
        return y;
    }
    y->kind = DFR_YAML_MAP;
    y->n = (uint32_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
    y->items = DFR_NEW_N(a, y->n, struct dfr_yaml *);
    y->keys = DFR_NEW_N(a, y->n, struct dfr_yaml *);
    for (uint32_t i = 0; i < y->n; i++) {
        const yaml_node_pair_t *p = &n->data.mapping.pairs.start[i];
        if (!(y->keys[i] = convert(l, p->key, depth + 1)) ||
            !(y->items[i] = convert(l, p->value, depth + 1)))
            return NULL;
        if (y->keys[i]->kind != DFR_YAML_SCALAR) {
            (void)refuse(l, &n->start_mark, "the name of a field is a word");
            return NULL;
        }
    }
    return y;
}

const struct dfr_yaml *dfr_yaml_parse(const struct dfr_yaml_file *f)
{
    struct loader *l = DFR_NEW(f->arena, struct loader);
    l->file = f;
    dfr_arena_defer(f->arena, release, l);
    if (f->text.len > DFR_LIMIT_SOURCE_BYTES) {
        yaml_mark_t none = {0};
        return refuse(l, &none, "a recipe has at most 4 MiB");
    }
    if (!yaml_parser_initialize(&l->parser))
        dfr_mem_fail(f->arena->mem);
    l->parser_live = true;
    yaml_parser_set_input_string(&l->parser, (const unsigned char *)f->text.p, f->text.len);
    if (!yaml_parser_load(&l->parser, &l->document)) {
        if (l->parser.error == YAML_MEMORY_ERROR)
            dfr_mem_fail(f->arena->mem);
        const char *why = l->parser.problem ? l->parser.problem : "not readable";
        return refuse(l, &l->parser.problem_mark, why);
    }
    l->document_live = true;
    if (!yaml_document_get_root_node(&l->document)) {
        yaml_mark_t none = {0};
        return refuse(l, &none, "the recipe is empty");
    }
    return convert(l, 1, 0);
}
