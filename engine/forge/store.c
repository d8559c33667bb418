/* Images of modules as files of an image store. A forged image lies in its file as it lies in memory,
 * so that its pages are those of the picture before anything ran. Layout of a store: documented. */
#include <string.h>

#include "forge/world.h"
#include "image/store.h"

static void take(struct dfr_forge *f, const struct dfr_forged_module *m, struct dfr_str name)
{
    struct dfr_forge_image *image = DFR_PUSH(f->arena, f->images);
    image->path = dfr_store_image_path(f->arena, name, m->stamp, (uint32_t)m->size);
    image->file.size = m->size;
    for (uint64_t at = 0; at < m->size; at += DFR_FORGE_PAGE) {
        const struct dfr_forge_page *p = dfr_world_page(f, m->base + at, false);
        if (p && p->p)
            memcpy(dfr_forge_piece(f, &image->file, at, DFR_FORGE_PAGE), p->p, DFR_FORGE_PAGE);
    }
}

void dfr_forge_take_images(struct dfr_forge *f)
{
    for (uint32_t i = 0; i < f->modules.n; i++) {
        const struct dfr_forged_module *m = &f->modules.v[i];
        struct dfr_str name;
        /* The name becomes a path: nothing may stand in it that leads out of the store. */
        if (!dfr_store_name(m->file, &name) || !dfr_str_eq(name, m->file))
            dfr_recipe_error(&f->file, m->recipe->node, DFR_D_RECIPE_VALUE,
                             "`%.*s` is no name for a file of an image store", (int)m->file.len,
                             m->file.p);
        else
            take(f, m, name);
    }
}
