/* One value of a fact: its type, whether it is known, how far to trust it, and where it stands.
 *
 * Exactly one of three states holds. KNOWN: the payload is the value. ABSENT: shown not to exist.
 * UNKNOWN: could not be read, `reason` says why. Two known things stay inexact and comparisons
 * decide only what they can: a time without zone and a count over an incomplete list are intervals. */
#ifndef DFR_FACTS_VALUE_H
#define DFR_FACTS_VALUE_H

#include "base/str.h"
#include "facts/enums.h"

enum dfr_kind {
    DFR_KIND_NONE,
    DFR_KIND_BOOL,
    DFR_KIND_INT,  /* signed 64-bit; lo..hi */
    DFR_KIND_ADDR, /* unsigned 64-bit word */
    DFR_KIND_STR,
    DFR_KIND_SYM,    /* module, function, offset */
    DFR_KIND_MODULE, /* a module as a thing */
    DFR_KIND_BYTES,
    DFR_KIND_TIME, /* seconds since 1970 in UTC; lo..hi */
    DFR_KIND_DUR,  /* milliseconds */
    DFR_KIND_VER,  /* four parts */
    DFR_KIND_ENUM, /* which enum, which value */
    DFR_KIND_ROW,  /* a row of a table or of a declared list of records */
    DFR_KIND_LIST, /* a slice of a table or of a declared list */
};

enum dfr_state { DFR_UNKNOWN, DFR_ABSENT, DFR_KNOWN }; /* zeroed memory is unknown */

#define REASON(id, text) DFR_REASON_##id,
enum dfr_reason {
#include "facts/reason.def"
    DFR_REASON_COUNT
};
#undef REASON

const char *dfr_reason_text(enum dfr_reason r);

struct dfr_sym {
    struct dfr_str module; /* as printed; empty: a bare address */
    struct dfr_str func;   /* empty: module+offset only */
    uint64_t offset;       /* from the function, else from the module's base, else the address */
    bool has_offset;
};

struct dfr_value {
    union {
        bool b;
        struct {
            int64_t lo, hi; /* equal when exact: INT, TIME, DUR */
        } n;
        uint64_t u; /* ADDR */
        struct {
            const char *p;
            size_t len;
        } s; /* STR, BYTES: lives as long as the store or program it came from */
        const struct dfr_sym *sym;
        struct {
            const char *p; /* bare name: no path, no .sys/.exe/.dll, case kept */
            uint32_t len;
            uint32_t row; /* of MODULES + 1; 0: not listed */
        } module;
        uint32_t ver[4];
        struct {
            uint32_t type, value;
        } e; /* enum dfr_enum, value index */
        struct {
            uint32_t table, index;
        } row;
        struct {
            uint32_t table, first, count;
        } list;
    } as;
    uint8_t kind;   /* enum dfr_kind, also when unknown or absent */
    uint8_t state;  /* enum dfr_state */
    uint8_t trust;  /* DFR_TRUST_*: prose < debugger < binary */
    uint8_t reason; /* enum dfr_reason, for unknown and absent */
    uint32_t place; /* number of a dfr_place in the store; 0: none */
};

/* Makers. Trust is DEBUGGER and place 0 until the caller sets them. */
struct dfr_value dfr_v_bool(bool b);
struct dfr_value dfr_v_int(int64_t i);
struct dfr_value dfr_v_addr(uint64_t u);
struct dfr_value dfr_v_str(struct dfr_str s);
struct dfr_value dfr_v_time(int64_t lo, int64_t hi);
struct dfr_value dfr_v_dur_ms(int64_t ms);
struct dfr_value dfr_v_ver(uint32_t a, uint32_t b, uint32_t c, uint32_t d);
struct dfr_value dfr_v_enum(uint32_t type, uint32_t value);
struct dfr_value dfr_v_unknown(enum dfr_kind kind, enum dfr_reason why);
struct dfr_value dfr_v_absent(enum dfr_kind kind, enum dfr_reason why);

/* The same fact? Equal state and, when known, equal payload (modules by dfr_module_same). Says
 * nothing of trust and place. */
bool dfr_value_same(const struct dfr_value *a, const struct dfr_value *b);

static inline struct dfr_str dfr_value_str(const struct dfr_value *v)
{
    return (struct dfr_str){v->as.s.p, v->as.s.len};
}

/* The bare name of a module: path and .sys/.exe/.dll taken off. */
struct dfr_str dfr_module_stem(struct dfr_str spelled);
/* One thing? Without case, path and extension; `nt` is any spelling of the kernel image. */
bool dfr_module_same(struct dfr_str a, struct dfr_str b);
/* The same where `cut` stands in a table that keeps DFR_MODULE_CUT characters of a file name:
 * one that fills them compares as a prefix of `spelled` with its extension. */
enum { DFR_MODULE_CUT = 12 };
bool dfr_module_same_cut(struct dfr_str spelled, struct dfr_str cut);
bool dfr_module_is_kernel(struct dfr_str spelled);

/* How a value reads: `0x7F`, `fffff880`..., 2012-02-01 19:15:24 UTC, ... Appends to `b`. */
struct dfr_buf;
void dfr_value_print(struct dfr_buf *b, const struct dfr_value *v);

/* Civil date to seconds since 1970 and back (proleptic Gregorian, UTC). */
int64_t dfr_time_from_civil(int year, int month, int day, int hour, int minute, int second);
void dfr_time_to_civil(int64_t t, int *year, int *month, int *day, int *hour, int *minute,
                       int *second);

#endif
