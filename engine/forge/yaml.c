/* The only file that knows libyaml. */
#include "forge/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/limits.h"
#include "base/vec.h"

enum { DEPTH = 24 };

struct loader {
    const struct dfr_yaml_file *file;
    yaml_parser_t parser;
    yaml_event_t event; /* that is looked at; freed by the next one */
    bool parser_live, event_live;
    uint32_t nodes;
};

static void forget_event(struct loader *l)
{
    if (l->event_live)
        yaml_event_delete(&l->event);
    l->event_live = false;
}

static void release(void *p)
{
    struct loader *l = p;
    forget_event(l);
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

/* The next event; false after a diagnostic. Events and not libyaml's tree: its scanner and its table of
 * anchors take quadratic time over what is nested deeply or anchored often, so a file that is refused
 * is not read on. */
static bool next(struct loader *l)
{
    forget_event(l);
    if (!yaml_parser_parse(&l->parser, &l->event)) {
        if (l->parser.error == YAML_MEMORY_ERROR)
            dfr_mem_fail(l->file->arena->mem);
        (void)refuse(l, &l->parser.problem_mark,
                     l->parser.problem ? l->parser.problem : "not readable");
        return false;
    }
    l->event_live = true;
    return true;
}

static bool anchored(const yaml_event_t *e)
{
    return e->type == YAML_ALIAS_EVENT || (e->type == YAML_SCALAR_EVENT && e->data.scalar.anchor) ||
           (e->type == YAML_SEQUENCE_START_EVENT && e->data.sequence_start.anchor) ||
           (e->type == YAML_MAPPING_START_EVENT && e->data.mapping_start.anchor);
}

static uint32_t width_of(const yaml_mark_t *from, const yaml_mark_t *to)
{
    return to->line == from->line ? (uint32_t)(to->column - from->column) : 1;
}

struct children {
    struct dfr_yaml **v;
    uint32_t n, cap;
};

static struct dfr_yaml *convert(struct loader *l, unsigned depth);

/* Keys, if it is a map, and items, up to the event that ends them. */
static bool convert_inside(struct loader *l, struct dfr_yaml *y, const yaml_mark_t *from,
                           unsigned depth)
{
    struct children keys = {0}, items = {0};
    yaml_event_type_t end =
        y->kind == DFR_YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    for (;;) {
        if (!next(l))
            return false;
        if (l->event.type == end)
            break;
        struct children *to = y->kind == DFR_YAML_MAP && keys.n == items.n ? &keys : &items;
        struct dfr_yaml *child = convert(l, depth + 1);
        if (!child)
            return false;
        if (to == &keys && child->kind != DFR_YAML_SCALAR) {
            (void)refuse(l, from, "the name of a field is a word");
            return false;
        }
        *DFR_PUSH(l->file->arena, to) = child;
    }
    y->n = items.n;
    y->keys = keys.v;
    y->items = items.v;
    y->width = width_of(from, &l->event.end_mark);
    return true;
}

/* The value that begins with the event at hand; NULL after a diagnostic. */
static struct dfr_yaml *convert(struct loader *l, unsigned depth)
{
    const yaml_event_t *e = &l->event;
    struct dfr_arena *a = l->file->arena;
    yaml_mark_t from = e->start_mark;
    if (anchored(e)) {
        (void)refuse(l, &from, "anchors and aliases are no part of recipes");
        return NULL;
    }
    if (depth > DEPTH || ++l->nodes > DFR_LIMIT_RECIPE_NODES) {
        (void)refuse(l, &from, "nested too deeply, or too many values");
        return NULL;
    }
    struct dfr_yaml *y = DFR_NEW(a, struct dfr_yaml);
    y->line = (uint32_t)from.line + 1;
    y->column = (uint32_t)from.column + 1;
    if (e->type == YAML_SCALAR_EVENT) {
        y->width = width_of(&from, &e->end_mark);
        y->text = (struct dfr_str){dfr_arena_copy(a, e->data.scalar.value, e->data.scalar.length),
                                   e->data.scalar.length};
        return y;
    }
    y->kind = e->type == YAML_MAPPING_START_EVENT ? DFR_YAML_MAP : DFR_YAML_LIST;
    return convert_inside(l, y, &from, depth) ? y : NULL;
}

const struct dfr_yaml *dfr_yaml_parse(const struct dfr_yaml_file *f)
{
    static const yaml_mark_t none;
    struct loader *l = DFR_NEW(f->arena, struct loader);
    l->file = f;
    dfr_arena_defer(f->arena, release, l);
    if (f->text.len > DFR_LIMIT_SOURCE_BYTES)
        return refuse(l, &none, "a recipe has at most 4 MiB");
    if (!yaml_parser_initialize(&l->parser))
        dfr_mem_fail(f->arena->mem);
    l->parser_live = true;
    yaml_parser_set_input_string(&l->parser, (const unsigned char *)f->text.p, f->text.len);
    do {
        if (!next(l))
            return NULL;
    } while (l->event.type == YAML_STREAM_START_EVENT ||
             l->event.type == YAML_DOCUMENT_START_EVENT);
    if (l->event.type == YAML_STREAM_END_EVENT)
        return refuse(l, &none, "the recipe is empty");
    const struct dfr_yaml *root = convert(l, 0);
    if (!root || !next(l) || !next(l)) /* the ends of the document and of the file */
        return NULL;
    if (l->event.type == YAML_STREAM_END_EVENT)
        return root;
    yaml_mark_t more = l->event.start_mark;
    return refuse(l, &more, "a recipe is one document");
}
