/* The cache file of a program. Little-endian words throughout:
 *
 *     0  "DFRC"          8  XXH3, 128 bits, of everything from 40 on, then 16 zero bytes
 *     4  format version 40  SHA-256 of the sources
 *                       72  engine's tables, 16 bytes  88  number of sections
 *    then per section: size of an element, number of elements, the elements, zeros to a word
 *
 * The checksum finds damage; it is no signature, since whoever can write the file can write it too.
 * Against bad intent stands the verifier. A cache of another engine is refused: the opcode numbers
 * may differ. Reading checks only sizes; whoever runs the program verifies it. */
#define XXH_INLINE_ALL
#include <string.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/span.h"
#include "code/program.h"

enum {
    FORMAT = 2,
    CHECKSUM_BYTES = 32,
    HASHED_FROM = 40,
    AT_SOURCE_HASH = 40,
    AT_ENGINE = 72,
    ENGINE_BYTES = 16,
    AT_SECTIONS = 88,
    HEADER = 92,
    WORD = 4,
};

#define SECTION(member) +1
enum {
    SECTIONS = 0
#include "code/sections.def"
};
#undef SECTION

/* Every element but the pool's is made of words, so that one conversion serves all. */
#define SECTION(member)                                                                            \
    _Static_assert(sizeof *((struct dfr_program *)0)->member.v == 1 ||                             \
                       sizeof *((struct dfr_program *)0)->member.v % WORD == 0,                    \
                   "an element is made of words");
#include "code/sections.def"
#undef SECTION

/* A hash of the tables that give opcodes, builtins and fields their numbers, from the makefile. */
#ifdef DFR_ENGINE
static const char engine[ENGINE_BYTES] = DFR_ENGINE;
#else
static const char engine[ENGINE_BYTES] = "0";
#endif

struct dfr_str dfr_program_engine(void)
{
    return (struct dfr_str){engine, sizeof engine};
}

static void checksum(const void *p, size_t len, unsigned char ret[CHECKSUM_BYTES])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(p, len));
    memset(ret, 0, CHECKSUM_BYTES);
    memcpy(ret, canonical.digest, sizeof canonical.digest);
}

static void put_word(struct dfr_buf *out, uint32_t w)
{
    char bytes[WORD] = {(char)(w & 0xFF), (char)(w >> 8 & 0xFF), (char)(w >> 16 & 0xFF),
                        (char)(w >> 24)};
    dfr_buf_str(out, (struct dfr_str){bytes, WORD});
}

static void put_section(struct dfr_buf *out, const void *v, size_t size, uint32_t n)
{
    put_word(out, (uint32_t)size);
    put_word(out, n);
    if (size == 1) {
        dfr_buf_str(out, (struct dfr_str){v, n});
        for (uint32_t i = n; i % WORD; i++)
            dfr_buf_char(out, 0);
        return;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    dfr_buf_str(out, (struct dfr_str){v, n * size});
#else
    const uint32_t *words = v;
    for (size_t i = 0; i < n * size / WORD; i++)
        put_word(out, words[i]);
#endif
}

void dfr_program_write(const struct dfr_program *p, struct dfr_buf *out)
{
    struct dfr_buf body;
    dfr_buf_init(&body, out->arena);
    body.most = out->most = DFR_LIMIT_PROGRAM_BYTES;
    dfr_buf_str(&body, (struct dfr_str){(const char *)p->source_hash, sizeof p->source_hash});
    dfr_buf_str(&body, (struct dfr_str){engine, sizeof engine});
    put_word(&body, SECTIONS);
#define SECTION(member) put_section(&body, p->member.v, sizeof *p->member.v, p->member.n);
#include "code/sections.def"
#undef SECTION
    unsigned char hash[CHECKSUM_BYTES];
    checksum(body.p, body.len, hash);
    dfr_buf_z(out, "DFRC");
    put_word(out, FORMAT);
    dfr_buf_str(out, (struct dfr_str){(const char *)hash, sizeof hash});
    dfr_buf_str(out, dfr_buf_text(&body));
    out->cut = out->cut || body.cut;
}

/* --- Reading --- */

struct reader {
    struct dfr_arena *arena;
    struct dfr_span bytes;
    uint64_t at;
    struct dfr_err *err;
};

static enum dfr_status get_section(struct reader *r, const char *name, size_t size, void **ret_v,
                                   uint32_t *ret_n)
{
    uint32_t stored, n;
    struct dfr_span data;
    if (!dfr_span_u32le(r->bytes, r->at, &stored) || !dfr_span_u32le(r->bytes, r->at + WORD, &n))
        return dfr_fail(r->err, DFR_BAD_CACHE, "the file ends before section %s", name);
    if (stored != size)
        return dfr_fail(r->err, DFR_BAD_CACHE, "section %s: elements of %u bytes, not %zu", name,
                        stored, size);
    uint64_t len = (uint64_t)size * n;
    if (!dfr_span_sub(r->bytes, r->at + 2 * WORD, len, &data))
        return dfr_fail(r->err, DFR_BAD_CACHE, "section %s is cut", name);
    r->at += 2 * WORD + (len + WORD - 1) / WORD * WORD;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    /* The records lie in the file as they lie in memory: use them where they are. */
    if (size == 1 || (uintptr_t)data.p % WORD == 0) {
        *ret_v = (void *)(uintptr_t)data.p;
        *ret_n = n;
        return DFR_OK;
    }
#endif
    uint32_t *v = dfr_arena_alloc(r->arena, data.len + WORD);
    if (data.len && size == 1)
        memcpy(v, data.p, data.len);
    for (size_t i = 0; size > 1 && i < data.len / WORD; i++)
        dfr_span_u32le(data, i * WORD, v + i);
    *ret_v = v;
    *ret_n = n;
    return DFR_OK;
}

static enum dfr_status check_header(struct reader *r)
{
    struct dfr_span magic, hash, rest, version;
    uint32_t format, sections;
    if (!dfr_span_sub(r->bytes, 0, WORD, &magic) || memcmp(magic.p, "DFRC", WORD) != 0)
        return dfr_fail(r->err, DFR_BAD_CACHE, "not a compiled rule set");
    if (!dfr_span_u32le(r->bytes, WORD, &format) || format != FORMAT)
        return dfr_fail(r->err, DFR_BAD_CACHE, "a compiled rule set of another format");
    if (!dfr_span_sub(r->bytes, 2 * WORD, CHECKSUM_BYTES, &hash) || r->bytes.len < HEADER ||
        !dfr_span_sub(r->bytes, HASHED_FROM, r->bytes.len - HASHED_FROM, &rest))
        return dfr_fail(r->err, DFR_BAD_CACHE, "the compiled rule set is cut");
    unsigned char is[CHECKSUM_BYTES];
    checksum(rest.p, rest.len, is);
    if (memcmp(is, hash.p, sizeof is) != 0)
        return dfr_fail(r->err, DFR_BAD_CACHE,
                        "the compiled rule set is damaged: its checksum differs");
    if (!dfr_span_sub(r->bytes, AT_ENGINE, ENGINE_BYTES, &version) ||
        memcmp(version.p, engine, ENGINE_BYTES) != 0)
        return dfr_fail(r->err, DFR_BAD_CACHE, "compiled by another version of the engine");
    if (!dfr_span_u32le(r->bytes, AT_SECTIONS, &sections) || sections != SECTIONS)
        return dfr_fail(r->err, DFR_BAD_CACHE, "the compiled rule set has other sections");
    return DFR_OK;
}

enum dfr_status dfr_program_read(struct dfr_arena *a, struct dfr_str bytes, struct dfr_program *ret,
                                 struct dfr_err *err)
{
    struct reader r = {
        .arena = a, .bytes = {(const uint8_t *)bytes.p, bytes.len}, .at = HEADER, .err = err};
    enum dfr_status s = check_header(&r);
    if (s != DFR_OK)
        return s;
    struct dfr_program p;
    dfr_program_init(&p, a);
    memcpy(p.source_hash, bytes.p + AT_SOURCE_HASH, sizeof p.source_hash);
    void *v;
#define SECTION(member)                                                                            \
    s = get_section(&r, #member, sizeof *p.member.v, &v, &p.member.n);                             \
    if (s != DFR_OK)                                                                               \
        return s;                                                                                  \
    p.member.v = v;                                                                                \
    p.member.cap = p.member.n;
#include "code/sections.def"
#undef SECTION
    *ret = p;
    return DFR_OK;
}
