/* The head of a PDB: which build it belongs to, its sections, the map of a reordered image. */
#include "image/pdb.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* Numbers of streams, and offsets in them. */
enum {
    INFO = 1,
    DEBUG = 3,
    INFO_VERSION = 0,
    INFO_GUID = 12,
    VERSION_70 = 20000404, /* the first with a GUID */
};
/* The debug information stream: a header, then substreams whose sizes the header says, in this
 * order: modules, contributions, section map, sources, type servers, edit and continue, debug header. */
enum {
    AGE = 8,
    SYMBOL_STREAM = 20,
    MODULES_SIZE = 24,
    CONTRIBUTIONS_SIZE = 28,
    MAP_SIZE = 32,
    SOURCES_SIZE = 36,
    SERVERS_SIZE = 40,
    DEBUG_HEADER_SIZE = 48,
    EDIT_SIZE = 52,
    MACHINE = 58,
    HEADER_BYTES = 64,
};
/* The debug header: numbers of more streams. */
enum {
    OMAP_TO_SOURCE = 3,
    OMAP_FROM_SOURCE = 4,
    SECTIONS = 5,
    SECTIONS_ORIGINAL = 10,
    SECTION_BYTES = 40,
};

static bool failed(const char **ret_problem, const char *problem)
{
    *ret_problem = problem;
    return false;
}

/* Section headers as an image has them. */
static bool read_sections(struct dfr_pdb *p, uint32_t stream, struct dfr_pdb_sections *ret)
{
    enum { VIRTUAL_SIZE = 8, ADDRESS = 12, RAW_SIZE = 16 };
    uint32_t n = dfr_msf_size(&p->msf, stream) / SECTION_BYTES;
    if (n > DFR_LIMIT_PE_SECTIONS)
        return false;
    struct dfr_pdb_section *v = dfr_arena_array(p->arena, n ? n : 1, sizeof *v);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t b[SECTION_BYTES];
        struct dfr_span s = {b, sizeof b};
        uint32_t raw = 0;
        if (!dfr_msf_read(&p->msf, stream, (uint64_t)i * SECTION_BYTES, b, sizeof b) ||
            !dfr_span_u32le(s, VIRTUAL_SIZE, &v[i].size) ||
            !dfr_span_u32le(s, ADDRESS, &v[i].rva) || !dfr_span_u32le(s, RAW_SIZE, &raw))
            return false;
        if (!v[i].size)
            v[i].size = raw;
        if (v[i].size > UINT32_MAX - v[i].rva)
            return false;
    }
    *ret = (struct dfr_pdb_sections){v, n};
    return true;
}

static int by_from(const void *x, const void *y)
{
    const struct dfr_pdb_omap *a = x, *b = y;
    return (a->from > b->from) - (a->from < b->from);
}

static bool read_omap(struct dfr_pdb *p, uint32_t stream, struct dfr_pdb_omap_table *ret)
{
    uint32_t n = dfr_msf_size(&p->msf, stream) / 8;
    if (n > DFR_LIMIT_PDB_SYMBOLS)
        return false;
    uint8_t *raw = dfr_arena_raw(p->arena, n ? (size_t)n * 8 : 1);
    if (!dfr_msf_read(&p->msf, stream, 0, raw, (size_t)n * 8))
        return false;
    struct dfr_pdb_omap *v = dfr_arena_array(p->arena, n ? n : 1, sizeof *v);
    struct dfr_span s = {raw, (size_t)n * 8};
    for (uint32_t i = 0; i < n; i++) {
        (void)dfr_span_u32le(s, (uint64_t)i * 8, &v[i].from);
        (void)dfr_span_u32le(s, (uint64_t)i * 8 + 4, &v[i].to);
    }
    if (n)
        qsort(v, n, sizeof *v, by_from);
    *ret = (struct dfr_pdb_omap_table){v, n};
    return true;
}

/* A stream number of the debug header; DFR_MSF_NO_STREAM when the header is shorter. */
static uint32_t debug_stream(const struct dfr_pdb *p, uint64_t header, uint32_t size, uint32_t i)
{
    uint16_t n = DFR_MSF_NO_STREAM;
    if (size / 2 > i)
        (void)dfr_msf_u16(&p->msf, DEBUG, header + (uint64_t)i * 2, &n);
    return n;
}

static bool read_debug(struct dfr_pdb *p, const char **ret_problem)
{
    static const uint8_t before[] = {MODULES_SIZE, CONTRIBUTIONS_SIZE, MAP_SIZE,
                                     SOURCES_SIZE, SERVERS_SIZE,       EDIT_SIZE};
    uint32_t size = 0, header_size = 0;
    uint64_t header = HEADER_BYTES;
    for (size_t i = 0; i < sizeof before; i++) {
        if (!dfr_msf_u32(&p->msf, DEBUG, before[i], &size) || size > INT32_MAX)
            return failed(ret_problem, "its debug information stream is damaged");
        header += size;
    }
    if (!dfr_msf_u32(&p->msf, DEBUG, AGE, &p->age) ||
        !dfr_msf_u16(&p->msf, DEBUG, SYMBOL_STREAM, &p->symbol_stream) ||
        !dfr_msf_u32(&p->msf, DEBUG, MODULES_SIZE, &p->modules_size) ||
        !dfr_msf_u32(&p->msf, DEBUG, DEBUG_HEADER_SIZE, &header_size) ||
        !dfr_msf_u16(&p->msf, DEBUG, MACHINE, &p->machine))
        return failed(ret_problem, "its debug information stream is damaged");
    p->modules_at = HEADER_BYTES;
    uint32_t sections = debug_stream(p, header, header_size, SECTIONS);
    uint32_t original = debug_stream(p, header, header_size, SECTIONS_ORIGINAL);
    uint32_t omap = debug_stream(p, header, header_size, OMAP_FROM_SOURCE);
    if (!read_sections(p, sections, &p->sections))
        return failed(ret_problem, "its section headers make no sense");
    p->original = p->sections;
    if (omap == DFR_MSF_NO_STREAM)
        return true;
    if (original != DFR_MSF_NO_STREAM && !read_sections(p, original, &p->original))
        return failed(ret_problem, "its original section headers make no sense");
    if (!read_omap(p, omap, &p->moved) ||
        !read_omap(p, debug_stream(p, header, header_size, OMAP_TO_SOURCE), &p->back))
        return failed(ret_problem, "its map of moved addresses is damaged");
    return true;
}

bool dfr_pdb_open(struct dfr_pdb *ret, struct dfr_arena *a, const struct dfr_bytes *file,
                  const char **ret_problem)
{
    uint32_t version = 0;
    *ret = (struct dfr_pdb){.arena = a, .file = *file};
    if (!dfr_msf_open(&ret->msf, a, &ret->file, ret_problem))
        return false;
    if (!dfr_msf_u32(&ret->msf, INFO, INFO_VERSION, &version) || version < VERSION_70 ||
        !dfr_msf_read(&ret->msf, INFO, INFO_GUID, ret->guid, sizeof ret->guid))
        return failed(ret_problem, "it has no GUID");
    if (dfr_msf_size(&ret->msf, DEBUG) < HEADER_BYTES)
        return failed(ret_problem, "it holds no debug information");
    return read_debug(ret, ret_problem);
}
