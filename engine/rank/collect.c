/* What to run next: by command, how far the top of the answer could move on the facts that it
 * shows, and whether another cause could come first, divided by its price.
 *
 * Movement is measured within what is shown: a cause that falls from +8 to -20 moves by 11, down to
 * where it is no longer listed. */
#include "rank/commands.h"
#include "rank/tally.h"

enum {
    TOP = 5,          /* causes whose movement counts */
    BEST = 3,         /* commands that are named */
    NAMES_DB = 6,     /* what it is worth to learn which driver it is, or to free an action */
    WHY_MOST = 2,     /* facts named in `why` */
    VALUE_MOST = 256, /* commands whose worth is worked out */
    REFINE_MOST = 48, /* commands compared with each other */
    AXES = 8          /* told apart; what lies beyond shares the last */
};

struct command {
    struct dfr_command is;
    DFR_VEC(uint32_t) facts;
    int64_t moves;
    bool flips;
};

/* First place of one axis, and who could take it. */
struct axis {
    struct dfr_str name;
    uint32_t first; /* row; DFR_NONE: no cause of it is shown */
    int32_t first_min, other_max;
};

struct collecting {
    struct dfr_ranking *r;
    const struct dfr_rows_made *rows;
    struct dfr_arena *arena;
    uint64_t *facts;      /* scratch: bits of one command */
    uint32_t *stamp, now; /* by row: last command that touched it */
    struct dfr_str *own;  /* by fact: a rule's own command, or empty */
    int64_t *pull;        /* by fact: how much of what is shown hangs on it */
    DFR_VEC(struct command) commands;
    struct dfr_names names;
    struct axis axes[AXES];
    uint32_t axis_count;
    uint8_t *axis_of; /* by row */
};

/* --- Which rows does a fact touch? ---------------------------------------------------------------- */

struct links {
    DFR_VEC(uint32_t) row;
    DFR_VEC(uint32_t) next; /* link + 1 */
    uint32_t *first;        /* by fact: link + 1 */
};

static void touch(const struct dfr_eval *e, struct dfr_arena *a, struct links *l, uint32_t set,
                  uint32_t row)
{
    uint32_t n;
    const uint32_t *facts = dfr_sets_items(e->sets, set, &n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t first = l->first[facts[i]];
        if (first && l->row.v[first - 1] == row)
            continue;
        *DFR_PUSH(a, &l->row) = row;
        *DFR_PUSH(a, &l->next) = first;
        l->first[facts[i]] = l->row.n;
    }
}

static void touch_all(const struct dfr_eval *e, const struct dfr_rows_made *rows,
                      struct dfr_arena *a, struct links *l)
{
    l->first = DFR_NEW_N(a, e->missing.n, uint32_t);
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct dfr_tally *t = &rows->v[i].tally;
        for (uint32_t k = 0; k < t->leaves.n; k++) {
            if (t->leaves.v[k].open)
                touch(e, a, l, t->leaves.v[k].missing, i);
        }
        for (uint32_t k = 0; k < t->members.n; k++) {
            const struct dfr_hit *hit = &e->hits.v[t->members.v[k].hit];
            if (t->members.v[k].waiting)
                touch(e, a, l, hit->when.missing, i);
            if (t->members.v[k].unless_open)
                touch(e, a, l, hit->unless.missing, i);
        }
        if (rows->v[i].nameless)
            touch(e, a, l, rows->v[i].subject.missing, i);
    }
}

/* --- Which command shows it? ---------------------------------------------------------------------- */

static void add_fact(struct collecting *c, const struct dfr_command *command, uint32_t fact)
{
    uint32_t id = dfr_names_add(&c->names, command->text);
    while (c->commands.n < id)
        *DFR_PUSH(c->arena, &c->commands) = (struct command){.is = *command};
    struct command *k = &c->commands.v[id - 1];
    if (command->cost < k->is.cost)
        k->is.cost = command->cost;
    for (uint32_t i = 0; i < k->facts.n; i++) {
        if (k->facts.v[i] == fact)
            return;
    }
    *DFR_PUSH(c->arena, &k->facts) = fact;
}

/* A rule's own command is at most as dear as what it replaces, and never a whole dump. */
static uint32_t own_cost(const struct dfr_command *schema, bool any)
{
    uint32_t cost = any ? schema->cost : 1;
    return cost > 3 ? 3 : cost;
}

static void own_commands(struct collecting *c, const struct dfr_row *row)
{
    const struct dfr_eval *e = c->r->eval;
    for (uint32_t i = 0; i < row->hit_count; i++) {
        const struct dfr_hit *hit = &e->hits.v[row->hits[i]];
        for (uint32_t k = 0; k < hit->collect_count; k++) {
            const struct dfr_collected *col = &hit->collect[k];
            if (dfr_tv_tri(&col->condition) != DFR_TRUE || !col->command.len)
                continue;
            uint32_t n;
            const uint32_t *facts = dfr_sets_items(e->sets, col->missing, &n);
            for (uint32_t j = 0; j < n; j++) {
                struct dfr_str *own = &c->own[facts[j]];
                /* Of several rules' commands for one fact, the first by its words. */
                if (!own->len || dfr_str_cmp(col->command, *own) < 0)
                    *own = col->command;
            }
        }
    }
}

/* A `collect` without `if` shows whatever its rule still lacks, beside the schema's commands. */
static void free_commands(struct collecting *c, const struct dfr_row *row)
{
    const struct dfr_eval *e = c->r->eval;
    for (uint32_t i = 0; i < row->hit_count; i++) {
        const struct dfr_hit *hit = &e->hits.v[row->hits[i]];
        for (uint32_t k = 0; k < hit->collect_count; k++) {
            const struct dfr_collected *col = &hit->collect[k];
            if (e->program->collect.v[col->collect].condition != DFR_NONE || !col->command.len)
                continue;
            uint32_t set = hit->status == DFR_HIT_WAITING ? hit->when.missing : 0, n;
            for (uint32_t j = 0; j < hit->item_count; j++) {
                if (dfr_tv_tri(&hit->items[j].truth) == DFR_OPEN)
                    set = dfr_sets_union(e->sets, set, hit->items[j].truth.missing);
            }
            const uint32_t *facts = dfr_sets_items(e->sets, set, &n);
            struct dfr_command command = {.text = col->command, .cost = 1, .known = true};
            for (uint32_t j = 0; j < n; j++)
                add_fact(c, &command, facts[j]);
        }
    }
}

static void find_commands(struct collecting *c, const struct links *l)
{
    const struct dfr_eval *e = c->r->eval;
    uint8_t *wanted = DFR_NEW_N(c->arena, e->missing.n, uint8_t);
    for (uint32_t i = 0; i < c->r->held_count; i++) {
        uint32_t n;
        const uint32_t *facts = dfr_sets_items(e->sets, c->r->held[i].missing, &n);
        for (uint32_t k = 0; k < n; k++)
            wanted[facts[k]] = 1;
    }
    for (uint32_t i = 0; i < c->rows->n; i++)
        own_commands(c, &c->rows->v[i]);
    for (uint32_t i = 0; i < e->missing.n; i++) {
        if (!l->first[i] && !wanted[i])
            continue;
        struct dfr_command command;
        bool any = dfr_command_of(e, i, c->arena, &command);
        if (c->own[i].len)
            command = (struct dfr_command){c->own[i], own_cost(&command, any), true};
        if (any || c->own[i].len)
            add_fact(c, &command, i);
    }
    for (uint32_t i = 0; i < c->rows->n; i++)
        free_commands(c, &c->rows->v[i]);
}

/* --- What is it worth? ---------------------------------------------------------------------------- */

static int32_t shown(int32_t score)
{
    return score > DFR_SCORE_HIDDEN ? score : DFR_SCORE_HIDDEN;
}

struct reach {
    int32_t hi, move;
};

/* Keep the five rows that reach highest. */
static void keep_top(struct reach *top, uint32_t *n, struct reach x)
{
    uint32_t at = *n;
    if (x.hi <= DFR_SCORE_HIDDEN)
        return;
    while (at > 0 &&
           (top[at - 1].hi < x.hi || (top[at - 1].hi == x.hi && top[at - 1].move < x.move)))
        at--;
    if (at >= TOP)
        return;
    uint32_t end = *n < TOP ? *n : TOP - 1;
    for (uint32_t i = end; i > at; i--)
        top[i] = top[i - 1];
    top[at] = x;
    *n = end + 1;
}

static void find_axes(struct collecting *c)
{
    const struct dfr_program *p = c->r->eval->program;
    c->axis_of = DFR_NEW_N(c->arena, c->rows->n, uint8_t);
    for (uint32_t i = 0; i < c->rows->n; i++) {
        struct dfr_str name = dfr_program_text(p, p->causes.v[c->rows->v[i].cause].axis);
        uint32_t k = 0;
        while (k < c->axis_count && !dfr_str_eq(c->axes[k].name, name))
            k++;
        if (k == c->axis_count && k < AXES)
            c->axes[c->axis_count++] = (struct axis){.name = name, .first = DFR_NONE};
        k = k < AXES ? k : AXES - 1;
        c->axis_of[i] = (uint8_t)k;
        if (c->axes[k].first == DFR_NONE && i < c->r->shown_count)
            c->axes[k].first = i;
    }
}

static void compete(struct collecting *c, uint32_t row, int32_t lo, int32_t hi)
{
    struct axis *x = &c->axes[c->axis_of[row]];
    if (x->first == row)
        x->first_min = lo;
    else if (hi > x->other_max)
        x->other_max = hi;
}

static bool flips(const struct collecting *c)
{
    for (uint32_t i = 0; i < c->axis_count; i++) {
        const struct axis *x = &c->axes[i];
        if (x->other_max > (x->first == DFR_NONE ? (int32_t)DFR_SCORE_HIDDEN : x->first_min))
            return true;
        if (x->first != DFR_NONE && x->first_min <= DFR_SCORE_HIDDEN)
            return true;
    }
    return false;
}

/* A row with only the facts of one command open. */
static void value_row(struct collecting *c, struct command *k, uint32_t row, struct reach *top,
                      uint32_t *top_count)
{
    const struct dfr_row *r = &c->rows->v[row];
    struct dfr_sum sum;
    dfr_tally_sum(&c->rows->v[row].tally, c->facts, &sum);
    bool gone = !sum.fired || sum.min_not_shown;
    int32_t lo = gone ? (int32_t)DFR_SCORE_HIDDEN : shown(sum.min);
    keep_top(top, top_count, (struct reach){sum.max, shown(sum.max) - lo});
    compete(c, row, lo, sum.max);
    if (r->nameless && sum.fired && sum.score > DFR_SCORE_HIDDEN &&
        dfr_tally_moves(c->r->eval, r->subject.missing, c->facts))
        k->moves += NAMES_DB;
}

static void value(struct collecting *c, const struct links *l, struct command *k)
{
    const struct dfr_rows_made *rows = c->rows;
    struct reach top[TOP];
    uint32_t top_count = 0, still = 0;
    k->moves = 0;
    c->now++;
    for (uint32_t i = 0; i < c->axis_count; i++) {
        struct axis *x = &c->axes[i];
        x->other_max = -DFR_SCORE_MOST;
        x->first_min = x->first == DFR_NONE ? 0 : rows->v[x->first].sum.score;
    }
    for (uint32_t i = 0; i < k->facts.n; i++)
        c->facts[k->facts.v[i] / 64] |= UINT64_C(1) << (k->facts.v[i] % 64);
    for (uint32_t i = 0; i < k->facts.n; i++) {
        for (uint32_t at = l->first[k->facts.v[i]]; at; at = l->next.v[at - 1]) {
            uint32_t row = l->row.v[at - 1];
            if (c->stamp[row] == c->now)
                continue;
            c->stamp[row] = c->now;
            value_row(c, k, row, top, &top_count);
        }
    }
    for (uint32_t i = 0; i < c->r->shown_count; i++) {
        if (c->stamp[i] == c->now)
            continue;
        compete(c, i, rows->v[i].sum.score, rows->v[i].sum.score);
        if (still++ < TOP)
            keep_top(top, &top_count, (struct reach){rows->v[i].sum.score, 0});
    }
    for (uint32_t i = 0; i < top_count; i++)
        k->moves += top[i].move;
    for (uint32_t i = 0; i < c->r->held_count; i++) {
        if (dfr_tally_moves(c->r->eval, c->r->held[i].missing, c->facts))
            k->moves += NAMES_DB;
    }
    k->flips = flips(c);
    for (uint32_t i = 0; i < k->facts.n; i++)
        c->facts[k->facts.v[i] / 64] = 0;
}

static int64_t worth(const struct command *k)
{
    return k->moves * (k->flips ? 2 : 1);
}

static int by_worth(const void *context, uint32_t a, uint32_t b)
{
    const struct command *x = (const struct command *)context + a;
    const struct command *y = (const struct command *)context + b;
    int64_t xw = worth(x) * (int64_t)y->is.cost, yw = worth(y) * (int64_t)x->is.cost;
    if (xw != yw)
        return xw > yw ? -1 : 1;
    if (x->is.cost != y->is.cost)
        return x->is.cost < y->is.cost ? -1 : 1;
    if (x->facts.n != y->facts.n)
        return x->facts.n > y->facts.n ? -1 : 1;
    return dfr_str_cmp(x->is.text, y->is.text);
}

/* Sort numbers of commands; those worth nothing fall off the end. */
static uint32_t sort_commands(struct collecting *c, uint32_t *order, uint32_t n)
{
    dfr_order(order, n, by_worth, c->commands.v, c->arena);
    while (n && c->commands.v[order[n - 1]].moves <= 0)
        n--;
    return n;
}

/* The commands on which most hangs for their price, so that a rule set of any size costs the same. */
static uint32_t likely_commands(struct collecting *c, uint32_t **ret)
{
    uint32_t n = 0;
    *ret = DFR_NEW_N(c->arena, c->commands.n, uint32_t);
    for (uint32_t i = 0; i < c->commands.n; i++) {
        struct command *k = &c->commands.v[i];
        /* A command with a blank to fill in takes another one before it. */
        if (dfr_str_find(k->is.text, DFR_STR("<")) != SIZE_MAX)
            k->is.cost *= 3;
        for (uint32_t j = 0; j < k->facts.n; j++)
            k->moves += c->pull[k->facts.v[j]];
        if (k->moves > 0)
            (*ret)[n++] = i;
    }
    dfr_order(*ret, n, by_worth, c->commands.v, c->arena);
    return n < VALUE_MOST ? n : VALUE_MOST;
}

/* A command that does all that another does, and more, takes over what the other shows. */
static void refine(struct collecting *c, const struct links *l, const uint32_t *order, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct command *whole = &c->commands.v[order[i]];
        uint32_t before = whole->facts.n;
        for (uint32_t k = 0; k < n; k++) {
            const struct command *part = &c->commands.v[order[k]];
            if (k == i || !part->is.known || !whole->is.known ||
                !dfr_command_covers(whole->is.text, part->is.text))
                continue;
            for (uint32_t j = 0; j < part->facts.n; j++)
                add_fact(c, &whole->is, part->facts.v[j]);
        }
        if (whole->facts.n != before)
            value(c, l, whole);
    }
}

static void pull(struct collecting *c, uint32_t set, int64_t db)
{
    uint32_t n;
    const uint32_t *facts = dfr_sets_items(c->r->eval->sets, set, &n);
    for (uint32_t i = 0; i < n; i++)
        c->pull[facts[i]] += db;
}

/* So that `why` names first what matters most, and what moves nothing is not worked out. */
static void weigh_facts(struct collecting *c)
{
    for (uint32_t i = 0; i < c->r->held_count; i++)
        pull(c, c->r->held[i].missing, NAMES_DB);
    for (uint32_t i = 0; i < c->rows->n; i++) {
        const struct dfr_tally *t = &c->rows->v[i].tally;
        int64_t near = i < c->r->shown_count ? 4 : 1;
        for (uint32_t k = 0; k < t->leaves.n; k++) {
            const struct dfr_leaf *leaf = &t->leaves.v[k];
            if (leaf->open && !t->members.v[leaf->member].waiting)
                pull(c, leaf->missing, near * (leaf->hi - leaf->lo));
        }
        for (uint32_t k = 0; k < t->members.n; k++) {
            const struct dfr_hit *hit = &c->r->eval->hits.v[t->members.v[k].hit];
            if (t->members.v[k].waiting)
                pull(c, hit->when.missing, shown(c->rows->v[i].sum.max) - DFR_SCORE_HIDDEN);
            if (t->members.v[k].unless_open)
                pull(c, hit->unless.missing, near);
        }
        if (c->rows->v[i].nameless)
            pull(c, c->rows->v[i].subject.missing, near);
    }
}

/* --- The best three --------------------------------------------------------------------------------- */

static int by_pull(const void *context, uint32_t a, uint32_t b)
{
    const struct collecting *c = context;
    const struct dfr_missing *x = &c->r->eval->missing.v[a], *y = &c->r->eval->missing.v[b];
    if (c->pull[a] != c->pull[b])
        return c->pull[a] > c->pull[b] ? -1 : 1;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    int words = dfr_str_cmp(x->param, y->param);
    return words ? words : a < b ? -1 : a > b;
}

static struct dfr_str say_why(const struct dfr_eval *e, const uint32_t *facts, uint32_t n,
                              struct dfr_arena *a)
{
    struct dfr_buf out;
    dfr_buf_init(&out, a);
    uint32_t most = n <= WHY_MOST + 1 ? n : WHY_MOST;
    for (uint32_t i = 0; i < most; i++) {
        if (i)
            dfr_buf_z(&out, "; ");
        dfr_command_shows(e, facts[i], &out);
    }
    if (most < n)
        dfr_buf_printf(&out, "; %u more", n - most);
    return dfr_buf_text(&out);
}

/* The other commands by what they show beyond the chosen one. */
static uint32_t without(struct collecting *c, const struct links *l, uint32_t *order, uint32_t n,
                        const struct command *chosen)
{
    uint8_t *seen = DFR_NEW_N(c->arena, c->r->eval->missing.n, uint8_t);
    for (uint32_t i = 0; i < chosen->facts.n; i++)
        seen[chosen->facts.v[i]] = 1;
    for (uint32_t i = 0; i < n; i++) {
        struct command *k = &c->commands.v[order[i]];
        uint32_t kept = 0;
        for (uint32_t j = 0; j < k->facts.n; j++) {
            if (!seen[k->facts.v[j]])
                k->facts.v[kept++] = k->facts.v[j];
        }
        if (kept == k->facts.n)
            continue;
        k->facts.n = kept;
        value(c, l, k);
    }
    return sort_commands(c, order, n);
}

void dfr_rank_collect(struct dfr_ranking *ret, const struct dfr_rows_made *rows,
                      struct dfr_arena *a)
{
    const struct dfr_eval *e = ret->eval;
    struct collecting c = {.r = ret,
                           .rows = rows,
                           .arena = a,
                           .facts = DFR_NEW_N(a, e->missing.n / 64 + 1, uint64_t),
                           .stamp = DFR_NEW_N(a, rows->n, uint32_t),
                           .own = DFR_NEW_N(a, e->missing.n, struct dfr_str),
                           .pull = DFR_NEW_N(a, e->missing.n, int64_t)};
    struct links l = {0};
    dfr_names_init(&c.names, a, false);
    touch_all(e, rows, a, &l);
    find_axes(&c);
    weigh_facts(&c);
    find_commands(&c, &l);
    uint32_t *order, n = likely_commands(&c, &order);
    for (uint32_t i = 0; i < n; i++)
        value(&c, &l, &c.commands.v[order[i]]);
    n = sort_commands(&c, order, n);
    n = n < REFINE_MOST ? n : REFINE_MOST;
    refine(&c, &l, order, n);
    n = sort_commands(&c, order, n);
    ret->collect = DFR_NEW_N(a, BEST, struct dfr_ranked_collect);
    while (n && ret->collect_count < BEST) {
        struct command best = c.commands.v[order[0]];
        dfr_order(best.facts.v, best.facts.n, by_pull, &c, a);
        ret->collect[ret->collect_count++] =
            (struct dfr_ranked_collect){.command = best.is.text,
                                        .why = say_why(e, best.facts.v, best.facts.n, a),
                                        .cost = best.is.cost,
                                        .moves_db = (int32_t)best.moves,
                                        .flips_first = best.flips,
                                        .command_known = best.is.known,
                                        .missing = best.facts.v,
                                        .missing_count = best.facts.n};
        n = without(&c, &l, order, n, &best);
    }
}
