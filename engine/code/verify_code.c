/* Abstract interpretation of chunks: what the VM need not check while it runs.
 *
 * Control flow is forward skips and quantifiers that nest, so one pass in order sees every path:
 * at each label the height that was promised must be the height that is there. */
#include "base/limits.h"
#include "code/build.h"
#include "code/verify.h"

struct open_fold {
    uint32_t body;  /* offset of the body's first word */
    uint32_t end;   /* offset behind NEXT */
    uint32_t floor; /* height that the body must not pop below */
    uint32_t slot;
};

struct walk {
    struct dfr_verifier *v;
    const struct dfr_pchunk *chunk;
    const uint32_t *code;
    uint32_t number, level;
    uint32_t at; /* offset of the instruction at hand */
    uint32_t height, floor, most;
    uint32_t depth; /* of what it calls */
    uint32_t need;  /* with what it calls */
    uint32_t bound; /* slots with a row, bit by bit */
    struct open_fold folds[DFR_LIMIT_FOLD_DEPTH];
    uint32_t fold_count, fold_id;
    uint32_t ids[DFR_LIMIT_FOLD_DEPTH + 1];
    uint32_t first_pending;
};

static enum dfr_status bad(const struct walk *w, const char *what)
{
    return dfr_fail(w->v->err, DFR_BAD_CACHE, "chunk %u, word %u: %s", w->number, w->at, what);
}

static enum dfr_status call(struct walk *w, uint32_t chunk)
{
    enum dfr_status s = dfr_verify_chunk(w->v, chunk, w->level + 1);
    if (s != DFR_OK)
        return s;
    const struct dfr_chunk_facts *callee = &w->v->chunks[chunk];
    if (callee->depth > w->depth)
        w->depth = callee->depth;
    if (w->height + callee->need > w->need)
        w->need = w->height + callee->need;
    return DFR_OK;
}

static enum dfr_status promise(struct walk *w, uint32_t target)
{
    struct dfr_verifier *v = w->v;
    if (target <= w->at || target >= w->chunk->count)
        return bad(w, "the label is not ahead in the chunk");
    if (v->pending.n > w->first_pending && v->pending.v[v->pending.n - 1].target < target)
        return bad(w, "labels cross");
    if (w->fold_count && target >= w->folds[w->fold_count - 1].end)
        return bad(w, "the label leaves its quantifier");
    if (v->pending.n - w->first_pending > DFR_LIMIT_EXPR_DEPTH)
        return bad(w, "too many labels are open");
    *DFR_PUSH(v->p->arena, &v->pending) =
        (struct dfr_pending){target, w->height, w->ids[w->fold_count]};
    return DFR_OK;
}

static enum dfr_status arrive(struct walk *w)
{
    struct dfr_verifier *v = w->v;
    while (v->pending.n > w->first_pending) {
        const struct dfr_pending *l = &v->pending.v[v->pending.n - 1];
        if (l->target > w->at)
            return DFR_OK;
        if (l->target < w->at)
            return bad(w, "a label points into an instruction");
        if (l->height != w->height)
            return bad(w, "stack heights differ where code meets");
        if (l->fold != w->ids[w->fold_count])
            return bad(w, "a label crosses a quantifier");
        v->pending.n--;
    }
    return DFR_OK;
}

static enum dfr_status fold(struct walk *w, uint32_t operand)
{
    uint32_t slot = dfr_fold_slot(operand);
    if (dfr_fold_kind(operand) > DFR_FOLD_AT_LEAST)
        return bad(w, "no such quantifier");
    if (w->fold_count == DFR_LIMIT_FOLD_DEPTH)
        return bad(w, "quantifiers nest too deep");
    if (slot >= w->chunk->slots || slot >= DFR_LIMIT_VM_SLOTS)
        return bad(w, "the slot does not exist");
    if (w->bound & 1u << slot)
        return bad(w, "the slot is taken");
    uint32_t end = w->code[w->at + 2];
    if (end <= w->at + 3 || end >= w->chunk->count ||
        (w->fold_count && end >= w->folds[w->fold_count - 1].end))
        return bad(w, "the quantifier does not end in the chunk");
    w->folds[w->fold_count++] = (struct open_fold){w->at + 3, end, w->height, slot};
    w->ids[w->fold_count] = ++w->fold_id;
    w->bound |= 1u << slot;
    w->floor = w->height;
    return DFR_OK;
}

static enum dfr_status next(struct walk *w, uint32_t operand)
{
    if (!w->fold_count)
        return bad(w, "NEXT outside a quantifier");
    const struct open_fold *f = &w->folds[--w->fold_count];
    if (operand != f->body || w->at + 1 != f->end)
        return bad(w, "NEXT and its quantifier do not agree");
    if (w->height != f->floor + 1)
        return bad(w, "the body of a quantifier leaves more than one value");
    w->bound &= ~(1u << f->slot);
    w->floor = w->fold_count ? w->folds[w->fold_count - 1].floor : 0;
    return DFR_OK;
}

static enum dfr_status column_operand(const struct walk *w, uint32_t op, uint32_t operand)
{
    if (operand >= DFR_F_COUNT || dfr_field_info(operand)->cls != DFR_FIELD_COLUMN)
        return bad(w, "no such column");
    if (op == DFR_OP_MODCELL && dfr_field_info(operand)->table != DFR_T_MODULES)
        return bad(w, "not a column of modules");
    return DFR_OK;
}

/* Checks the operand; *in is the number of values popped where the table leaves that open. */
static enum dfr_status operand(struct walk *w, uint32_t op, uint32_t o, uint32_t *in)
{
    const struct dfr_program *p = w->v->p;
    switch ((enum dfr_operand)dfr_op_info(op)->operand) {
    case DFR_OPERAND_NONE:
        return o ? bad(w, "an operand where none belongs") : DFR_OK;
    case DFR_OPERAND_CONST:
        return o < p->consts.n ? DFR_OK : bad(w, "no such constant");
    case DFR_OPERAND_SCALAR:
        return o < DFR_F_COUNT && dfr_field_info(o)->cls == DFR_FIELD_SCALAR
                   ? DFR_OK
                   : bad(w, "no such scalar");
    case DFR_OPERAND_TABLE:
        return o < DFR_T_COUNT ? DFR_OK : bad(w, "no such table");
    case DFR_OPERAND_LIST:
        return o < p->lists.n ? DFR_OK : bad(w, "no such list");
    case DFR_OPERAND_SLOT:
        return o < DFR_LIMIT_VM_SLOTS && w->bound & 1u << o ? DFR_OK
                                                            : bad(w, "the slot holds no row");
    case DFR_OPERAND_ARG:
        return o < w->chunk->args ? DFR_OK : bad(w, "no such argument");
    case DFR_OPERAND_LET: {
        if (w->chunk->rule == DFR_NONE || o >= p->rules.v[w->chunk->rule].let_count)
            return bad(w, "no such let");
        return call(w, p->let_chunks.v[p->rules.v[w->chunk->rule].lets + o]);
    }
    case DFR_OPERAND_FACT:
        return o < p->facts.n ? call(w, p->facts.v[o].chunk) : bad(w, "no such fact");
    case DFR_OPERAND_FN:
        if (o >= p->fns.n)
            return bad(w, "no such function");
        *in = p->fns.v[o].args;
        return call(w, p->fns.v[o].chunk);
    case DFR_OPERAND_BUILTIN:
        if (o >= DFR_B_COUNT)
            return bad(w, "no such builtin");
        *in = dfr_builtin_info(o)->args;
        return DFR_OK;
    case DFR_OPERAND_COLUMN:
        return column_operand(w, op, o);
    case DFR_OPERAND_INDEX:
        return op != DFR_OP_SYMPART || o < 3 ? DFR_OK : bad(w, "no such part of a symbol");
    case DFR_OPERAND_PATTERN:
        return o < p->patterns.n ? DFR_OK : bad(w, "no such pattern");
    case DFR_OPERAND_SEQ:
        return o < p->seqs.n ? DFR_OK : bad(w, "no such sequence");
    case DFR_OPERAND_LABEL:
        return DFR_OK; /* SKIP and NEXT look themselves */
    case DFR_OPERAND_FOLD:
        if (op == DFR_OP_OF) {
            if (o > DFR_FOLD_AT_LEAST || o == DFR_FOLD_FIRST)
                return bad(w, "no such quantifier over values");
            *in = w->code[w->at + 2];
        }
        return DFR_OK;
    }
    return bad(w, "no such operand");
}

static enum dfr_status step(struct walk *w)
{
    uint32_t word = w->code[w->at], op = dfr_word_op(word), o = dfr_word_operand(word);
    const struct dfr_op_info *info = dfr_op_info(op);
    if (!info)
        return bad(w, "no such instruction");
    if (info->extra >= w->chunk->count - w->at)
        return bad(w, "the chunk ends inside an instruction");
    enum dfr_status s = arrive(w);
    uint32_t in = info->in < 0 ? 0 : (uint32_t)info->in;
    if (s == DFR_OK)
        s = operand(w, op, o, &in);
    if (s != DFR_OK)
        return s;
    if (in > w->height - w->floor)
        return bad(w, "not enough values on the stack");
    if (op == DFR_OP_AND_SKIP || op == DFR_OP_OR_SKIP)
        s = promise(w, o);
    else if (op == DFR_OP_NEXT)
        s = next(w, o);
    w->height -= in;
    if (s == DFR_OK && op == DFR_OP_FOLD)
        s = fold(w, o);
    w->height += (uint32_t)info->out;
    if (w->height > w->most)
        w->most = w->height;
    if (s == DFR_OK && w->most > DFR_LIMIT_VM_STACK)
        s = bad(w, "too many values on the stack");
    if (s == DFR_OK && op == DFR_OP_RET && (w->at + 1 != w->chunk->count || w->height != 0))
        s = bad(w, "RET does not end the chunk with one value");
    w->at += 1 + info->extra;
    return s;
}

enum dfr_status dfr_verify_chunk(struct dfr_verifier *v, uint32_t chunk, uint32_t level)
{
    if (chunk >= v->p->chunks.n)
        return dfr_fail(v->err, DFR_BAD_CACHE, "chunk %u does not exist", chunk);
    struct dfr_chunk_facts *known = &v->chunks[chunk];
    if (known->state == 2)
        return DFR_OK;
    if (known->state == 1)
        return dfr_fail(v->err, DFR_BAD_CACHE, "chunk %u reads itself", chunk);
    if (level >= DFR_LIMIT_VM_CALL_DEPTH)
        return dfr_fail(v->err, DFR_BAD_CACHE, "chunk %u: calls nest deeper than %d", chunk,
                        DFR_LIMIT_VM_CALL_DEPTH);
    known->state = 1;
    const struct dfr_pchunk *c = &v->p->chunks.v[chunk];
    struct walk w = {.v = v,
                     .chunk = c,
                     .code = v->p->code.v + c->first,
                     .number = chunk,
                     .level = level,
                     .first_pending = v->pending.n};
    if (c->rule != DFR_NONE && v->p->rules.v[c->rule].each_list != DFR_NONE)
        w.bound = 1;
    while (w.at < c->count) {
        enum dfr_status s = step(&w);
        if (s != DFR_OK)
            return s;
    }
    if (c->count == 0 || dfr_word_op(w.code[c->count - 1]) != DFR_OP_RET || w.height != 0 ||
        w.fold_count)
        return dfr_fail(v->err, DFR_BAD_CACHE, "chunk %u does not end with RET", chunk);
    if (v->pending.n != w.first_pending)
        return dfr_fail(v->err, DFR_BAD_CACHE, "chunk %u: a label points nowhere", chunk);
    uint32_t need = w.need > w.most ? w.need : w.most;
    if (need > DFR_LIMIT_VM_STACK)
        return dfr_fail(v->err, DFR_BAD_CACHE, "chunk %u needs more than %d values on the stack",
                        chunk, DFR_LIMIT_VM_STACK);
    if (w.depth + 1 > DFR_LIMIT_VM_CALL_DEPTH)
        return dfr_fail(v->err, DFR_BAD_CACHE, "chunk %u: calls nest deeper than %d", chunk,
                        DFR_LIMIT_VM_CALL_DEPTH);
    *known = (struct dfr_chunk_facts){2, (uint8_t)(w.depth + 1), (uint16_t)need};
    return DFR_OK;
}

bool dfr_chunk_reads_let(const struct dfr_program *p, uint32_t chunk, uint32_t from)
{
    const struct dfr_pchunk *c = &p->chunks.v[chunk];
    for (uint32_t at = 0; at < c->count;) {
        uint32_t word = p->code.v[c->first + at];
        if (dfr_word_op(word) == DFR_OP_LET && dfr_word_operand(word) >= from)
            return true;
        at += 1 + dfr_op_info(dfr_word_op(word))->extra;
    }
    return false;
}
