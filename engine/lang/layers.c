/* Tuning other packs without editing them, in the order pack, team, user.
 *
 * An override changes the tree of what it names before that is compiled, so nothing behind knows
 * of layers. What it puts in is checked here, where its own file can be shown. */
#include "lang/scope.h"

#include "base/buf.h"

/* Suppressions that ended are warned about for this long; then they are errors. */
enum { GRACE_S = 30 * 86400 };

/* One value that a layer has set, so that a second one in the same layer is noticed. */
struct setting {
    const struct dfr_decl *target;
    struct dfr_str key;
    bool weight;
    int layer;
    const struct dfr_source *source;
    struct dfr_loc loc;
};
struct layers {
    struct dfr_cx *cx;
    DFR_VEC(struct setting) set;
};

/* --- Names ----------------------------------------------------------------------------------- */

static bool is_dotted(struct dfr_str name, struct dfr_str before, struct dfr_str after)
{
    return name.len == before.len + 1 + after.len && dfr_str_starts(name, before) &&
           name.p[before.len] == '.' &&
           dfr_str_eq(dfr_str_slice(name, before.len + 1, name.len), after);
}

/* Does `name`, written in pack `from`, mean `old` of pack `p`? */
static bool names(const struct dfr_cx *cx, const struct dfr_pack *from, const struct dfr_pack *p,
                  struct dfr_str name, struct dfr_str old)
{
    if (((p == from || p == cx->core) && dfr_str_eq(name, old)) || is_dotted(name, p->name, old))
        return true;
    for (uint32_t i = 0; i < from->imports.n; i++)
        if (from->imports.v[i].pack == p && is_dotted(name, from->imports.v[i].alias, old))
            return true;
    return false;
}

struct dfr_decl *dfr_scope_renamed(struct dfr_cx *cx, const struct dfr_pack *from,
                                   const struct dfr_source *s, enum dfr_node_kind kind,
                                   struct dfr_word name)
{
    for (uint32_t i = 0; i < cx->packs.n; i++) {
        const struct dfr_pack *p = cx->packs.v[i];
        const struct dfr_entry *e = p->node ? dfr_entry_find(p->node->fields, "aliases") : NULL;
        if (!e || e->value->kind != DFR_EXPR_LIST)
            continue;
        for (const struct dfr_expr *row = e->value->kid; row; row = row->next) {
            struct dfr_str old = {0}, new = {0};
            for (const struct dfr_expr *k = row->kind == DFR_EXPR_RECORD ? row->kid : NULL; k;
                 k = k->next) {
                if (k->kid->kind == DFR_EXPR_STRING && dfr_str_eq(k->as.text, DFR_STR("old")))
                    old = k->kid->as.text;
                if (k->kid->kind == DFR_EXPR_STRING && dfr_str_eq(k->as.text, DFR_STR("new")))
                    new = k->kid->as.text;
            }
            struct dfr_decl *d = old.len && new.len ? dfr_pack_find(p, kind, new) : NULL;
            if (!d)
                continue;
            if (!names(cx, from, p, name.text, old))
                continue;
            dfr_cx_suggest(cx,
                           dfr_cx_diag(cx, s, DFR_D_RENAMED, name.loc, "`%.*s` has a new name",
                                       (int)name.text.len, name.text.p),
                           "write `%.*s`", (int)d->full.len, d->full.p);
            return d;
        }
    }
    return NULL;
}

void dfr_deprecated(struct dfr_cx *cx, const struct dfr_decl *d, const struct dfr_pack *user,
                    const struct dfr_source *s, struct dfr_loc loc)
{
    const struct dfr_entry *e = dfr_entry_find(d->node->fields, "deprecated");
    for (const struct dfr_section *x = d->node->sections; x && !e; x = x->next)
        if (x->kind == DFR_SEC_META)
            e = dfr_entry_find(x->fields, "deprecated");
    if (e && e->value->kind == DFR_EXPR_STRING && user != d->pack)
        dfr_cx_diag(cx, s, DFR_D_DEPRECATED, loc, "`%.*s` is deprecated: %.*s", (int)d->name.len,
                    d->name.p, (int)e->value->as.text.len, e->value->as.text.p);
}

static const enum dfr_node_kind kinds[] = {DFR_NODE_RULE, DFR_NODE_LIST, DFR_NODE_CAUSE,
                                           DFR_NODE_ACTION};

static void near_full(const struct dfr_cx *cx, enum dfr_node_kind kind, struct dfr_nearest *near)
{
    for (uint32_t i = 0; i < cx->packs.n; i++)
        for (uint32_t k = 0; k < cx->packs.v[i]->decls[kind].n; k++) {
            struct dfr_buf b;
            dfr_buf_init(&b, cx->a);
            if (cx->packs.v[i]->name.len) {
                dfr_buf_str(&b, cx->packs.v[i]->name);
                dfr_buf_char(&b, '.');
            }
            dfr_buf_str(&b, cx->packs.v[i]->decls[kind].v[k]->name);
            dfr_nearest_try(near, dfr_buf_text(&b));
        }
}

static struct dfr_decl *target_of(struct dfr_cx *cx, const struct dfr_decl *by, bool rules_only)
{
    size_t n = rules_only ? 1 : sizeof kinds / sizeof kinds[0];
    for (size_t i = 0; i < n; i++) {
        struct dfr_decl *d = dfr_scope_find(cx, by->pack, kinds[i], by->node->name.text);
        if (!d)
            d = dfr_scope_renamed(cx, by->pack, by->source, kinds[i], by->node->name);
        if (d) {
            dfr_deprecated(cx, d, by->pack, by->source, by->node->name.loc);
            return d;
        }
    }
    struct dfr_diag *g = dfr_cx_diag(
        cx, by->source, DFR_D_NO_TARGET, by->node->name.loc, "there is no %s `%.*s`",
        rules_only ? "rule" : "rule, list, cause or action", (int)by->name.len, by->name.p);
    struct dfr_nearest near = {.want = by->name};
    for (size_t i = 0; i < n; i++)
        near_full(cx, kinds[i], &near);
    dfr_cx_did_you_mean(cx, g, &near);
    return NULL;
}

/* --- Overrides ------------------------------------------------------------------------------- */

static bool set_once(struct layers *l, const struct dfr_decl *by, const struct dfr_decl *target,
                     const struct dfr_entry *e)
{
    int layer = l->cx->layers[by->source->index];
    for (uint32_t i = 0; i < l->set.n; i++) {
        const struct setting *s = &l->set.v[i];
        if (s->target != target || s->layer != layer || s->weight != (e->weight != NULL) ||
            !dfr_str_eq(s->key, e->name.text))
            continue;
        uint32_t line, column;
        dfr_source_line_column(s->source, s->loc.begin, &line, &column);
        dfr_cx_diag(l->cx, by->source, DFR_D_LAYER_CONFLICT, e->name.loc,
                    "the same layer sets this already, at %.*s:%u", (int)s->source->path.len,
                    s->source->path.p, line);
        return false;
    }
    *DFR_PUSH(l->cx->a, &l->set) =
        (struct setting){target, e->name.text, e->weight != NULL, layer, by->source, e->name.loc};
    return true;
}

/* The line of evidence with this label. */
static struct dfr_evidence *labelled(struct dfr_evidence *list, struct dfr_str label,
                                     struct dfr_nearest *near)
{
    struct dfr_evidence *found = NULL;
    for (; list; list = list->next) {
        struct dfr_evidence *inner = labelled(list->items, label, near);
        found = found ? found : inner;
        if (!list->label)
            continue;
        dfr_nearest_try(near, list->label->as.text);
        if (!found && dfr_str_eq(list->label->as.text, label))
            found = list;
    }
    return found;
}

static bool set_weight(struct layers *l, const struct dfr_decl *by, struct dfr_decl *d,
                       const struct dfr_entry *e)
{
    struct dfr_cx *cx = l->cx;
    int32_t a, b;
    if (d->kind != DFR_NODE_RULE) {
        dfr_cx_diag(cx, by->source, DFR_D_NO_TARGET, e->name.loc, "only rules have weights");
        return false;
    }
    if (!dfr_weight_of(cx, by->source, e->weight, &a, &b))
        return false;
    struct dfr_nearest near = {.want = e->name.text};
    struct dfr_evidence *line = NULL;
    for (struct dfr_section *s = d->node->sections; s && !line; s = s->next)
        line = labelled(s->evidence, e->name.text, &near);
    if (line && line->kind != DFR_EV_NOTE) {
        line->weight = e->weight;
        return true;
    }
    struct dfr_diag *g = dfr_cx_diag(cx, by->source, DFR_D_NO_TARGET, e->name.loc,
                                     line ? "in rule `%.*s` this is a note, which has no weight"
                                          : "rule `%.*s` has no evidence with this label",
                                     (int)d->name.len, d->name.p);
    if (!line)
        dfr_cx_did_you_mean(cx, g, &near);
    return false;
}

static bool is_plain(const struct dfr_expr *e)
{
    return (e->kind >= DFR_EXPR_BOOL && e->kind <= DFR_EXPR_VERSION) ||
           (e->kind == DFR_EXPR_UNARY && e->op == DFR_X_NEG && e->kid->kind == DFR_EXPR_INT);
}

static bool same_item(const struct dfr_expr *a, const struct dfr_expr *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == DFR_EXPR_STRING || a->kind == DFR_EXPR_VERSION)
        return dfr_str_eq_ci(a->as.text, b->as.text);
    if (a->kind == DFR_EXPR_UNARY)
        return same_item(a->kid, b->kid);
    return is_plain(a) && a->as.num == b->as.num;
}

static bool change_list(struct layers *l, const struct dfr_decl *by, struct dfr_decl *d,
                        const struct dfr_entry *e)
{
    struct dfr_cx *cx = l->cx;
    bool add = dfr_str_eq(e->name.text, DFR_STR("add"));
    bool remove = dfr_str_eq(e->name.text, DFR_STR("remove"));
    const char *wrong = !add && !remove                   ? "a list takes `add` and `remove`"
                        : !d->node->open                  ? "this list is not declared `open`"
                        : e->value->kind != DFR_EXPR_LIST ? "a list belongs here: [...]"
                                                          : NULL;
    if (wrong) {
        dfr_cx_diag(cx, by->source, DFR_D_NO_TARGET, e->name.loc, "%s", wrong);
        return false;
    }
    struct dfr_expr *list = d->node->expr, *next;
    for (struct dfr_expr *k = e->value->kid; k; k = next) {
        next = k->next;
        struct dfr_expr **at = &list->kid;
        if (add) {
            const struct dfr_expr *first = list->kid;
            if (first && first->kind != k->kind) {
                dfr_cx_diag(cx, by->source, DFR_D_TYPE, k->loc,
                            "the list holds values of another kind");
                continue;
            }
            while (*at)
                at = &(*at)->next;
            *at = k;
            k->next = NULL;
            continue;
        }
        bool found = false;
        while (*at) {
            if (same_item(*at, k)) {
                found = true;
                *at = (*at)->next;
            } else {
                at = &(*at)->next;
            }
        }
        if (!found)
            dfr_cx_diag(cx, by->source, DFR_D_NO_TARGET, k->loc, "the list does not hold this");
    }
    return true;
}

/* Metadata of a rule stands in its first `meta`; one is made when it has none. */
static struct dfr_entry **fields_of(struct dfr_cx *cx, struct dfr_decl *d)
{
    struct dfr_node *n = (struct dfr_node *)d->node;
    if (d->kind != DFR_NODE_RULE)
        return &n->fields;
    for (struct dfr_section *s = n->sections; s; s = s->next)
        if (s->kind == DFR_SEC_META)
            return &s->fields;
    struct dfr_section *s = DFR_NEW(cx->a, struct dfr_section);
    *s = (struct dfr_section){.kind = DFR_SEC_META, .loc = n->loc, .next = n->sections};
    n->sections = s;
    return &s->fields;
}

static struct dfr_expr *as_text(struct dfr_cx *cx, struct dfr_str text, struct dfr_loc loc)
{
    struct dfr_expr *e = DFR_NEW(cx->a, struct dfr_expr);
    e->kind = DFR_EXPR_STRING;
    e->loc = loc;
    e->as.text = text;
    return e;
}

static void put_entry(struct dfr_cx *cx, struct dfr_entry **fields, struct dfr_str key,
                      struct dfr_expr *value)
{
    struct dfr_entry **at = fields;
    while (*at && !(!(*at)->requires && dfr_str_eq((*at)->name.text, key)))
        at = &(*at)->next;
    if (!*at)
        *at = DFR_NEW(cx->a, struct dfr_entry);
    (*at)->name.text = key;
    (*at)->value = value;
}

/* Does the declaration read this key as a number or text? Then the value must be one. */
static bool meta_fits(struct layers *l, const struct dfr_decl *by, const struct dfr_decl *d,
                      const struct dfr_entry *e)
{
    bool number =
        dfr_str_eq(e->name.text, DFR_STR("prior_db")) || dfr_str_eq(e->name.text, DFR_STR("helps"));
    const struct dfr_expr *v = e->value;
    bool minus = v->kind == DFR_EXPR_UNARY && v->kid->kind == DFR_EXPR_INT;
    uint64_t n = minus ? v->kid->as.num : v->as.num;
    if (d->kind != DFR_NODE_RULE && number) {
        bool helps = d->kind == DFR_NODE_ACTION;
        if ((v->kind == DFR_EXPR_INT || minus) && n <= (helps ? 100u : 30u) && !(helps && minus))
            return true;
        dfr_cx_diag(l->cx, by->source, DFR_D_BAD_META, v->loc, "`%.*s` is a number from %d to %d",
                    (int)e->name.text.len, e->name.text.p, helps ? 1 : -30, helps ? 100 : 30);
        return false;
    }
    if (v->kind == DFR_EXPR_STRING || is_plain(v))
        return true;
    dfr_cx_diag(l->cx, by->source, DFR_D_BAD_META, v->loc, "a plain value belongs here");
    return false;
}

static void set_meta(struct layers *l, const struct dfr_decl *by, struct dfr_decl *d,
                     const struct dfr_entry *e)
{
    bool keep = e->value->kind == DFR_EXPR_STRING || d->kind != DFR_NODE_RULE;
    struct dfr_expr *value = e->value;
    if (!keep) /* the text of a value is taken from its file, which is another one now */
        value = as_text(l->cx, dfr_source_text(by->source, value->loc), value->loc);
    put_entry(l->cx, fields_of(l->cx, d), e->name.text, value);
}

static void note_layer(struct layers *l, const struct dfr_decl *by, struct dfr_decl *d,
                       const struct dfr_entry *e)
{
    static const char *const words[] = {"pack", "team", "user"};
    struct dfr_buf key, value;
    dfr_buf_init(&key, l->cx->a);
    dfr_buf_init(&value, l->cx->a);
    dfr_buf_printf(&key, "layer of %s%.*s", e->weight ? "weight " : "", (int)e->name.text.len,
                   e->name.text.p);
    dfr_buf_printf(&value, "%s: %.*s", words[l->cx->layers[by->source->index]],
                   (int)by->source->path.len, by->source->path.p);
    put_entry(l->cx, fields_of(l->cx, d), dfr_buf_text(&key),
              as_text(l->cx, dfr_buf_text(&value), e->loc));
}

static void apply(struct layers *l, struct dfr_decl *by)
{
    struct dfr_decl *d = target_of(l->cx, by, false);
    for (const struct dfr_entry *e = d ? by->node->fields : NULL; e; e = e->next) {
        if (d->kind == DFR_NODE_LIST && !e->weight) {
            change_list(l, by, d, e);
            continue;
        }
        if (!set_once(l, by, d, e))
            continue;
        if (e->weight ? !set_weight(l, by, d, e) : !meta_fits(l, by, d, e))
            continue;
        if (!e->weight)
            set_meta(l, by, d, e);
        note_layer(l, by, d, e);
    }
}

void dfr_layers_apply(struct dfr_cx *cx)
{
    struct layers l = {.cx = cx};
    for (int layer = 0; layer < 3; layer++)
        for (uint32_t i = 0; i < cx->packs.n; i++)
            for (uint32_t k = 0; k < cx->packs.v[i]->decls[DFR_NODE_OVERRIDE].n; k++) {
                struct dfr_decl *by = cx->packs.v[i]->decls[DFR_NODE_OVERRIDE].v[k];
                if (cx->layers[by->source->index] == layer)
                    apply(&l, by);
            }
}

/* --- Suppressions ---------------------------------------------------------------------------- */

void dfr_suppress(struct dfr_cx *cx, struct dfr_decl *by)
{
    const struct dfr_node *n = by->node;
    struct dfr_decl *d = target_of(cx, by, true);
    int64_t now = cx->options->now;
    bool over = n->has_until && now > n->until;
    if (over && now - n->until > GRACE_S)
        dfr_cx_diag(cx, by->source, DFR_D_SUPPRESS_OLD, n->name.loc,
                    "this suppression ended more than 30 days ago: renew it or take it out");
    else if (over)
        dfr_cx_diag(cx, by->source, DFR_D_SUPPRESS_OVER, n->name.loc,
                    "this suppression has ended and does nothing");
    if (!d || d->index == DFR_NONE)
        return;
    struct dfr_env env = {.cx = cx,
                          .pack = by->pack,
                          .source = by->source,
                          .locals = d->locals,
                          .rule = d->index,
                          .slots = d->has_row};
    struct dfr_typed *t = dfr_check_bool(&env, n->expr);
    uint32_t where = dfr_typed_chunk(&env, t);
    if (over)
        return;
    uint64_t until = (uint64_t)n->until;
    *DFR_PUSH(cx->p->arena, &cx->p->suppress) =
        (struct dfr_psuppress){.rule = d->index,
                               .where = where,
                               .until_lo = n->has_until ? (uint32_t)until : DFR_NONE,
                               .until_hi = n->has_until ? (uint32_t)(until >> 32) : DFR_NONE,
                               .reason = dfr_build_text(&cx->b, n->reason.text),
                               .source = dfr_place_of(by->source, n->name.loc)};
}
