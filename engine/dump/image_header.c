/* The headers of a loaded image, as far as its build time goes. */
#include "dump/modules.h"

enum {
    PE_AT = 0x3C,
    PE_MOST = 0x1000,
    PE_STAMP = 8,
    OPTIONAL = 0x18,
    DIRECTORIES = 0x60, /* PE32; 16 bytes later in PE32+ */
    DEBUG = 6,
    DEBUG_ENTRY = 28,
    DEBUG_MOST = 32,
    DEBUG_TYPE = 12,
    TYPE_REPRO = 16,
};

/* Does the image say that its stamp is a hash? 1 yes, 0 no, -1 it cannot be read. */
static int is_hash(const struct dfr_dump *d, const struct dfr_where *w, uint64_t pe)
{
    uint64_t magic, rva, size, type;
    if (!dfr_where_word(d, w, pe + OPTIONAL, 2, &magic) || (magic != 0x10B && magic != 0x20B))
        return -1;
    uint64_t at = pe + OPTIONAL + DIRECTORIES + (magic == 0x20B ? 16 : 0), count;
    if (!dfr_where_word(d, w, at - 4, 4, &count) || count <= DEBUG ||
        !dfr_where_word(d, w, at + DEBUG * 8, 4, &rva) ||
        !dfr_where_word(d, w, at + DEBUG * 8 + 4, 4, &size) || !rva || !size ||
        size / DEBUG_ENTRY > DEBUG_MOST)
        return -1;
    for (uint64_t i = 0; i < size / DEBUG_ENTRY; i++) {
        if (!dfr_where_word(d, w, rva + i * DEBUG_ENTRY + DEBUG_TYPE, 4, &type))
            return -1;
        if (type == TYPE_REPRO)
            return 1;
    }
    return 0;
}

/* The stamp, and what it is worth: an image that lists what it holds for debuggers says whether its
 * stamp is a hash of its contents. Documented (PE format). */
void dfr_module_stamp(struct dfr_dump *d, uint32_t row, uint64_t base)
{
    const struct dfr_where w = {.va = base};
    uint64_t mark, pe, tag, stamp;
    uint32_t place = dfr_dump_place(d, base, 1);
    if (!dfr_where_word(d, &w, 0, 2, &mark) || !dfr_where_word(d, &w, PE_AT, 4, &pe) ||
        pe > PE_MOST || !dfr_where_word(d, &w, pe, 4, &tag) ||
        !dfr_where_word(d, &w, pe + PE_STAMP, 4, &stamp)) {
        enum dfr_reason why = dfr_where_why(d, &w, 0, PE_AT + 4);
        dfr_dump_cell(d, DFR_F_MODULES_TIMESTAMP, row,
                      dfr_v_unknown(DFR_KIND_ADDR, why ? why : DFR_REASON_DAMAGED), place);
        return;
    }
    if (mark != 0x5A4D || tag != 0x4550) {
        dfr_dump_cell(d, DFR_F_MODULES_TIMESTAMP, row,
                      dfr_v_unknown(DFR_KIND_ADDR, DFR_REASON_DAMAGED), place);
        return;
    }
    place = dfr_dump_place(d, base + pe + PE_STAMP, 4);
    dfr_dump_cell(d, DFR_F_MODULES_TIMESTAMP, row, dfr_v_addr(stamp), place);
    int hash = is_hash(d, &w, pe);
    if (hash == 1)
        dfr_dump_cell(d, DFR_F_MODULES_BUILT, row,
                      dfr_v_unknown(DFR_KIND_TIME, DFR_REASON_BUILD_HASH), place);
    else if (hash == 0 && stamp)
        dfr_dump_cell(d, DFR_F_MODULES_BUILT, row, dfr_v_time((int64_t)stamp, (int64_t)stamp),
                      place);
}
