/* Declarations other than rules: facts, functions, lists, causes, actions; texts and metadata. */
#include "lang/scope.h"

#include <string.h>

#include "base/buf.h"

/* --- Places and texts ------------------------------------------------------------------------ */

struct dfr_psource dfr_place_of(const struct dfr_source *s, struct dfr_loc loc)
{
    struct dfr_psource p = {.file = s->index, .begin = loc.begin, .end = loc.end};
    dfr_source_line_column(s, loc.begin, &p.line, &p.column);
    return p;
}

struct dfr_ptext dfr_source_folded(struct dfr_cx *cx, const struct dfr_source *s,
                                   struct dfr_loc loc)
{
    struct dfr_str text = dfr_source_text(s, loc);
    struct dfr_buf b;
    dfr_buf_init(&b, cx->a);
    bool blank = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            blank = b.len > 0;
            continue;
        }
        if (blank)
            dfr_buf_char(&b, ' ');
        blank = false;
        dfr_buf_char(&b, c);
    }
    return dfr_build_text(&cx->b, dfr_buf_text(&b));
}

static bool safe_in_command(uint32_t kind)
{
    return kind == DFR_KIND_INT || kind == DFR_KIND_ADDR || kind == DFR_KIND_STR ||
           kind == DFR_KIND_MODULE || kind == DFR_KIND_ENUM;
}

uint32_t dfr_template(struct dfr_env *env, const struct dfr_expr *text, bool command)
{
    struct dfr_cx *cx = env->cx;
    struct dfr_program *p = cx->p;
    uint32_t count = 0;
    struct dfr_piece *pieces = dfr_parse_text(cx->a, env->source, cx->diags, text);
    for (struct dfr_piece *x = pieces; x; x = x->next)
        count++;
    struct dfr_ppiece *out = DFR_NEW_N(cx->a, count, struct dfr_ppiece);
    uint32_t n = 0;
    for (struct dfr_piece *x = pieces; x; x = x->next, n++) {
        out[n].chunk = DFR_NONE;
        out[n].literal = dfr_build_text(&cx->b, x->literal);
        if (!x->expr)
            continue;
        struct dfr_typed *t = dfr_typed_settle(env, dfr_check_expr(env, x->expr));
        if (t->kind == DFR_TYPED_ERROR)
            continue;
        if (t->type.kind == DFR_KIND_LIST || t->type.kind == DFR_KIND_ROW) {
            struct dfr_diag *d =
                dfr_cx_diag(cx, env->source, DFR_D_TYPE, t->loc, "%s has no text of its own",
                            dfr_type_name_of(cx, t->type));
            dfr_cx_suggest(cx, d, "name one of its fields");
            continue;
        }
        if (command && !safe_in_command(t->type.kind)) {
            dfr_cx_diag(cx, env->source, DFR_D_COMMAND, t->loc,
                        "only numbers, addresses and names go into a command, this is %s",
                        dfr_type_name_of(cx, t->type));
            continue;
        }
        out[n].chunk = dfr_typed_chunk(env, t);
    }
    struct dfr_ptemplate t = {p->pieces.n, count};
    for (uint32_t i = 0; i < count; i++)
        *DFR_PUSH(p->arena, &p->pieces) = out[i];
    *DFR_PUSH(p->arena, &p->templates) = t;
    return p->templates.n - 1;
}

static void print_value(struct dfr_cx *cx, const struct dfr_source *s, const struct dfr_expr *e,
                        struct dfr_buf *b)
{
    if (e->kind == DFR_EXPR_STRING || e->kind == DFR_EXPR_VERSION)
        dfr_buf_str(b, e->as.text);
    else
        dfr_buf_str(b, dfr_source_text(s, e->loc));
    (void)cx;
}

void dfr_metas(struct dfr_cx *cx, const struct dfr_source *s, const struct dfr_entry *list,
               const char *const *known, uint32_t *ret_first, uint32_t *ret_count)
{
    struct dfr_program *p = cx->p;
    *ret_first = p->metas.n;
    for (; list; list = list->next) {
        bool skip = list->requires || !list->value;
        for (const char *const *k = known; k && *k; k++)
            skip |= dfr_str_eq(list->name.text, dfr_str_from(*k));
        if (skip)
            continue;
        struct dfr_buf b;
        dfr_buf_init(&b, cx->a);
        print_value(cx, s, list->value, &b);
        *DFR_PUSH(p->arena, &p->metas) = (struct dfr_pmeta){
            dfr_build_text(&cx->b, list->name.text), dfr_build_text(&cx->b, dfr_buf_text(&b))};
    }
    *ret_count = p->metas.n - *ret_first;
}

/* --- Types ----------------------------------------------------------------------------------- */

static bool simple_type(struct dfr_str name, struct dfr_type *ret)
{
    static const struct {
        const char *name;
        uint32_t kind;
    } kinds[] = {{"bool", DFR_KIND_BOOL},   {"int", DFR_KIND_INT},   {"addr", DFR_KIND_ADDR},
                 {"str", DFR_KIND_STR},     {"sym", DFR_KIND_SYM},   {"module", DFR_KIND_MODULE},
                 {"bytes", DFR_KIND_BYTES}, {"time", DFR_KIND_TIME}, {"dur", DFR_KIND_DUR},
                 {"ver", DFR_KIND_VER}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (dfr_str_eq(name, dfr_str_from(kinds[i].name))) {
            *ret = (struct dfr_type){kinds[i].kind, 0};
            return true;
        }
    for (uint32_t e = 0; e < DFR_E_COUNT; e++)
        if (dfr_str_eq(name, dfr_str_from(dfr_enum_name(e)))) {
            *ret = (struct dfr_type){DFR_KIND_ENUM, e};
            return true;
        }
    for (uint32_t t = 0; t < DFR_T_COUNT; t++)
        if (dfr_str_eq(name, dfr_str_from(dfr_field_info(dfr_table_info(t)->field)->path))) {
            *ret = (struct dfr_type){DFR_KIND_ROW, t};
            return true;
        }
    if (dfr_str_eq(name, DFR_STR("frame"))) {
        *ret = (struct dfr_type){DFR_KIND_ROW, DFR_T_STACK};
        return true;
    }
    return false;
}

bool dfr_type_resolve(struct dfr_env *env, const struct dfr_type_name *name, struct dfr_type *ret)
{
    struct dfr_type of;
    struct dfr_word asked = name->of.text.len ? name->of : name->name;
    bool list = name->of.text.len && dfr_str_eq(name->name.text, DFR_STR("list"));
    if ((!name->of.text.len || list) && simple_type(asked.text, &of)) {
        if (!list) {
            *ret = of;
            return true;
        }
        if (of.kind == DFR_KIND_ROW) {
            *ret = (struct dfr_type){DFR_KIND_LIST, of.param};
            return true;
        }
    }
    struct dfr_diag *d =
        dfr_cx_diag(env->cx, env->source, DFR_D_UNKNOWN_NAME, name->name.loc,
                    list ? "a list type is a list of rows: list<stack>" : "there is no type `%.*s`",
                    (int)asked.text.len, asked.text.p);
    if (!list)
        dfr_cx_suggest(
            env->cx, d,
            "bool int addr str sym module bytes time dur ver, an enum, or a table's row");
    return false;
}

/* --- Facts and functions --------------------------------------------------------------------- */

/* The chain of declarations that leads back to `d`, as text. */
static void report_cycle(struct dfr_env *asked, struct dfr_decl *d, struct dfr_loc at)
{
    struct dfr_buf path, turned;
    dfr_buf_init(&path, asked->cx->a);
    struct dfr_str names[DFR_LIMIT_VM_CALL_DEPTH + 2];
    uint32_t n = 0;
    for (struct dfr_decl *x = asked->decl; x && n <= DFR_LIMIT_VM_CALL_DEPTH; x = x->from) {
        names[n++] = x->full;
        if (x == d)
            break;
    }
    dfr_buf_init(&turned, asked->cx->a);
    while (n) {
        dfr_buf_str(&turned, names[--n]);
        dfr_buf_z(&turned, " -> ");
    }
    dfr_buf_str(&turned, d->full);
    dfr_cx_diag(asked->cx, asked->source, DFR_D_CYCLE, at, "`%.*s` rests on itself: %s",
                (int)d->full.len, d->full.p, dfr_buf_text(&turned).p);
}

static bool params_of(struct dfr_env *env, struct dfr_decl *d, const struct dfr_param *list,
                      struct dfr_local *locals)
{
    bool ok = true;
    uint32_t n = 0;
    if (d->param_count > DFR_LIMIT_VM_SLOTS) {
        dfr_cx_diag(env->cx, d->source, DFR_D_TOO_LARGE, d->node->name.loc,
                    "there are at most %d parameters", (int)DFR_LIMIT_VM_SLOTS);
        ok = false;
    }
    for (const struct dfr_param *x = list; x; x = x->next, n++) {
        struct dfr_type type = DFR_TYPE(NONE);
        ok &= dfr_type_resolve(env, &x->type, &type);
        dfr_check_hides(env, x->name);
        locals[n] = (struct dfr_local){.name = x->name.text,
                                       .what = DFR_LOCAL_ARG,
                                       .number = n,
                                       .type = type,
                                       .outer = env->locals};
        env->locals = &locals[n];
        d->params[n] = type;
    }
    return ok;
}

static uint32_t count_params(const struct dfr_param *list)
{
    uint32_t n = 0;
    for (; list; list = list->next)
        n++;
    return n;
}

static void fact_body(struct dfr_cx *cx, struct dfr_decl *d)
{
    const struct dfr_node *node = d->node;
    d->param_count = count_params(node->params);
    d->params = DFR_NEW_N(cx->a, d->param_count, struct dfr_type);
    struct dfr_local *locals = DFR_NEW_N(cx->a, d->param_count, struct dfr_local);
    struct dfr_env env = {.cx = cx,
                          .pack = d->pack,
                          .source = d->source,
                          .decl = d,
                          .rule = DFR_NONE,
                          .args = d->param_count};
    bool ok = params_of(&env, d, node->params, locals);
    struct dfr_typed *t = dfr_check_expr(&env, node->expr);
    if (d->kind == DFR_NODE_FACT) {
        struct dfr_type want;
        ok &= dfr_type_resolve(&env, &node->type, &want);
        if (ok)
            t = dfr_typed_fit(&env, t, want, "the value of this fact");
    } else {
        t = dfr_typed_settle(&env, t);
    }
    d->body = ok ? t : dfr_typed_error(cx, node->loc);
    d->type = t->type;
    d->uses_state = t->uses_state;
    uint32_t chunk = dfr_typed_chunk(&env, d->body);
    struct dfr_program *p = cx->p;
    if (d->kind == DFR_NODE_FACT && !node->has_params) {
        d->index = p->facts.n;
        *DFR_PUSH(p->arena, &p->facts) =
            (struct dfr_pfact){dfr_build_text(&cx->b, d->full), chunk, d->type.kind, d->type.param,
                               dfr_place_of(d->source, node->name.loc)};
    } else {
        d->index = p->fns.n;
        *DFR_PUSH(p->arena, &p->fns) =
            (struct dfr_pfn){dfr_build_text(&cx->b, d->full), chunk, d->param_count};
    }
}

void dfr_decl_fact(struct dfr_cx *cx, struct dfr_decl *d, struct dfr_env *asked, struct dfr_loc at)
{
    struct dfr_decl *from = asked ? asked->decl : NULL;
    if (d->progress == DFR_UNDER_WAY) {
        report_cycle(asked, d, at);
        return;
    }
    if (d->progress == DFR_NOT_BEGUN) {
        uint32_t above = 1;
        for (struct dfr_decl *x = from; x; x = x->from)
            above++;
        if (above >= DFR_LIMIT_VM_CALL_DEPTH - 2) {
            dfr_cx_diag(cx, asked->source, DFR_D_TOO_DEEP_FACTS, at,
                        "facts and functions rest on each other more than %d deep",
                        (int)DFR_LIMIT_VM_CALL_DEPTH - 2);
            d->progress = DFR_DONE;
            d->body = dfr_typed_error(cx, at);
            d->params = NULL;
            return;
        }
        d->progress = DFR_UNDER_WAY;
        d->from = from;
        d->depth = 1;
        fact_body(cx, d);
        d->progress = DFR_DONE;
    }
    if (from && from->depth <= d->depth)
        from->depth = d->depth + 1;
}

/* --- Lists ----------------------------------------------------------------------------------- */

struct dfr_list *dfr_list_new(struct dfr_cx *cx, struct dfr_str name)
{
    struct dfr_program *p = cx->p;
    struct dfr_list *l = DFR_NEW(cx->a, struct dfr_list);
    l->name = name;
    l->index = p->lists.n;
    *DFR_PUSH(p->arena, &p->lists) = (struct dfr_plist){.name = dfr_build_text(&cx->b, name)};
    *DFR_PUSH(cx->a, &cx->lists) = l;
    return l;
}

/* Take a cell into its column: the first decides the type, numbers stay open between INT and ADDR. */
static void add_cell(struct dfr_env *env, struct dfr_list *l, uint32_t row, uint32_t column,
                     const struct dfr_expr *e)
{
    struct dfr_column *c = &l->columns[column];
    struct dfr_typed *t = dfr_check_expr(env, e);
    if (t->kind == DFR_TYPED_ERROR)
        return;
    l->hash =
        dfr_hash_mix(l->hash, t->literal && t->type.kind == DFR_KIND_STR ? dfr_str_hash(t->text)
                              : t->literal                               ? t->num
                                                                         : t->hash);
    bool number = t->literal && t->type.kind == DFR_KIND_INT;
    if (c->type.kind == DFR_KIND_NONE) {
        c->type = t->type;
        c->number = number;
    }
    if (!dfr_type_eq(c->type, t->type)) {
        dfr_cx_diag(env->cx, env->source, DFR_D_TYPE, e->loc,
                    "this is %s, the rows above have %s here", dfr_type_name_of(env->cx, t->type),
                    dfr_type_name_of(env->cx, c->type));
        return;
    }
    l->cells[row * l->column_count + column] = t;
}

static uint32_t column_of(struct dfr_cx *cx, struct dfr_list *l, struct dfr_str name, uint32_t *cap)
{
    for (uint32_t i = 0; i < l->column_count; i++)
        if (dfr_str_eq(l->columns[i].name, name))
            return i;
    if (l->column_count == *cap) {
        uint32_t more = *cap ? *cap * 2 : 8;
        struct dfr_column *v = DFR_NEW_N(cx->a, more, struct dfr_column);
        if (*cap)
            memcpy(v, l->columns, *cap * sizeof *v);
        l->columns = v;
        *cap = more;
    }
    l->columns[l->column_count].name = name;
    return l->column_count++;
}

void dfr_decl_list(struct dfr_cx *cx, struct dfr_decl *d)
{
    const struct dfr_expr *items = d->node->expr;
    struct dfr_env env = {.cx = cx, .pack = d->pack, .source = d->source, .rule = DFR_NONE};
    struct dfr_list *l = d->list = dfr_list_new(cx, d->full);
    d->index = l->index;
    uint32_t records = 0, cap = 0;
    for (const struct dfr_expr *e = items->kid; e; e = e->next) {
        l->rows++;
        records += e->kind == DFR_EXPR_RECORD;
        for (const struct dfr_expr *f = e->kind == DFR_EXPR_RECORD ? e->kid : NULL; f; f = f->next)
            column_of(cx, l, f->as.text, &cap);
    }
    if (records && records != l->rows) {
        dfr_cx_diag(cx, d->source, DFR_D_TYPE, items->loc,
                    "a list holds either records or plain values, not both");
        return;
    }
    if (!records)
        column_of(cx, l, (struct dfr_str){0}, &cap);
    if (l->rows > DFR_LIMIT_LIST_ITEMS || l->column_count > 64) {
        dfr_cx_diag(cx, d->source, DFR_D_TOO_LARGE, items->loc, "this list is too large");
        l->rows = 0;
        return;
    }
    l->cells = DFR_NEW_N(cx->a, (size_t)l->rows * l->column_count, struct dfr_typed *);
    uint32_t row = 0;
    for (const struct dfr_expr *e = items->kid; e; e = e->next, row++) {
        if (e->kind != DFR_EXPR_RECORD) {
            add_cell(&env, l, row, 0, e);
            continue;
        }
        for (const struct dfr_expr *f = e->kid; f; f = f->next) {
            uint32_t c = column_of(cx, l, f->as.text, &cap);
            if (l->cells[row * l->column_count + c])
                dfr_cx_diag(cx, d->source, DFR_D_DUPLICATE, f->loc,
                            "`%.*s` stands twice in this record", (int)f->as.text.len,
                            f->as.text.p);
            add_cell(&env, l, row, c, f->kid);
        }
    }
}

struct dfr_list *dfr_list_as(struct dfr_env *env, struct dfr_list *l, struct dfr_type want,
                             struct dfr_loc loc, const char *place)
{
    struct dfr_cx *cx = env->cx;
    if (!l->rows || dfr_type_eq(l->columns[0].type, want)) {
        if (want.kind == DFR_KIND_INT)
            l->columns[0].number = false;
        return l;
    }
    for (struct dfr_list *v = l->variant; v; v = v->variant)
        if (dfr_type_eq(v->columns[0].type, want))
            return v;
    struct dfr_list *as = dfr_list_new(cx, l->name);
    as->columns = DFR_NEW(cx->a, struct dfr_column);
    as->columns[0].type = want;
    as->column_count = 1;
    as->rows = l->rows;
    as->hash = dfr_hash_mix(l->hash, want.kind);
    as->cells = DFR_NEW_N(cx->a, l->rows, struct dfr_typed *);
    for (uint32_t i = 0; i < l->rows; i++) {
        if (!l->cells[i])
            continue;
        as->cells[i] = dfr_typed_try(env, l->cells[i], want);
        if (!as->cells[i]) {
            dfr_cx_diag(cx, env->source, DFR_D_TYPE, loc, "%s is needed as %s, this list holds %s",
                        dfr_type_name_of(cx, want), place,
                        dfr_type_name_of(cx, l->columns[0].type));
            return NULL;
        }
    }
    as->variant = l->variant;
    l->variant = as;
    return as;
}

void dfr_lists_finish(struct dfr_cx *cx)
{
    struct dfr_program *p = cx->p;
    struct dfr_env env = {.cx = cx, .rule = DFR_NONE};
    for (uint32_t i = 0; i < cx->lists.n; i++) {
        struct dfr_list *l = cx->lists.v[i];
        struct dfr_plist *out = &p->lists.v[i];
        out->columns = l->column_count;
        out->rows = l->rows;
        out->first_column = p->column_names.n;
        out->first_cell = p->cells.n;
        for (uint32_t c = 0; c < l->column_count; c++)
            *DFR_PUSH(p->arena, &p->column_names) = dfr_build_text(&cx->b, l->columns[c].name);
        for (uint32_t k = 0; k < l->rows * l->column_count; k++) {
            const struct dfr_column *c = &l->columns[k % l->column_count];
            struct dfr_typed *t =
                l->cells && l->cells[k] ? dfr_typed_try(&env, l->cells[k], c->type) : NULL;
            *DFR_PUSH(p->arena, &p->cells) =
                t && t->kind == DFR_TYPED_CONST ? dfr_build_const(&cx->b, t->c) : DFR_NONE;
        }
    }
}

/* --- Causes and actions ---------------------------------------------------------------------- */

static struct dfr_str text_of(struct dfr_cx *cx, struct dfr_decl *d, const char *name, bool needed)
{
    const struct dfr_entry *e = dfr_entry_find(d->node->fields, name);
    if (e && e->value->kind == DFR_EXPR_STRING)
        return e->value->as.text;
    if (e || needed)
        dfr_cx_diag(cx, d->source, DFR_D_BAD_META, e ? e->value->loc : d->node->name.loc,
                    "`%.*s` needs %s = \"...\"", (int)d->name.len, d->name.p, name);
    return (struct dfr_str){"", 0};
}

static int64_t number_of(struct dfr_cx *cx, struct dfr_decl *d, const char *name, int64_t low,
                         int64_t high, int64_t otherwise)
{
    const struct dfr_entry *e = dfr_entry_find(d->node->fields, name);
    if (!e)
        return otherwise;
    const struct dfr_expr *v = e->value;
    bool negative = v->kind == DFR_EXPR_UNARY && v->op == DFR_X_NEG;
    if (negative)
        v = v->kid;
    if (v->kind == DFR_EXPR_INT && v->as.num <= 1000000) {
        int64_t n = negative ? -(int64_t)v->as.num : (int64_t)v->as.num;
        if (n >= low && n <= high)
            return n;
    }
    dfr_cx_diag(cx, d->source, DFR_D_BAD_META, e->value->loc, "%s is a number from %lld to %lld",
                name, (long long)low, (long long)high);
    return otherwise;
}

void dfr_decl_cause(struct dfr_cx *cx, struct dfr_decl *d)
{
    static const char *const known[] = {"title", "axis", "prior_db", NULL};
    struct dfr_program *p = cx->p;
    if (d->pack != cx->core && cx->core && dfr_pack_find(cx->core, DFR_NODE_CAUSE, d->name))
        dfr_cx_diag(cx, d->source, DFR_D_CORE_CAUSE, d->node->name.loc,
                    "the core pack declares `%.*s` already: use it, or choose another name",
                    (int)d->name.len, d->name.p);
    struct dfr_pcause c = {.name = dfr_build_text(&cx->b, d->full)};
    c.title = dfr_build_text(&cx->b, text_of(cx, d, "title", true));
    c.axis = dfr_build_text(&cx->b, text_of(cx, d, "axis", true));
    c.prior_db = (int32_t)number_of(cx, d, "prior_db", -30, 30, 0);
    dfr_metas(cx, d->source, d->node->fields, known, &c.meta_first, &c.meta_count);
    d->index = p->causes.n;
    *DFR_PUSH(p->arena, &p->causes) = c;
}

static uint32_t cost_of(struct dfr_cx *cx, struct dfr_decl *d)
{
    static const char *const words[] = {"check", "update", "setting", "test", "replace"};
    struct dfr_str cost = text_of(cx, d, "cost", false);
    if (!cost.len)
        return DFR_COST_CHECK;
    struct dfr_nearest near = {.want = cost};
    for (uint32_t i = 0; i < 5; i++) {
        if (dfr_str_eq(cost, dfr_str_from(words[i])))
            return i;
        dfr_nearest_try(&near, dfr_str_from(words[i]));
    }
    const struct dfr_entry *e = dfr_entry_find(d->node->fields, "cost");
    struct dfr_diag *g = dfr_cx_diag(cx, d->source, DFR_D_BAD_META, e->value->loc,
                                     "a cost is check, update, setting, test or replace");
    dfr_cx_did_you_mean(cx, g, &near);
    return DFR_COST_CHECK;
}

void dfr_decl_action(struct dfr_cx *cx, struct dfr_decl *d)
{
    static const char *const known[] = {"text", "cost", "helps", NULL};
    struct dfr_program *p = cx->p;
    d->param_count = count_params(d->node->params);
    d->params = DFR_NEW_N(cx->a, d->param_count, struct dfr_type);
    struct dfr_local *locals = DFR_NEW_N(cx->a, d->param_count, struct dfr_local);
    struct dfr_env env = {
        .cx = cx, .pack = d->pack, .source = d->source, .rule = DFR_NONE, .args = d->param_count};
    params_of(&env, d, d->node->params, locals);
    struct dfr_paction a = {.name = dfr_build_text(&cx->b, d->full), .args = d->param_count};
    text_of(cx, d, "text", true);
    const struct dfr_entry *text = dfr_entry_find(d->node->fields, "text");
    a.template =
        text && text->value->kind == DFR_EXPR_STRING ? dfr_template(&env, text->value, false) : 0;
    a.cost = cost_of(cx, d);
    a.helps = (uint32_t)number_of(cx, d, "helps", 1, 100, 50);
    dfr_metas(cx, d->source, d->node->fields, known, &a.meta_first, &a.meta_count);
    d->index = p->actions.n;
    *DFR_PUSH(p->arena, &p->actions) = a;
}
