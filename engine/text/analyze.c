/* The `KEY: value` body of !analyze, old and new, and its Key/Value pairs. */
#include "text/sections.h"

#include <string.h>

enum how {
    WORD,     /* the value is one word */
    LINE,     /* the value is the rest of the line */
    BUGCHECK, /* BUGCHECK_CODE and P1 to P4 */
    BUCKET,
    SUSPECT,
    PROCESS,
    IRQL,
    STACK,
    TRAP,
    CONTEXT,
    TSS,
    RECORD,
    EXCEPTION,
    ADDRESS,
    CODE,
    THREAD,
    STAMP,
    ARCH,
    BUILD,
    OSVERSION,
    PROCESSORS,
    MHZ,
    BIOSDATE,
    BADPAGES,
    BUGSTR,
    BLACKBOX,
};

enum { NO_FIELD = DFR_F_COUNT };

struct key {
    struct dfr_str name;
    enum how how;
    uint32_t field;
};

static const struct key keys[] = {
#define MARK(word, fn)
#define COMMAND(verb, args, out)
#define KEY(name, how, field) {{name, sizeof(name) - 1}, how, field},
#define NOISE(words)
#include "text/sections.def"
#undef MARK
#undef COMMAND
#undef KEY
#undef NOISE
};

static const struct key *find_key(struct dfr_str name)
{
    size_t lo = 0, hi = sizeof keys / sizeof *keys;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = dfr_str_cmp(name, keys[mid].name);
        if (c == 0)
            return &keys[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

bool dfr_tx_key_known(const void *user, struct dfr_str key)
{
    (void)user;
    return key.len >= 3 && key.len < 40 && find_key(key) != NULL;
}

static void put_word(struct dfr_reader *r, uint32_t field, uint32_t key, uint32_t v)
{
    if (field == NO_FIELD)
        return;
    if (dfr_tx_is_elision(dfr_tx_text(r, v)))
        return;
    enum dfr_kind kind = dfr_field_info(field)->kind;
    uint64_t n;
    if (kind == DFR_KIND_STR)
        dfr_tx_put(r, field, dfr_v_str(dfr_tx_text(r, v)), key, v);
    else if (dfr_tx_number(r, v, &n) && kind == DFR_KIND_ADDR)
        dfr_tx_put(r, field, dfr_v_addr(n), key, v);
    else if (dfr_tx_number(r, v, &n) && kind == DFR_KIND_INT && n <= INT64_MAX)
        dfr_tx_put(r, field, dfr_v_int((int64_t)n), key, v);
}

/* An IRQL as !analyze prints it: hexadecimal without 0x. */
static void put_irql(struct dfr_reader *r, uint32_t key, uint32_t v)
{
    uint64_t n;
    if (dfr_tx_number(r, v, &n) && n < 32)
        dfr_tx_put(r, DFR_F_TRAP_IRQL, dfr_v_int((int64_t)n), key, v);
}

static void put_arch(struct dfr_reader *r, uint32_t key, uint32_t v)
{
    uint32_t e = dfr_enum_find(DFR_E_ARCH, dfr_tx_text(r, v));
    if (e != UINT32_MAX)
        dfr_tx_put(r, DFR_F_DUMP_ARCH, dfr_v_enum(DFR_E_ARCH, e), key, v);
}

/* `10.0.22621.2506` and `9600.18146.amd64fre.winblue_ltsb.151121-0600`. */
static void put_os_version(struct dfr_reader *r, uint32_t key, uint32_t v, bool lab)
{
    struct dfr_str s = dfr_tx_text(r, v);
    int64_t part[4];
    unsigned n = 0;
    size_t i = 0;
    while (n < 4 && i < s.len) {
        size_t k = i;
        while (k < s.len && s.p[k] != '.')
            k++;
        if (!dfr_tx_decimal(dfr_str_slice(s, i, k), &part[n]))
            break;
        n++;
        i = k + 1;
    }
    int64_t build = n >= 3 && part[0] < 20 ? part[2] : n >= 1 && part[0] >= 2000 ? part[0] : -1;
    int64_t revision = n >= 4 && part[0] < 20 ? part[3] : n >= 2 && part[0] >= 2000 ? part[1] : -1;
    if (build > 0)
        dfr_tx_put(r, DFR_F_OS_BUILD, dfr_v_int(build), key, v);
    if (revision >= 0)
        dfr_tx_put(r, DFR_F_OS_REVISION, dfr_v_int(revision), key, v);
    if (lab)
        dfr_tx_put(r, DFR_F_OS_VERSION, dfr_v_str(s), key, v);
}

/* DEBUG_FLR_IMAGE_TIMESTAMP belongs to the module that MODULE_NAME names. Newer images hold a hash there and the
 * text does not say so: a stamp is a time only where another place shows it as one. */
static void put_stamp(struct dfr_reader *r, uint32_t key, uint32_t v)
{
    const struct dfr_value *m = dfr_facts_scalar(r->f, DFR_F_ANALYZE_IMAGE);
    uint64_t stamp;
    if (!dfr_tx_number(r, v, &stamp) || !stamp || stamp > UINT32_MAX || m->state != DFR_KNOWN)
        return;
    struct dfr_str name = dfr_value_str(m);
    if (!dfr_str_ends_ci(name, DFR_STR(".sys")) && !dfr_str_ends_ci(name, DFR_STR(".dll")))
        return;
    uint32_t row = dfr_facts_find_module(r->f, name);
    if (row == UINT32_MAX)
        return;
    dfr_tx_put_cell(r, DFR_F_MODULES_TIMESTAMP, row, dfr_v_addr(stamp), key, v);
}

static void put_suspect(struct dfr_reader *r, const struct key *k, uint32_t key, uint32_t v)
{
    struct dfr_str s = dfr_tx_text(r, v);
    if (dfr_tx_is_elision(s))
        return;
    dfr_tx_put(r, k->field, dfr_v_str(s), key, v);
    if (dfr_str_find_ci(s, DFR_STR("wrong.symbols")) != SIZE_MAX ||
        dfr_str_find_ci(s, DFR_STR("wrong_symbols")) != SIZE_MAX)
        dfr_tx_put(r, DFR_F_DEBUGGER_WRONG_SYMBOLS, dfr_v_bool(true), key, v);
}

static void put_bucket(struct dfr_reader *r, const struct key *k, uint32_t key, uint32_t v,
                       uint32_t end)
{
    struct dfr_str s = dfr_tx_text_range(r, v, end - 1);
    const struct dfr_value *old = dfr_facts_scalar(r->f, k->field);
    if (old->state == DFR_KNOWN && dfr_str_eq(dfr_tx_text(r, key), DFR_STR("BUCKET_ID:")))
        return; /* FAILURE_BUCKET_ID is the better one and stands above it */
    dfr_tx_put(r, k->field, dfr_v_str(s), key, end - 1);
    if (dfr_str_starts(s, DFR_STR("LKD_")))
        dfr_tx_put(r, DFR_F_DUMP_LIVE, dfr_v_bool(true), key, end - 1);
}

static void put_pages(struct dfr_reader *r, uint32_t key, uint32_t v)
{
    uint64_t n;
    const struct dfr_value *ver = dfr_facts_scalar(r->f, DFR_F_DEBUGGER_VERSION);
    if (!dfr_tx_number(r, v, &n) || n > INT64_MAX)
        return;
    /* Debuggers before 10.0 misread newer systems here. */
    if (ver->state == DFR_KNOWN && ver->as.ver[0] >= 10) {
        dfr_tx_put(r, DFR_F_MACHINE_BAD_PAGES, dfr_v_int((int64_t)n), key, v);
        return;
    }
    struct dfr_value u = dfr_v_unknown(DFR_KIND_INT, DFR_REASON_NOT_UNDERSTOOD);
    dfr_tx_put(r, DFR_F_MACHINE_BAD_PAGES, u, key, v);
}

static void put_blackbox(struct dfr_reader *r, uint32_t key, uint32_t v, uint32_t end)
{
    uint32_t row = dfr_tx_new_row(r, DFR_T_BLACKBOX, key, end - 1);
    struct dfr_str k = dfr_tx_strip(dfr_tx_text(r, key), ":");
    dfr_tx_put_cell(r, DFR_F_BLACKBOX_KIND, row,
                    dfr_v_str(dfr_str_slice(k, sizeof "BLACKBOX" - 1, k.len)), key, key);
    if (end > v)
        dfr_tx_put_cell(r, DFR_F_BLACKBOX_TEXT, row, dfr_v_str(dfr_tx_text_range(r, v, end - 1)), v,
                        end - 1);
}

/* `BIOS_DATE: 12/17/2019`. */
static void put_bios_date(struct dfr_reader *r, uint32_t key, uint32_t v)
{
    struct dfr_value t;
    if (dfr_tx_us_date(dfr_tx_text(r, v), &t))
        dfr_tx_put(r, DFR_F_MACHINE_BIOS_DATE, t, key, v);
}

/* month/day/year, as firmware tables and !errrec print it. */
bool dfr_tx_us_date(struct dfr_str s, struct dfr_value *ret)
{
    int64_t part[3];
    size_t i = 0;
    for (unsigned n = 0; n < 3; n++) {
        size_t k = i;
        while (k < s.len && s.p[k] != '/')
            k++;
        if (!dfr_tx_decimal(dfr_str_slice(s, i, k), &part[n]))
            return false;
        i = k + 1;
    }
    if (part[2] < 1980 || part[2] > 2200 || part[0] < 1 || part[0] > 12 || part[1] < 1 ||
        part[1] > 31)
        return false;
    int64_t t = dfr_time_from_civil((int)part[2], (int)part[0], (int)part[1], 0, 0, 0);
    *ret = dfr_v_time(t, t);
    return true;
}

/* BUGCHECK_STR is not always a number: `0x9F_3` and `0x124_GenuineIntel` are, `AV` and hashes are not. */
static void put_bugcheck_str(struct dfr_reader *r, const struct key *k, uint32_t key, uint32_t v)
{
    struct dfr_str s = dfr_tx_text(r, v);
    dfr_tx_put(r, k->field, dfr_v_str(s), key, v);
    size_t digits = dfr_hex_run(dfr_str_slice(s, 2, s.len));
    struct dfr_bug_seen b = {.has_code = true, .source = DFR_SRC_MENTION, .first = key, .last = v};
    if (!dfr_str_starts_ci(s, DFR_STR("0x")) || !digits || digits > 8)
        return;
    bool ends = 2 + digits == s.len || s.p[2 + digits] == '_';
    if (ends && dfr_hex_value(dfr_str_slice(s, 0, 2 + digits), &b.code) &&
        dfr_bugcheck_info((uint32_t)b.code))
        dfr_tx_bug_seen(r, &b);
}

static void context_key(struct dfr_reader *r, const struct key *k, uint32_t key, uint32_t v)
{
    static const enum dfr_output out[] = {
        [TRAP] = DFR_OUT_TRAP, [CONTEXT] = DFR_OUT_CONTEXT, [TSS] = DFR_OUT_TSS};
    uint64_t a;
    r->out = out[k->how];
    r->set_context = false;
    r->other_thread = false;
    if (k->field != NO_FIELD && dfr_tx_address(r, v, &a)) {
        if (a >> 32 == UINT32_MAX && dfr_tx_is(r, v, DFR_W_ADDR32))
            a = (uint32_t)a;
        dfr_tx_put(r, k->field, dfr_v_addr(a), key, v);
    }
}

static void key_value(struct dfr_reader *r, const struct key *k, uint32_t key, uint32_t v,
                      uint32_t end)
{
    uint64_t n;
    switch (k->how) {
    case WORD:
        put_word(r, k->field, key, v);
        break;
    case LINE:
        if (k->field != NO_FIELD)
            dfr_tx_put(r, k->field, dfr_v_str(dfr_tx_text_range(r, v, end - 1)), key, end - 1);
        break;
    case BUGCHECK:
        dfr_tx_bugcheck_key(r, key, v);
        break;
    case BUCKET:
        put_bucket(r, k, key, v, end);
        break;
    case SUSPECT:
        put_suspect(r, k, key, v);
        break;
    case PROCESS:
        dfr_tx_put(r, k->field, dfr_v_str(dfr_tx_text_range(r, v, end - 1)), key, end - 1);
        break;
    case IRQL:
        put_irql(r, key, v);
        break;
    case TRAP:
    case CONTEXT:
    case TSS:
        context_key(r, k, key, v);
        break;
    case EXCEPTION:
        if (dfr_tx_number(r, dfr_tx_says(r, v, "(NTSTATUS)") ? v + 1 : v, &n))
            dfr_tx_put(r, k->field, dfr_v_addr(n & UINT32_MAX), key, v);
        break;
    case ADDRESS:
        if (dfr_tx_address(r, v, &n)) {
            dfr_tx_put(r, DFR_F_TRAP_ADDRESS, dfr_v_addr(n), key, v);
            bool write = dfr_tx_text(r, key).p[0] == 'W';
            dfr_tx_put(r, DFR_F_TRAP_ACCESS,
                       dfr_v_enum(DFR_E_ACCESS, write ? DFR_ACCESS_WRITE : DFR_ACCESS_READ), key,
                       v);
        }
        break;
    case THREAD:
        if (dfr_tx_address(r, v, &n)) {
            dfr_tx_put(r, k->field, dfr_v_addr(n), key, v);
            r->c->thread = n;
            r->c->has_thread = true;
        }
        break;
    case STAMP:
        put_stamp(r, key, v);
        break;
    case ARCH:
        put_arch(r, key, v);
        break;
    case BUILD: {
        int64_t build;
        if (dfr_tx_decimal(dfr_tx_text(r, v), &build) && build >= 2000)
            dfr_tx_put(r, k->field, dfr_v_int(build), key, v);
        break;
    }
    case OSVERSION:
        put_os_version(r, key, v, k->field != NO_FIELD);
        break;
    case PROCESSORS:
        if (dfr_tx_number(r, v, &n) && n && n <= 4096)
            dfr_tx_put(r, k->field, dfr_v_int((int64_t)n), key, v);
        break;
    case MHZ:
        if (dfr_tx_number(r, v, &n) && n && n < 100000)
            dfr_tx_put(r, k->field, dfr_v_int((int64_t)n), key, v);
        break;
    case BIOSDATE:
        put_bios_date(r, key, v);
        break;
    case BADPAGES:
        put_pages(r, key, v);
        break;
    case BUGSTR:
        put_bugcheck_str(r, k, key, v);
        break;
    case BLACKBOX:
        put_blackbox(r, key, v, end);
        break;
    default:
        break;
    }
}

/* Keys whose value stands on the lines below, for the readers of instructions and frames. */
static bool value_is_below(enum how how)
{
    return how == CODE || how == STACK || how == RECORD;
}

static void keep_row(struct dfr_reader *r, struct dfr_str name, uint32_t key, uint32_t v,
                     uint32_t end)
{
    uint32_t row = dfr_tx_new_row(r, DFR_T_ANALYZE_KEYS, key, end > v ? end - 1 : key);
    dfr_tx_put_cell(r, DFR_F_ANALYZE_KEYS_KEY, row, dfr_v_str(name), key, key);
    if (end > v)
        dfr_tx_put_cell(r, DFR_F_ANALYZE_KEYS_VALUE, row,
                        dfr_v_str(dfr_tx_text_range(r, v, end - 1)), v, end - 1);
}

/* `(PROCESS_NAME: System)`: the bracket that closes the one before the key is no part of the value. */
static uint32_t unbracketed(struct dfr_reader *r, uint32_t key, uint32_t v, uint32_t end)
{
    const struct dfr_word *k = dfr_tx_word(r, key);
    if (!k->at || r->norm.text.p[k->at - 1] != '(')
        return end;
    for (uint32_t j = v; j < end; j++) {
        struct dfr_word *w = &r->words.v[j];
        const char *p = memchr(r->norm.text.p + w->at, ')', w->len);
        if (!p)
            continue;
        uint32_t len = (uint32_t)(p - (r->norm.text.p + w->at));
        if (!len)
            return j > v ? j : end;
        w->len = len;
        return j + 1;
    }
    return end;
}

uint32_t dfr_tx_key(struct dfr_reader *r, uint32_t i)
{
    struct dfr_str name = dfr_tx_strip(dfr_tx_text(r, i), ":");
    const struct key *k = find_key(name);
    /* Capitals with a colon are a key where the debugger analyses, elsewhere only when they are known. */
    if (!k && r->out != DFR_OUT_ANALYZE && r->out != DFR_OUT_TRAP && r->out != DFR_OUT_CONTEXT)
        return i;
    if (k && k->how == STACK) {
        r->c->analyzed = true;
        return dfr_tx_stack_text(r, i);
    }
    dfr_tx_stack_close(r);
    uint32_t v = i + 1, end;
    dfr_tx_line_rest(r, v, &end);
    bool below = k && value_is_below(k->how);
    /* A value that pasting put on the next line. */
    if (end == v && k && !below && v < r->words.n && !dfr_tx_is(r, v, DFR_W_KEY) &&
        !dfr_tx_is(r, v, DFR_W_PROMPT) &&
        !(dfr_tx_word(r, v)->flags & (DFR_W_PARA | DFR_W_BLOCK)) &&
        (dfr_tx_line_end(r, v, 3) == v + 1 || dfr_tx_is(r, v + 1, DFR_W_KEY)) &&
        (k->how == WORD || k->how == SUSPECT || k->how == BUCKET || k->how == PROCESS ||
         k->how == BUGCHECK))
        end = v + 1;
    if (k && end > v && (k->how == TRAP || k->how == CONTEXT || k->how == TSS)) {
        /* `a -- (.trap a)`; the registers may follow on the same line. */
        end = v + 1;
        if (dfr_tx_says(r, end, "--") && !dfr_tx_bol(r, end) && dfr_tx_text(r, end + 1).p[0] == '(')
            end += 3;
        key_value(r, k, i, v, end);
    } else if (k && end > v) {
        bool flat = end < r->words.n && !dfr_tx_bol(r, end);
        bool one = k->how != LINE && k->how != BLACKBOX && !(k->how == PROCESS && !flat);
        uint32_t value_end = one || (flat && end - v > 8) ? v + 1 : end;
        key_value(r, k, i, v, unbracketed(r, i, v, value_end));
        if (flat)
            end = value_end; /* what follows in a flattened line may be prose or another section */
    }
    if (below)
        end = v;
    if (k == NULL && end == v)
        return v;
    r->c->keys++;
    keep_row(r, name, i, v, end);
    if (r->out == DFR_OUT_NONE || r->out == DFR_OUT_OTHER || r->out == DFR_OUT_RAW ||
        r->out == DFR_OUT_READ || r->out == DFR_OUT_BLACKBOX)
        r->out = DFR_OUT_ANALYZE;
    bool context = k && (k->how == TRAP || k->how == CONTEXT || k->how == TSS);
    if (!context &&
        (r->out == DFR_OUT_TRAP || r->out == DFR_OUT_CONTEXT || r->out == DFR_OUT_TSS) &&
        (r->command == DFR_NO_WORD || r->verb.p[0] != '.'))
        r->out = DFR_OUT_ANALYZE;
    return end;
}

/* `Key  : Analysis.CPU.mSec` and `Value: 2125`, on one line or several. */
uint32_t dfr_tx_pair(struct dfr_reader *r, uint32_t i)
{
    uint32_t name = i + 1 + (uint32_t)dfr_tx_is(r, i + 1, DFR_W_COLON);
    uint32_t value = name + 1;
    if (!dfr_tx_says(r, value, "Value:") &&
        !(dfr_tx_says(r, value, "Value") && dfr_tx_is(r, value + 1, DFR_W_COLON)))
        return i;
    uint32_t v = value + 1 + (uint32_t)dfr_tx_is(r, value + 1, DFR_W_COLON), end;
    dfr_tx_line_rest(r, v, &end);
    for (uint32_t j = v; j < end; j++)
        if (dfr_tx_says(r, j, "Key") || dfr_tx_says(r, j, "Key:"))
            end = j;
    struct dfr_str key = dfr_tx_text(r, name);
    keep_row(r, key, name, v, end);
    if (end == v)
        return v;
    uint64_t n;
    if (dfr_str_eq(key, DFR_STR("Bugcheck.Code.LegacyAPI")) ||
        dfr_str_eq(key, DFR_STR("Bugcheck.Code.TargetModel")) ||
        dfr_str_eq(key, DFR_STR("Bugcheck.Code.DumpHeader")) ||
        dfr_str_eq(key, DFR_STR("Bugcheck.Code.KiBugCheckData"))) {
        struct dfr_bug_seen b = {
            .has_code = true, .source = DFR_SRC_MENTION, .first = name, .last = v};
        if (dfr_tx_number(r, v, &b.code))
            dfr_tx_bug_seen(r, &b);
    } else if (dfr_str_eq(key, DFR_STR("WER.OS.Version"))) {
        put_os_version(r, name, v, false);
    } else if (dfr_str_eq(key, DFR_STR("Failure.Bucket"))) {
        const struct dfr_value *old = dfr_facts_scalar(r->f, DFR_F_ANALYZE_BUCKET);
        if (old->state != DFR_KNOWN)
            dfr_tx_put(r, DFR_F_ANALYZE_BUCKET, dfr_v_str(dfr_tx_text(r, v)), name, v);
    } else if (dfr_str_eq(key, DFR_STR("Failure.Exception.Code")) && dfr_tx_number(r, v, &n)) {
        dfr_tx_put(r, DFR_F_TRAP_EXCEPTION, dfr_v_addr(n & UINT32_MAX), name, v);
    }
    return end;
}

/* `Probably caused by : foo.sys ( foo!Bar+3a )`: the verdict of the short analysis. It is kept as a
 * key, so that the full one, when it is there too, speaks for itself. */
uint32_t dfr_tx_probably(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Probably caused by :");
    if (!n)
        n = dfr_tx_phrase(r, i, "Probably caused by:");
    struct dfr_str image = dfr_tx_text(r, i + n);
    if (!n || !image.len || dfr_tx_is_elision(image))
        return i;
    dfr_tx_stack_close(r);
    keep_row(r, DFR_STR("Probably caused by"), i, i + n, i + n + 1);
    uint32_t end = i + n + 1;
    if (dfr_tx_says(r, end, "(")) {
        uint32_t most = end + 12;
        while (end < most && dfr_tx_text(r, end).len && !dfr_tx_says(r, end, ")"))
            end++;
        end = dfr_tx_says(r, end, ")") ? end + 1 : i + n + 1;
    }
    return end;
}
