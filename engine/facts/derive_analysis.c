/* Whom the debugger blames: the module of its verdict, and the one inside its bucket id. Both are
 * its opinion, kept apart from ours; names that stand for no module count as none. */
#include <string.h>

#include "facts/derive.h"

static bool is_no_module(struct dfr_str name)
{
    static const struct dfr_str patterns[] = {
#define NO_MODULE(pattern) {pattern, sizeof(pattern) - 1},
#include "facts/no_module.def"
#undef NO_MODULE
    };
    struct dfr_str stem = dfr_module_stem(name);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (dfr_str_glob(patterns[i], stem, true))
            return true;
    return false;
}

/* What the short analysis called probable, for texts without the full one. */
static const struct dfr_value *probable(const struct dfr_facts *f)
{
    for (uint32_t i = 0; i < f->tables[DFR_T_ANALYZE_KEYS].n; i++) {
        const struct dfr_value *key = dfr_derive_at(f, DFR_F_ANALYZE_KEYS_KEY, i);
        if (key && dfr_str_eq(dfr_value_str(key), DFR_STR("Probably caused by")))
            return dfr_derive_at(f, DFR_F_ANALYZE_KEYS_VALUE, i);
    }
    return NULL;
}

/* The name of the module when there is one, else of the image. One of the two that stands for no
 * module outweighs the other: `nt` beside `memory_corruption` blames nobody. */
static void suspect(struct dfr_facts *f)
{
    const struct dfr_value *module = dfr_derive_scalar(f, DFR_F_ANALYZE_MODULE);
    const struct dfr_value *image = dfr_derive_scalar(f, DFR_F_ANALYZE_IMAGE);
    if (!module && !image)
        image = probable(f);
    const struct dfr_value *named[] = {module, image};
    const struct dfr_value *best = NULL;
    for (size_t i = 0; i < 2; i++) {
        if (!named[i])
            continue;
        if (is_no_module(dfr_value_str(named[i]))) {
            dfr_derive_put(f, DFR_F_ANALYZE_SUSPECT,
                           dfr_v_absent(DFR_KIND_MODULE, DFR_REASON_NOT_APPLICABLE), named[i]);
            return;
        }
        if (!best && dfr_value_str(named[i]).len)
            best = named[i];
    }
    if (best)
        dfr_derive_put(f, DFR_F_ANALYZE_SUSPECT, dfr_facts_module(f, dfr_value_str(best)), best);
}

static bool is_number(struct dfr_str word)
{
    if (dfr_str_starts_ci(word, DFR_STR("0x")))
        word = dfr_str_slice(word, 2, word.len);
    for (size_t i = 0; i < word.len; i++)
        if (!memchr("0123456789abcdefABCDEF", word.p[i], 22))
            return false;
    return true; /* also the empty word between two underscores */
}

static bool is_bucket_word(struct dfr_str word)
{
    static const struct dfr_str words[] = {
#define BUCKET_WORD(word) {word, sizeof(word) - 1},
#include "facts/bucket_word.def"
#undef BUCKET_WORD
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (dfr_str_eq(words[i], word))
            return true;
    return is_number(word);
}

static bool is_spoken_of(const struct dfr_facts *f, struct dfr_str name)
{
    if (dfr_facts_find_module(f, name) != UINT32_MAX || dfr_module_is_kernel(name))
        return true;
    for (uint32_t field = DFR_F_ANALYZE_MODULE; field <= DFR_F_ANALYZE_IMAGE; field++) {
        const struct dfr_value *v = dfr_derive_scalar(f, field);
        if (v && dfr_module_same(dfr_value_str(v), name))
            return true;
    }
    enum { NEWEST = 64 };
    for (uint32_t i = 0; i < NEWEST && i < f->tables[DFR_T_STACK].n; i++) {
        const struct dfr_value *v = dfr_derive_at(f, DFR_F_STACK_MODULE, i);
        if (v && dfr_module_same((struct dfr_str){v->as.module.p, v->as.module.len}, name))
            return true;
    }
    return false;
}

static size_t next_word(struct dfr_str s, size_t from)
{
    while (from < s.len && s.p[from] != '_')
        from++;
    return from;
}

enum found { NAMES_NONE, NAMES_ONE, UNCLEAR };

/* Module at the end of `s`: words joined by underscores, which module names may hold too. The longest
 * end that the input names as a module wins. Else what is left behind the known words of a bucket
 * id, when no word of it could be one: a lone word, or words in small letters. */
static enum found module_at_end(const struct dfr_facts *f, struct dfr_str s, struct dfr_str *ret)
{
    for (size_t at = 0; at < s.len; at = next_word(s, at) + 1) {
        struct dfr_str end = dfr_str_slice(s, at, s.len);
        if (is_no_module(end))
            return NAMES_NONE;
        if (is_spoken_of(f, end)) {
            *ret = end;
            return NAMES_ONE;
        }
    }
    size_t at = 0, to;
    while (at < s.len && is_bucket_word(dfr_str_slice(s, at, to = next_word(s, at))))
        at = to + 1;
    if (at >= s.len)
        return NAMES_NONE;
    struct dfr_str rest = dfr_str_slice(s, at, s.len);
    bool lone = next_word(rest, 0) == rest.len;
    for (size_t i = 0; i < rest.len && !lone; i++)
        if (rest.p[i] >= 'A' && rest.p[i] <= 'Z')
            return UNCLEAR;
    *ret = rest;
    return NAMES_ONE;
}

/* `AV_foo!bar`, `0x50_foo+1a2b`, `0x9F_3_foo_IMAGE_pci.sys`, `0x116_IMAGE_foo.sys`. */
static void bucket(struct dfr_facts *f)
{
    const struct dfr_value *v = dfr_derive_scalar(f, DFR_F_ANALYZE_BUCKET);
    if (!v)
        return;
    struct dfr_str id = dfr_str_trim(dfr_value_str(v)), name;
    enum { MOST = 512 };
    if (!id.len || id.len > MOST)
        return;
    size_t image = dfr_str_find(id, DFR_STR("_IMAGE_"));
    size_t device = dfr_str_find(id, DFR_STR("_DEV_"));
    size_t end = image;
    enum found found = UNCLEAR;
    if (image != SIZE_MAX) {
        if (device != SIZE_MAX && device < image)
            end = device;
        found = module_at_end(f, dfr_str_slice(id, 0, end), &name);
        struct dfr_str behind = dfr_str_slice(id, image + sizeof "_IMAGE_" - 1, id.len);
        size_t dot = dfr_str_find_ci(behind, DFR_STR(".sys"));
        if (dot != SIZE_MAX)
            behind = dfr_str_slice(behind, 0, dot);
        if (found == NAMES_NONE && behind.len && !is_no_module(behind)) {
            name = behind;
            found = NAMES_ONE;
        }
    } else {
        for (end = 0; end < id.len && id.p[end] != '!' && id.p[end] != '+'; end++)
            ;
        struct dfr_str front = dfr_str_slice(id, 0, end);
        size_t dot = front.len;
        if (dfr_module_stem(front).len != front.len)
            dot = front.len - 4;
        found = module_at_end(f, dfr_str_slice(front, 0, dot), &name);
        /* Without a function behind it a lone word may be the name of a failure. */
        if (found == NAMES_ONE && end == id.len && dot == front.len && !is_spoken_of(f, name))
            found = UNCLEAR;
    }
    if (found == NAMES_ONE)
        dfr_derive_put(f, DFR_F_ANALYZE_BUCKET_MODULE, dfr_facts_module(f, name), v);
    else
        dfr_derive_put(f, DFR_F_ANALYZE_BUCKET_MODULE,
                       found == NAMES_NONE
                           ? dfr_v_absent(DFR_KIND_MODULE, DFR_REASON_NOT_APPLICABLE)
                           : dfr_v_unknown(DFR_KIND_MODULE, DFR_REASON_NOT_UNDERSTOOD),
                       v);
}

void dfr_derive_analysis(struct dfr_facts *f)
{
    suspect(f);
    bucket(f);
}
