/* Ranges of memory that rules read, kept as evidence. While rules run, a reading is the cell
 * words.value of a row behind those of the table; when the evaluation is settled, the facts of the
 * result hold these rows, so that whoever shows a cell and its place need not know of memory. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "vm/vm.h"

static uint32_t hash_reading(uint64_t va, uint32_t len, struct dfr_str name)
{
    uint64_t h = dfr_str_hash(name) ^ va * 0x9E3779B97F4A7C15u ^ (uint64_t)len << 48;
    return (uint32_t)(h ^ h >> 32);
}

static void room(struct dfr_vm *vm)
{
    uint32_t n = vm->readings.n;
    if (vm->reading_slots && n < vm->reading_mask / 2)
        return;
    vm->reading_mask = vm->reading_slots ? vm->reading_mask * 2 + 1 : 63;
    vm->reading_slots = DFR_NEW_N(vm->a, (size_t)vm->reading_mask + 1, uint32_t);
    for (uint32_t i = 0; i < n; i++) {
        const struct dfr_reading *r = &vm->readings.v[i];
        uint32_t at = hash_reading(r->va, r->len, r->name) & vm->reading_mask;
        while (vm->reading_slots[at])
            at = (at + 1) & vm->reading_mask;
        vm->reading_slots[at] = i + 1;
    }
}

uint32_t dfr_vm_reading(struct dfr_vm *vm, uint64_t va, const uint8_t *bytes, uint32_t len,
                        struct dfr_str name, struct dfr_place place)
{
    uint32_t base = vm->f->tables[DFR_T_WORDS].n;
    if (!vm->full)
        return 0;
    room(vm);
    uint32_t at = hash_reading(va, len, name) & vm->reading_mask;
    for (; vm->reading_slots[at]; at = (at + 1) & vm->reading_mask) {
        uint32_t i = vm->reading_slots[at] - 1;
        const struct dfr_reading *r = &vm->readings.v[i];
        if (r->va == va && r->len == len && dfr_str_eq(r->name, name))
            return dfr_vm_cell(vm, DFR_F_WORDS_VALUE, base + i);
    }
    if (vm->readings.n >= DFR_LIMIT_MEM_READS)
        return 0;
    struct dfr_reading r = {.va = va, .len = len, .name = name, .place = place};
    for (uint32_t i = 0; i < len && i < 8; i++)
        r.value |= (uint64_t)bytes[i] << 8 * i;
    r.place.va = va;
    *DFR_PUSH(vm->a, &vm->readings) = r;
    vm->reading_slots[at] = vm->readings.n;
    return dfr_vm_cell(vm, DFR_F_WORDS_VALUE, base + vm->readings.n - 1);
}

static int reading_order(const void *x, const void *y)
{
    const struct dfr_reading *a = *(const struct dfr_reading *const *)x;
    const struct dfr_reading *b = *(const struct dfr_reading *const *)y;
    if (a->va != b->va)
        return a->va < b->va ? -1 : 1;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return dfr_str_cmp(a->name, b->name);
}

/* The facts with room of their own for places and for words. */
static struct dfr_facts *own_facts(struct dfr_vm *vm)
{
    struct dfr_facts *f = dfr_arena_raw(vm->a, sizeof *f);
    *f = *vm->f;
    f->arena = vm->a;
    memset(&f->places, 0, sizeof f->places);
    for (uint32_t i = 0; i < vm->f->places.n; i++)
        *DFR_PUSH(vm->a, &f->places) = vm->f->places.v[i];
    struct dfr_rows *rows = &f->tables[DFR_T_WORDS];
    size_t cells = (size_t)rows->n * dfr_table_info(DFR_T_WORDS)->columns;
    const struct dfr_value *old = rows->cells;
    rows->cells = DFR_NEW_N(vm->a, cells, struct dfr_value);
    rows->cap = rows->n;
    if (cells)
        memcpy(rows->cells, old, cells * sizeof *old);
    return f;
}

static void put(struct dfr_facts *f, const struct dfr_reading *r)
{
    uint32_t row = dfr_facts_row(f, DFR_T_WORDS);
    uint32_t place = dfr_facts_place(f, r->place);
    struct dfr_value v[] = {dfr_v_addr(r->va), dfr_v_addr(r->value), dfr_v_int(r->len),
                            dfr_v_str(r->name)};
    for (uint32_t c = 0; c < 4 && row != UINT32_MAX; c++) {
        v[c].trust = DFR_TRUST_BINARY;
        v[c].place = place;
        if (c < 3 || r->name.len)
            dfr_facts_cell(f, DFR_F_WORDS_ADDR + c, row, v[c]);
    }
}

void dfr_vm_settle_readings(struct dfr_vm *vm, const bool *used)
{
    uint32_t base = vm->f->tables[DFR_T_WORDS].n, n = 0;
    struct dfr_eval *out = vm->out;
    if (!vm->readings.n)
        return;
    struct dfr_reading **kept = DFR_NEW_N(vm->a, vm->readings.n, struct dfr_reading *);
    for (uint32_t i = 0; i < out->cells.n; i++) {
        const struct dfr_cell_ref *c = &out->cells.v[i];
        if (used[i] && c->field == DFR_F_WORDS_VALUE && c->row >= base && c->row != DFR_NONE)
            kept[n++] = &vm->readings.v[c->row - base];
    }
    if (!n)
        return;
    qsort(kept, n, sizeof *kept, reading_order);
    struct dfr_facts *f = own_facts(vm);
    for (uint32_t i = 0; i < n; i++) {
        kept[i]->row = base + i;
        put(f, kept[i]);
    }
    for (uint32_t i = 0; i < out->cells.n; i++) {
        struct dfr_cell_ref *c = &out->cells.v[i];
        if (used[i] && c->field == DFR_F_WORDS_VALUE && c->row >= base && c->row != DFR_NONE)
            c->row = vm->readings.v[c->row - base].row;
    }
    out->facts = f;
}
