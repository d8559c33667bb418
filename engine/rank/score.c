/* Weights of evidence added up: groups, equals of different rules, intervals.
 * Relies on a finished evaluation; knows nothing of causes beyond their prior. */
#include "rank/tally.h"

#include <stdlib.h>
#include <string.h>

uint32_t dfr_verdict_of(int32_t score_db)
{
    if (score_db >= 20)
        return DFR_VERDICT_NEAR_CERTAIN;
    if (score_db >= 10)
        return DFR_VERDICT_STRONG;
    if (score_db >= DFR_SCORE_LIKELY)
        return DFR_VERDICT_LIKELY;
    return score_db > DFR_SCORE_HIDDEN ? DFR_VERDICT_POSSIBLE : DFR_VERDICT_NONE;
}

bool dfr_tally_moves(const struct dfr_eval *e, uint32_t missing, const uint64_t *facts)
{
    uint32_t n;
    const uint32_t *items = dfr_sets_items(e->sets, missing, &n);
    if (!facts)
        return n > 0;
    for (uint32_t i = 0; i < n; i++) {
        if (facts[items[i] / 64] >> (items[i] % 64) & 1)
            return true;
    }
    return false;
}

static int32_t clamp(int32_t v, int32_t most)
{
    return v > most ? most : v < -most ? -most : v;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t size_of(int32_t v)
{
    return v < 0 ? -v : v;
}

/* Would `x` count instead of `d`? The stronger does; of equals with opposite sign the negative. */
static bool beats(int32_t x, int32_t d)
{
    return size_of(x) > size_of(d) || (size_of(x) == size_of(d) && x < d);
}

void dfr_tally_init(struct dfr_tally *t, const struct dfr_eval *e, uint32_t cause,
                    struct dfr_arena *a)
{
    *t = (struct dfr_tally){.eval = e, .arena = a};
    t->prior = cause == DFR_NONE ? 0 : e->program->causes.v[cause].prior_db;
}

/* Node of a group within the member that begins at `first_node`, made with its parents. */
static uint32_t node_of(struct dfr_tally *t, uint32_t first_node, uint32_t group)
{
    const struct dfr_program *p = t->eval->program;
    uint32_t below = DFR_NONE, found = DFR_NONE, made = t->nodes.n;
    /* Parents come after their children here; sum_nodes() goes by depth. */
    while (group != DFR_NONE && group < p->groups.n) {
        uint32_t at = first_node;
        while (at < t->nodes.n && t->nodes.v[at].group != group)
            at++;
        bool known = at < t->nodes.n;
        if (known && at >= made)
            break; /* groups inside each other in a circle: no verified program has them */
        if (!known)
            *DFR_PUSH(t->arena, &t->nodes) =
                (struct dfr_node){.group = group, .parent = DFR_NONE, .unit = DFR_NONE};
        if (below != DFR_NONE)
            t->nodes.v[below].parent = at;
        if (found == DFR_NONE)
            found = at;
        if (known)
            break;
        below = at;
        group = p->groups.v[group].parent;
    }
    return found;
}

static void add_leaf(struct dfr_tally *t, struct dfr_leaf leaf, int32_t if_true, int32_t if_false)
{
    uint32_t reach = leaf.trust == DFR_TRUST_PROSE ? DFR_PROSE_MOST : DFR_SCORE_MOST * 2;
    int32_t yes = clamp(if_true, (int32_t)reach), no = clamp(if_false, (int32_t)reach);
    if (leaf.truth != DFR_OPEN) {
        int32_t full = leaf.truth == DFR_TRUE ? if_true : if_false;
        leaf.decided = true;
        leaf.v = leaf.lo = leaf.hi = leaf.truth == DFR_TRUE ? yes : no;
        leaf.capped = leaf.v != full;
    } else if (leaf.open) {
        leaf.lo = least(0, least(yes, no));
        leaf.hi = most(0, most(yes, no));
    }
    *DFR_PUSH(t->arena, &t->leaves) = leaf;
}

void dfr_tally_add(struct dfr_tally *t, uint32_t hit_index)
{
    const struct dfr_eval *e = t->eval;
    const struct dfr_hit *hit = &e->hits.v[hit_index];
    const struct dfr_prule *rule = &e->program->rules.v[hit->rule];
    uint32_t member = t->members.n, first_node = t->nodes.n;
    bool waiting = hit->status == DFR_HIT_WAITING;
    *DFR_PUSH(t->arena, &t->members) =
        (struct dfr_member){.hit = hit_index,
                            .waiting = waiting,
                            .unless_open = hit->unless.v.kind != DFR_KIND_NONE &&
                                           dfr_tv_tri(&hit->unless) == DFR_OPEN &&
                                           dfr_tally_moves(e, hit->unless.missing, NULL)};
    uint8_t trust = waiting ? DFR_TRUST_BINARY : hit->when.v.trust;
    if (rule->when_db) {
        struct dfr_leaf leaf = {.hit = hit_index,
                                .item = DFR_NONE,
                                .member = member,
                                .missing = hit->when.missing,
                                .origin = hit->when.origin,
                                .hash = UINT64_C(0x7768656e) << 32 | hit->rule,
                                .node = DFR_NONE,
                                .unit = DFR_NONE,
                                .truth = DFR_TRUE,
                                .trust = trust};
        add_leaf(t, leaf, rule->when_db, 0);
        /* While it waits nothing has decided it, so nothing makes it the equal of another's. */
        if (waiting)
            t->leaves.v[t->leaves.n - 1].origin = DFR_NONE;
    }
    for (uint32_t i = 0; i < hit->item_count; i++) {
        const struct dfr_item *item = &hit->items[i];
        const struct dfr_pevidence *ev = &e->program->evidence.v[item->evidence];
        bool note = ev->cls == DFR_ITEM_NOTE;
        enum dfr_tri truth = dfr_tv_tri(&item->truth);
        uint8_t own = truth == DFR_OPEN ? (uint8_t)DFR_TRUST_BINARY : item->truth.v.trust;
        struct dfr_leaf leaf = {.hit = hit_index,
                                .item = i,
                                .member = member,
                                .missing = item->truth.missing,
                                .origin = item->truth.origin,
                                .hash = (uint64_t)ev->hash_hi << 32 | ev->hash_lo,
                                .node = note ? DFR_NONE : node_of(t, first_node, ev->group),
                                .unit = DFR_NONE,
                                .truth = truth,
                                .trust = own < trust ? own : trust,
                                .open = truth == DFR_OPEN &&
                                        dfr_tally_moves(e, item->truth.missing, NULL),
                                .note = note};
        add_leaf(t, leaf, note ? 0 : ev->if_true, note ? 0 : ev->if_false);
    }
}

static uint32_t root_of(struct dfr_tally *t, uint32_t unit)
{
    while (t->units.v[unit].root != unit) {
        uint32_t up = t->units.v[unit].root;
        t->units.v[unit].root = t->units.v[up].root;
        unit = up;
    }
    return unit;
}

static uint32_t unit_of_leaf(const struct dfr_tally *t, uint32_t leaf)
{
    uint32_t node = t->leaves.v[leaf].node;
    if (node == DFR_NONE)
        return t->leaves.v[leaf].unit;
    while (t->nodes.v[node].parent != DFR_NONE)
        node = t->nodes.v[node].parent;
    return t->nodes.v[node].unit;
}

static int by_hash(const void *context, uint32_t a, uint32_t b)
{
    const struct dfr_leaf *x = &((const struct dfr_tally *)context)->leaves.v[a];
    const struct dfr_leaf *y = &((const struct dfr_tally *)context)->leaves.v[b];
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int by_origin(const void *context, uint32_t a, uint32_t b)
{
    const struct dfr_leaf *x = &((const struct dfr_tally *)context)->leaves.v[a];
    const struct dfr_leaf *y = &((const struct dfr_tally *)context)->leaves.v[b];
    return x->origin < y->origin ? -1 : x->origin > y->origin;
}

/* Join the units of leaves that `compare` finds equal. Also within one rule, where it changes no sum,
 * so that a copy of the rule finds nothing left to join. */
static void join_equals(struct dfr_tally *t, uint32_t *order, uint32_t n, dfr_order_fn compare)
{
    dfr_order(order, n, compare, t, t->arena);
    for (uint32_t i = 1; i < n; i++) {
        if (compare(t, order[i - 1], order[i]) != 0)
            continue;
        uint32_t a = root_of(t, unit_of_leaf(t, order[i - 1]));
        uint32_t b = root_of(t, unit_of_leaf(t, order[i]));
        t->units.v[a < b ? b : a].root = a < b ? a : b;
    }
}

static uint32_t new_unit(struct dfr_tally *t, uint32_t member, uint32_t leaf, uint32_t node)
{
    uint32_t unit = t->units.n;
    *DFR_PUSH(t->arena, &t->units) = (struct dfr_unit){
        .member = member, .part = DFR_NONE, .root = unit, .leaf = leaf, .node = node};
    return unit;
}

void dfr_tally_link(struct dfr_tally *t)
{
    for (uint32_t i = 0; i < t->leaves.n; i++) {
        struct dfr_leaf *leaf = &t->leaves.v[i];
        if (leaf->note)
            continue;
        if (leaf->node == DFR_NONE) {
            leaf->unit = new_unit(t, leaf->member, i, DFR_NONE);
            continue;
        }
        uint32_t node = leaf->node;
        while (t->nodes.v[node].parent != DFR_NONE)
            node = t->nodes.v[node].parent;
        if (t->nodes.v[node].unit == DFR_NONE)
            t->nodes.v[node].unit = new_unit(t, leaf->member, DFR_NONE, node);
    }
    if (t->members.n > 1) {
        uint32_t *order = DFR_NEW_N(t->arena, t->leaves.n, uint32_t), n = 0;
        for (uint32_t i = 0; i < t->leaves.n; i++) {
            if (!t->leaves.v[i].note && t->leaves.v[i].hash)
                order[n++] = i;
        }
        join_equals(t, order, n, by_hash);
        n = 0;
        for (uint32_t i = 0; i < t->leaves.n; i++) {
            const struct dfr_leaf *leaf = &t->leaves.v[i];
            if (!leaf->note && leaf->decided && leaf->origin != DFR_NONE)
                order[n++] = i;
        }
        join_equals(t, order, n, by_origin);
    }
    uint32_t *last = DFR_NEW_N(t->arena, t->units.n, uint32_t); /* by root: newest part + 1 */
    uint32_t *cls = DFR_NEW_N(t->arena, t->units.n, uint32_t);  /* by root: class + 1 */
    for (uint32_t i = 0; i < t->units.n; i++) {
        uint32_t root = root_of(t, i), member = t->units.v[i].member;
        if (last[root] && t->parts.v[last[root] - 1].member == member) {
            t->units.v[i].part = last[root] - 1;
            continue;
        }
        struct dfr_member *m = &t->members.v[member];
        if (!m->part_count++)
            m->first_part = t->parts.n;
        if (last[root]) {
            t->parts.v[last[root] - 1].next = t->parts.n;
        } else {
            *DFR_PUSH(t->arena, &t->classes) =
                (struct dfr_class){.first = t->parts.n, .best = DFR_NONE};
            cls[root] = t->classes.n;
        }
        t->units.v[i].part = t->parts.n;
        last[root] = t->parts.n + 1;
        *DFR_PUSH(t->arena, &t->parts) =
            (struct dfr_part){.member = member, .cls = cls[root] - 1, .next = DFR_NONE};
    }
}

/* A child gives its parent what it decided and how far it could reach. */
static void give_node(struct dfr_node *node, int32_t v, int32_t lo, int32_t hi, uint32_t leaf,
                      uint32_t child)
{
    bool first = node->best_leaf == DFR_NONE && node->best_node == DFR_NONE;
    if (v && (first || beats(v, node->v))) {
        node->v = v;
        node->best_leaf = leaf;
        node->best_node = child;
    }
    node->lo = least(node->lo, lo);
    node->hi = most(node->hi, hi);
}

/* Only what beats the decided member widens a group. */
static void close_node(struct dfr_node *node)
{
    int32_t lo = node->lo, hi = node->hi;
    node->lo = node->hi = node->v;
    if (beats(lo, node->v))
        node->lo = least(node->lo, lo);
    if (beats(hi, node->v))
        node->hi = most(node->hi, hi);
}

static void give_part(struct dfr_part *part, int32_t v, int32_t lo, int32_t hi)
{
    part->v += v;
    part->lo += lo;
    part->hi += hi;
    part->mass += size_of(v);
    part->reach += most(size_of(lo), size_of(hi));
    part->below += least(0, lo);
    part->above += most(0, hi);
    part->units++;
}

static bool leaf_open(const struct dfr_tally *t, const struct dfr_leaf *leaf, const uint64_t *facts)
{
    return leaf->open && (!facts || dfr_tally_moves(t->eval, leaf->missing, facts));
}

static uint32_t depth_of(const struct dfr_tally *t, uint32_t node)
{
    uint32_t depth = 0;
    for (; t->nodes.v[node].parent != DFR_NONE; node = t->nodes.v[node].parent)
        depth++;
    return depth;
}

static void sum_nodes(struct dfr_tally *t)
{
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < t->nodes.n; i++)
        deepest = depth_of(t, i) > deepest ? depth_of(t, i) : deepest;
    for (uint32_t depth = deepest + 1; depth-- > 0;) {
        for (uint32_t i = 0; i < t->nodes.n; i++) {
            struct dfr_node *node = &t->nodes.v[i];
            if (depth_of(t, i) != depth)
                continue;
            close_node(node);
            if (node->parent == DFR_NONE)
                give_part(&t->parts.v[t->units.v[node->unit].part], node->v, node->lo, node->hi);
            else
                give_node(&t->nodes.v[node->parent], node->v, node->lo, node->hi, DFR_NONE, i);
        }
    }
}

static void sum_leaves(struct dfr_tally *t, const uint64_t *facts)
{
    for (uint32_t i = 0; i < t->nodes.n; i++) {
        struct dfr_node *node = &t->nodes.v[i];
        node->v = node->lo = node->hi = 0;
        node->best_leaf = node->best_node = DFR_NONE;
    }
    for (uint32_t i = 0; i < t->parts.n; i++) {
        struct dfr_part *part = &t->parts.v[i];
        *part = (struct dfr_part){.member = part->member, .cls = part->cls, .next = part->next};
    }
    for (uint32_t i = 0; i < t->leaves.n; i++) {
        struct dfr_leaf *leaf = &t->leaves.v[i];
        leaf->counted = false;
        if (leaf->note)
            continue;
        bool wide = leaf->decided || leaf_open(t, leaf, facts);
        int32_t lo = wide ? leaf->lo : 0, hi = wide ? leaf->hi : 0;
        if (leaf->node != DFR_NONE)
            give_node(&t->nodes.v[leaf->node], leaf->v, lo, hi, i, DFR_NONE);
        else
            give_part(&t->parts.v[t->units.v[leaf->unit].part], leaf->v, lo, hi);
    }
    sum_nodes(t);
}

static bool removable(const struct dfr_tally *t, const struct dfr_member *m, const uint64_t *facts)
{
    return m->unless_open &&
           (!facts || dfr_tally_moves(t->eval, t->eval->hits.v[m->hit].unless.missing, facts));
}

static bool in_play(const struct dfr_tally *t, const struct dfr_part *p)
{
    return !t->members.v[p->member].waiting;
}

/* Of the parts that say the same, the one with most to say counts; of equals the lowest. */
static void choose(const struct dfr_tally *t, struct dfr_class *c)
{
    c->best = DFR_NONE;
    for (uint32_t i = c->first; i != DFR_NONE; i = t->parts.v[i].next) {
        const struct dfr_part *p = &t->parts.v[i];
        if (!in_play(t, p))
            continue;
        const struct dfr_part *b = c->best == DFR_NONE ? NULL : &t->parts.v[c->best];
        if (!b || p->mass > b->mass || (p->mass == b->mass && p->v < b->v))
            c->best = i;
    }
    c->taken = c->best != DFR_NONE;
}

static void widen(struct dfr_class *c, int32_t v)
{
    c->lo = least(c->lo, v);
    c->hi = most(c->hi, v);
}

/* A part that may vanish may be what holds its class together: then its equals could all count. */
static void widen_apart(const struct dfr_tally *t, struct dfr_class *c, const uint64_t *facts)
{
    int32_t parts = 0, units = 0, below = 0, above = 0;
    bool any = false;
    for (uint32_t i = c->first; i != DFR_NONE; i = t->parts.v[i].next) {
        const struct dfr_part *p = &t->parts.v[i];
        if (!in_play(t, p))
            continue;
        parts++;
        units += p->units;
        below += p->below;
        above += p->above;
        any |= removable(t, &t->members.v[p->member], facts);
    }
    if (any && (parts > 2 || units > parts)) {
        widen(c, below);
        widen(c, above);
    }
}

static void sum_class(struct dfr_tally *t, struct dfr_class *c, const uint64_t *facts)
{
    c->v = c->lo = c->hi = 0;
    choose(t, c);
    if (!c->taken)
        return;
    const struct dfr_part *best = &t->parts.v[c->best];
    c->v = best->v;
    c->lo = best->lo;
    c->hi = best->hi;
    bool loose = removable(t, &t->members.v[best->member], facts);
    if (loose)
        widen(c, 0);
    /* What any part must have to count in the end: no less than those have that will stay. */
    int32_t needed = 0;
    for (uint32_t i = c->first; i != DFR_NONE; i = t->parts.v[i].next) {
        const struct dfr_part *p = &t->parts.v[i];
        if (in_play(t, p) && !removable(t, &t->members.v[p->member], facts))
            needed = most(needed, p->mass);
    }
    for (uint32_t i = c->first; i != DFR_NONE; i = t->parts.v[i].next) {
        const struct dfr_part *p = &t->parts.v[i];
        if (i == c->best || !in_play(t, p) || p->reach < needed)
            continue;
        const int32_t ends[] = {p->lo, p->v, p->hi};
        for (uint32_t k = 0; k < 3; k++) {
            int32_t size = size_of(ends[k]);
            if (p->units > 1 || size > needed || (size == needed && (loose || ends[k] < c->v)))
                widen(c, ends[k]);
        }
    }
    widen_apart(t, c, facts);
}

/* What a part of a waiting rule could add to its class at most. */
static int32_t could_add(const struct dfr_class *c, const struct dfr_part *p)
{
    if (!c->taken)
        return p->hi;
    if (p->hi > 0 && beats(p->hi, c->v))
        return p->hi > c->hi ? p->hi - c->hi : 0;
    return 0;
}

static int32_t sum_waiting(struct dfr_tally *t, const uint64_t *facts, bool fired)
{
    int32_t all = 0, best = INT32_MIN;
    for (uint32_t i = 0; i < t->members.n; i++) {
        const struct dfr_member *m = &t->members.v[i];
        if (!m->waiting || !dfr_tally_moves(t->eval, t->eval->hits.v[m->hit].when.missing, facts))
            continue;
        int32_t total = 0;
        for (uint32_t k = m->first_part; k < m->first_part + m->part_count; k++)
            total += could_add(&t->classes.v[t->parts.v[k].cls], &t->parts.v[k]);
        best = most(best, total);
        if (total <= 0)
            continue;
        all += total;
        for (uint32_t k = m->first_part; k < m->first_part + m->part_count; k++) {
            struct dfr_class *c = &t->classes.v[t->parts.v[k].cls];
            int32_t add = could_add(c, &t->parts.v[k]);
            c->hi = c->taken ? c->hi + add : add;
            c->taken = true;
        }
    }
    if (fired || all > 0)
        return all;
    return best == INT32_MIN ? -2 * DFR_SCORE_MOST : best;
}

static void mark(struct dfr_tally *t)
{
    for (uint32_t i = 0; i < t->units.n; i++) {
        const struct dfr_unit *u = &t->units.v[i];
        if (t->classes.v[t->parts.v[u->part].cls].best != u->part)
            continue;
        uint32_t leaf = u->leaf, node = u->node;
        while (node != DFR_NONE) {
            leaf = t->nodes.v[node].best_leaf;
            node = t->nodes.v[node].best_node;
        }
        if (leaf != DFR_NONE)
            t->leaves.v[leaf].counted = true;
    }
}

static bool is_prose(const struct dfr_leaf *leaf)
{
    return leaf->counted && leaf->decided && leaf->v && leaf->trust == DFR_TRUST_PROSE;
}

/* People's words together never make more than a weak case, however many remarks there are: the
 * strongest that speaks for the cause counts, and the strongest against. Returns what the others
 * would have added. */
static int32_t drop_spare_prose(struct dfr_tally *t)
{
    uint32_t strongest[2] = {DFR_NONE, DFR_NONE};
    int32_t spare = 0;
    for (uint32_t i = 0; i < t->leaves.n; i++) {
        const struct dfr_leaf *leaf = &t->leaves.v[i];
        uint32_t *best = &strongest[leaf->v < 0];
        if (is_prose(leaf) && (*best == DFR_NONE || abs(leaf->v) > abs(t->leaves.v[*best].v)))
            *best = i;
    }
    for (uint32_t i = 0; i < t->leaves.n; i++) {
        struct dfr_leaf *leaf = &t->leaves.v[i];
        if (!is_prose(leaf) || i == strongest[0] || i == strongest[1])
            continue;
        leaf->counted = false;
        spare += leaf->v;
    }
    return spare;
}

void dfr_tally_sum(struct dfr_tally *t, const uint64_t *facts, struct dfr_sum *ret)
{
    int32_t v = t->prior, lo = t->prior, hi = t->prior;
    uint32_t fired = 0, removed = 0;
    sum_leaves(t, facts);
    for (uint32_t i = 0; i < t->classes.n; i++) {
        struct dfr_class *c = &t->classes.v[i];
        sum_class(t, c, facts);
        v += c->v;
        lo += c->lo;
        hi += c->hi;
    }
    mark(t);
    int32_t spare = drop_spare_prose(t);
    v -= spare;
    lo -= most(spare, 0);
    hi -=
        least(spare, 0); /* an open member may yet beat a remark in its group: keep the high end */
    for (uint32_t i = 0; i < t->members.n; i++) {
        if (t->members.v[i].waiting)
            continue;
        fired++;
        removed += removable(t, &t->members.v[i], facts);
    }
    hi += sum_waiting(t, facts, fired > 0);
    *ret = (struct dfr_sum){.score = clamp(v, DFR_SCORE_MOST),
                            .min = clamp(lo, DFR_SCORE_MOST),
                            .max = clamp(hi, DFR_SCORE_MOST),
                            .fired = fired > 0,
                            .min_not_shown = fired > 0 && removed == fired};
}
