/* The kernel's own list of loaded modules, in the memory of a dump. */
#include "base/limits.h"
#include "base/utf16.h"
#include "dump/kdbg.h"
#include "dump/modules.h"

/* An entry of the list: its links, then the fields. Public parsers that agree; types of public symbol
 * files. What stands where older systems keep the stamp differs by build, so the stamp is read from
 * the image itself. */
static const struct layout {
    uint32_t base, size, path, name, checksum;
} layouts[] = {{0x30, 0x40, 0x48, 0x58, 0x78}, {0x18, 0x20, 0x24, 0x2C, 0x40}};

struct walk {
    struct dfr_dump *d;
    uint32_t pointer;
    uint64_t head;
    uint64_t *seen; /* addresses of entries; DFR_LIMIT_DUMP_MODULES at most */
    uint32_t n;
};

static bool was_seen(const struct walk *w, uint64_t entry)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (w->seen[i] == entry)
            return true;
    return false;
}

/* The text of a counted string in memory; why not, when it cannot be read. */
static enum dfr_reason read_name(struct dfr_dump *d, const struct dfr_where *w, uint64_t at,
                                 struct dfr_str *ret)
{
    uint64_t bytes, buffer;
    uint32_t pointer = dfr_dump_pointer_bytes(d);
    if (!dfr_where_word(d, w, at, 2, &bytes) || !dfr_where_pointer(d, w, at + pointer, &buffer))
        return dfr_where_why(d, w, at, 2 * (size_t)pointer);
    if (!bytes || bytes > 2 * DFR_LIMIT_DUMP_NAME_UNITS || !dfr_dump_is_kernel(d, buffer))
        return DFR_REASON_DAMAGED;
    bytes &= ~UINT64_C(1);
    uint8_t *p = dfr_arena_alloc(d->arena, (size_t)bytes);
    if (!dfr_space_copy(&d->memory, buffer, p, (size_t)bytes)) {
        const struct dfr_where text = {.va = buffer};
        return dfr_where_why(d, &text, 0, (size_t)bytes);
    }
    *ret = dfr_utf16_text(d->arena, (struct dfr_span){p, (size_t)bytes});
    return ret->len ? DFR_REASON_NONE : DFR_REASON_DAMAGED;
}

/* One entry; false when it is none. */
static bool read_entry(struct walk *w, uint64_t va)
{
    struct dfr_dump *d = w->d;
    const struct layout *l = &layouts[w->pointer == 4];
    const struct dfr_where e = {.va = va};
    uint64_t size, checksum;
    struct dfr_module m = {0};
    if (!dfr_where_pointer(d, &e, l->base, &m.base) || !dfr_dump_is_kernel(d, m.base) ||
        (m.base & 0xFFF) || !dfr_where_word(d, &e, l->size, 4, &size) ||
        !dfr_where_word(d, &e, l->checksum, 4, &checksum))
        return false;
    m.size = (uint32_t)size;
    m.checksum = (uint32_t)checksum;
    m.place = dfr_dump_place(d, va, l->checksum + 4u);
    m.why = read_name(d, &e, l->path, &m.path);
    if (m.why != DFR_REASON_NONE)
        m.why = read_name(d, &e, l->name, &m.path);
    uint32_t row = dfr_module_add(d, &m);
    if (row == UINT32_MAX)
        return false;
    dfr_module_stamp(d, row, m.base);
    return true;
}

/* Follow the links at `link` of each entry until the head. Each entry must lead back to where it was
 * reached from, so that no chain can run in a circle: an entry has one way back. True: the head was
 * reached. *ret_why: why not. */
static bool follow(struct walk *w, uint32_t link, enum dfr_reason *ret_why)
{
    uint32_t back = link ? 0 : w->pointer;
    uint64_t from = w->head, at, reached;
    for (;;) {
        struct dfr_where e = {.va = from};
        *ret_why = dfr_where_why(w->d, &e, link, w->pointer);
        if (!dfr_where_pointer(w->d, &e, link, &at))
            return false;
        if (at == w->head)
            return true;
        e.va = at;
        *ret_why = DFR_REASON_DAMAGED;
        if (!dfr_dump_is_kernel(w->d, at) || (at & (w->pointer - 1)) ||
            w->n == DFR_LIMIT_DUMP_MODULES)
            return false;
        if (!dfr_where_pointer(w->d, &e, back, &reached)) {
            *ret_why = dfr_where_why(w->d, &e, back, w->pointer);
            return false;
        }
        if (reached != from || was_seen(w, at) || !read_entry(w, at))
            return false;
        w->seen[w->n++] = at;
        from = at;
    }
}

/* Forward; where that breaks off, from the other end. Both ends may meet, or the middle be missing. */
void dfr_dump_modules_memory(struct dfr_dump *d)
{
    struct dfr_rows *t = &d->facts->tables[DFR_T_MODULES];
    struct walk w = {.d = d, .pointer = dfr_dump_pointer_bytes(d)};
    enum dfr_reason why = DFR_REASON_DAMAGED, other;
    t->reason = DFR_REASON_DAMAGED;
    if (!dfr_container_field(&d->file, DFR_HEADER_MODULE_LIST, &w.head) &&
        !dfr_kdbg_pointer(d, DFR_KDBG_MODULE_LIST, &w.head))
        return;
    t->place = dfr_dump_place(d, w.head, w.pointer);
    if (!dfr_dump_is_kernel(d, w.head))
        return;
    w.seen = DFR_NEW_N(d->arena, DFR_LIMIT_DUMP_MODULES, uint64_t);
    t->complete = follow(&w, 0, &why);
    if (!t->complete)
        (void)follow(&w, w.pointer, &other);
    t->reason = t->complete ? DFR_REASON_NONE : (uint8_t)why;
    if (!t->complete && d->whole)
        dfr_dump_damaged(d, 0, 0, "the kernel's list of modules breaks off");
    dfr_modules_ready(d);
}
