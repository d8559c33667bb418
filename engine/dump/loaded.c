/* Loaded images as images: their headers from the dump's memory, or the file that a symbol store holds
 * for the same stamp and size. */
#include "dump/reader.h"

static const struct dfr_pe *from_memory(struct dfr_dump *d, const struct dfr_image *image)
{
    struct dfr_pe *pe = DFR_NEW(d->arena, struct dfr_pe);
    if (dfr_pe_open_mapped(pe, d->arena, &d->memory, image->base) || pe->machine != d->file.machine)
        return NULL;
    return pe;
}

static const struct dfr_pe *from_store(struct dfr_dump *d, const struct dfr_image *image)
{
    struct dfr_pe *pe = DFR_NEW(d->arena, struct dfr_pe);
    struct dfr_bytes *file = DFR_NEW(d->arena, struct dfr_bytes);
    const struct dfr_value *name = dfr_facts_at(d->facts, DFR_F_MODULES_IMAGE, image->row);
    const struct dfr_value *stamp = dfr_facts_at(d->facts, DFR_F_MODULES_TIMESTAMP, image->row);
    uint64_t size = image->end - image->base;
    if (name->state != DFR_KNOWN || stamp->state != DFR_KNOWN || stamp->as.u > UINT32_MAX ||
        size > UINT32_MAX ||
        !dfr_store_image(d->store, dfr_value_str(name), (uint32_t)stamp->as.u, (uint32_t)size,
                         file) ||
        dfr_pe_open_file(pe, d->arena, file) || pe->machine != d->file.machine || pe->size != size)
        return NULL;
    pe->base = image->base;
    return pe;
}

const struct dfr_pe *dfr_dump_pe(struct dfr_dump *d, uint64_t address, enum dfr_source source)
{
    const struct dfr_image *image = dfr_dump_image_at(d, address);
    if (!image)
        return NULL;
    if (!d->loaded)
        d->loaded = DFR_NEW_N(d->arena, d->images.n, struct dfr_loaded);
    struct dfr_loaded *l = &d->loaded[image - d->images.v];
    if (!l->asked[source]) {
        l->asked[source] = true;
        l->pe[source] = source == DFR_FROM_MEMORY ? from_memory(d, image) : from_store(d, image);
    }
    return l->pe[source];
}

bool dfr_dump_text(struct dfr_dump *d, uint64_t va, void *buf, size_t len)
{
    if (dfr_space_copy(&d->memory, va, buf, len))
        return true;
    const struct dfr_pe *pe = dfr_dump_pe(d, va, DFR_FROM_STORE);
    return pe && dfr_pe_read(pe, (uint32_t)(va - pe->base), buf, len);
}
