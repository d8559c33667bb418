/* Interned records and chunk assembly for whoever compiles rules. */
#include "code/build.h"

#include <string.h>

#include "base/limits.h"

void dfr_program_init(struct dfr_program *p, struct dfr_arena *a)
{
    *p = (struct dfr_program){.arena = a};
}

void dfr_builder_init(struct dfr_builder *b, struct dfr_program *p)
{
    *b = (struct dfr_builder){.p = p};
}

/* --- Interning --- */

/* Next slot with this hash from *at on, or an empty one: returns the record number, or DFR_NONE
 * when the chain has ended and *at is where a new record goes. */
static uint32_t probe(const struct dfr_intern *t, uint32_t hash, uint32_t *at)
{
    while (t->slots[*at]) {
        uint32_t i = *at;
        if (t->hashes[i] == hash)
            return t->slots[i] - 1;
        *at = (i + 1) & t->mask;
    }
    return DFR_NONE;
}

static void make_room(struct dfr_arena *a, struct dfr_intern *t)
{
    enum { FIRST = 64 };
    if (t->slots && t->used < t->mask / 4 * 3)
        return;
    struct dfr_intern old = *t;
    uint32_t size = t->slots ? (t->mask + 1) * 2 : FIRST;
    t->slots = DFR_NEW_N(a, size, uint32_t);
    t->hashes = DFR_NEW_N(a, size, uint32_t);
    t->mask = size - 1;
    for (uint32_t i = 0; old.slots && i <= old.mask; i++) {
        if (!old.slots[i])
            continue;
        uint32_t at = old.hashes[i] & t->mask;
        while (t->slots[at])
            at = (at + 1) & t->mask;
        t->slots[at] = old.slots[i];
        t->hashes[at] = old.hashes[i];
    }
}

static void remember(struct dfr_intern *t, uint32_t at, uint32_t hash, uint32_t record)
{
    t->slots[at] = record + 1;
    t->hashes[at] = hash;
    t->used++;
}

static uint32_t hash_bytes(const void *p, size_t len)
{
    uint64_t h = dfr_str_hash((struct dfr_str){p, len});
    return (uint32_t)(h ^ h >> 32);
}

struct dfr_ptext dfr_build_text(struct dfr_builder *b, struct dfr_str s)
{
    struct dfr_program *p = b->p;
    if (s.len == 0)
        return (struct dfr_ptext){0};
    if (s.len > UINT32_MAX - p->pool.n)
        dfr_mem_fail(p->arena->mem);
    make_room(p->arena, &b->texts);
    uint32_t hash = hash_bytes(s.p, s.len), at = hash & b->texts.mask, i;
    while ((i = probe(&b->texts, hash, &at)) != DFR_NONE) {
        if (dfr_str_eq(dfr_program_text(p, b->text_list.v[i]), s))
            return b->text_list.v[i];
        at = (at + 1) & b->texts.mask;
    }
    struct dfr_ptext t = {p->pool.n, (uint32_t)s.len};
    if (p->pool.cap - p->pool.n < s.len) {
        uint32_t cap = p->pool.cap ? p->pool.cap : 256;
        while (cap - p->pool.n < s.len) {
            if (cap > UINT32_MAX / 2)
                dfr_mem_fail(p->arena->mem);
            cap *= 2;
        }
        char *bigger = dfr_arena_alloc(p->arena, cap);
        if (p->pool.n)
            memcpy(bigger, p->pool.v, p->pool.n);
        p->pool.v = bigger;
        p->pool.cap = cap;
    }
    memcpy(p->pool.v + p->pool.n, s.p, s.len);
    p->pool.n += t.len;
    *DFR_PUSH(p->arena, &b->text_list) = t;
    remember(&b->texts, at, hash, b->text_list.n - 1);
    return t;
}

uint32_t dfr_build_const(struct dfr_builder *b, struct dfr_pconst c)
{
    struct dfr_program *p = b->p;
    make_room(p->arena, &b->consts);
    uint32_t hash = hash_bytes(&c, sizeof c), at = hash & b->consts.mask, i;
    while ((i = probe(&b->consts, hash, &at)) != DFR_NONE) {
        if (memcmp(&p->consts.v[i], &c, sizeof c) == 0)
            return i;
        at = (at + 1) & b->consts.mask;
    }
    *DFR_PUSH(p->arena, &p->consts) = c;
    remember(&b->consts, at, hash, p->consts.n - 1);
    return p->consts.n - 1;
}

uint32_t dfr_build_pattern(struct dfr_builder *b, struct dfr_ppattern pattern)
{
    struct dfr_program *p = b->p;
    make_room(p->arena, &b->patterns);
    uint32_t hash = hash_bytes(&pattern, sizeof pattern), at = hash & b->patterns.mask, i;
    while ((i = probe(&b->patterns, hash, &at)) != DFR_NONE) {
        if (memcmp(&p->patterns.v[i], &pattern, sizeof pattern) == 0)
            return i;
        at = (at + 1) & b->patterns.mask;
    }
    *DFR_PUSH(p->arena, &p->patterns) = pattern;
    remember(&b->patterns, at, hash, p->patterns.n - 1);
    return p->patterns.n - 1;
}

/* --- Constants --- */

static struct dfr_pconst two_words(enum dfr_kind kind, uint64_t lo, uint64_t hi)
{
    return (struct dfr_pconst){
        kind, {(uint32_t)lo, (uint32_t)(lo >> 32), (uint32_t)hi, (uint32_t)(hi >> 32)}};
}

struct dfr_pconst dfr_const_bool(bool v)
{
    return (struct dfr_pconst){DFR_KIND_BOOL, {v}};
}

struct dfr_pconst dfr_const_int(int64_t v)
{
    return two_words(DFR_KIND_INT, (uint64_t)v, (uint64_t)v);
}

struct dfr_pconst dfr_const_addr(uint64_t v)
{
    return two_words(DFR_KIND_ADDR, v, 0);
}

struct dfr_pconst dfr_const_text(enum dfr_kind kind, struct dfr_ptext t)
{
    return (struct dfr_pconst){kind, {t.off, t.len}};
}

struct dfr_pconst dfr_const_span(enum dfr_kind kind, int64_t lo, int64_t hi)
{
    return two_words(kind, (uint64_t)lo, (uint64_t)hi);
}

struct dfr_pconst dfr_const_ver(const uint32_t part[4])
{
    return (struct dfr_pconst){DFR_KIND_VER, {part[0], part[1], part[2], part[3]}};
}

struct dfr_pconst dfr_const_enum(uint32_t type, uint32_t value)
{
    return (struct dfr_pconst){DFR_KIND_ENUM, {type, value}};
}

struct dfr_pconst dfr_const_absent(void)
{
    return (struct dfr_pconst){DFR_KIND_NONE, {0}};
}

/* --- Code --- */

void dfr_emit_init(struct dfr_emit *e, struct dfr_builder *b)
{
    *e = (struct dfr_emit){.b = b};
}

/* A fold runs its body once per row; what a typical list holds is a guess that only orders
 * conditions. */
enum { COST_HAS = 20, COST_ROWS = 16 };

static void append(struct dfr_emit *e, uint32_t word)
{
    *DFR_PUSH(e->b->p->arena, &e->words) = word;
}

static void charge(struct dfr_emit *e, uint32_t cost)
{
    e->cost = cost > UINT32_MAX - e->cost ? UINT32_MAX : e->cost + cost;
}

static uint32_t chunk_cost(const struct dfr_program *p, uint32_t chunk)
{
    return chunk < p->chunks.n ? p->chunks.v[chunk].cost : 1;
}

uint32_t dfr_emit(struct dfr_emit *e, enum dfr_op op, uint32_t operand)
{
    const struct dfr_program *p = e->b->p;
    uint32_t at = e->words.n;
    if (operand > UINT32_MAX >> 8)
        e->too_long = true;
    append(e, dfr_word(op, operand));
    charge(e, 1);
    if (op == DFR_OP_HAS || op == DFR_OP_HAS_SEQ || op == DFR_OP_IN)
        charge(e, COST_HAS);
    if (op == DFR_OP_BUILTIN && operand < DFR_B_COUNT)
        charge(e, dfr_builtin_info(operand)->cost);
    if (op == DFR_OP_CALL && operand < p->fns.n)
        charge(e, chunk_cost(p, p->fns.v[operand].chunk));
    if (op == DFR_OP_FACT && operand < p->facts.n)
        charge(e, chunk_cost(p, p->facts.v[operand].chunk));
    return at;
}

uint32_t dfr_emit_skip(struct dfr_emit *e, enum dfr_op op)
{
    return dfr_emit(e, op, 0);
}

void dfr_emit_here(struct dfr_emit *e, uint32_t skip)
{
    if (e->words.n > UINT32_MAX >> 8)
        e->too_long = true;
    e->words.v[skip] = dfr_word(dfr_word_op(e->words.v[skip]), e->words.n);
}

uint32_t dfr_emit_fold(struct dfr_emit *e, enum dfr_fold kind, uint32_t slot, uint32_t threshold)
{
    uint32_t at = dfr_emit(e, DFR_OP_FOLD, (uint32_t)kind | slot << 4);
    append(e, threshold);
    append(e, e->cost); /* until dfr_emit_next() puts the label here */
    return at;
}

void dfr_emit_next(struct dfr_emit *e, uint32_t fold)
{
    uint32_t body = e->cost - e->words.v[fold + 2];
    charge(e, body > UINT32_MAX / COST_ROWS ? UINT32_MAX : body * (COST_ROWS - 1));
    dfr_emit(e, DFR_OP_NEXT, fold + 3);
    e->words.v[fold + 2] = e->words.n;
}

void dfr_emit_of(struct dfr_emit *e, enum dfr_fold kind, uint32_t threshold, uint32_t count)
{
    dfr_emit(e, DFR_OP_OF, kind);
    append(e, threshold);
    append(e, count);
}

uint32_t dfr_emit_end(struct dfr_emit *e, uint32_t args, uint32_t slots, uint32_t rule)
{
    struct dfr_program *p = e->b->p;
    dfr_emit(e, DFR_OP_RET, 0);
    struct dfr_intern *t = &e->b->chunks;
    make_room(p->arena, t);
    size_t bytes = e->words.n * sizeof *e->words.v;
    uint32_t hash = hash_bytes(e->words.v, bytes) * 31 + rule, at = hash & t->mask, i;
    while ((i = probe(t, hash, &at)) != DFR_NONE) {
        const struct dfr_pchunk *c = &p->chunks.v[i];
        if (c->count == e->words.n && c->args == args && c->slots == slots && c->rule == rule &&
            memcmp(p->code.v + c->first, e->words.v, bytes) == 0)
            return i;
        at = (at + 1) & t->mask;
    }
    if (e->too_long || e->words.n > DFR_LIMIT_CODE_WORDS - p->code.n)
        e->too_long = true;
    struct dfr_pchunk c = {p->code.n, e->words.n, args, slots, rule, e->cost};
    for (uint32_t w = 0; w < e->words.n; w++)
        *DFR_PUSH(p->arena, &p->code) = e->words.v[w];
    *DFR_PUSH(p->arena, &p->chunks) = c;
    remember(t, at, hash, p->chunks.n - 1);
    return p->chunks.n - 1;
}
