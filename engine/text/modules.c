/* The lm family: rows of loaded and unloaded modules, the details below them, and warnings that name an image. */
#include "text/dates.h"
#include "text/sections.h"

#include <string.h>

static const struct {
    const char *text;
    unsigned symbols;
} symbol_states[] = {
    {"(no symbols)", DFR_SYMBOLS_NONE},         {"(deferred)", DFR_SYMBOLS_DEFERRED},
    {"(pdb symbols)", DFR_SYMBOLS_PDB},         {"(private pdb symbols)", DFR_SYMBOLS_PDB},
    {"(export symbols)", DFR_SYMBOLS_EXPORT},   {"(coff symbols)", DFR_SYMBOLS_PDB},
    {"(codeview symbols)", DFR_SYMBOLS_PDB},    {"(dia symbols)", DFR_SYMBOLS_PDB},
    {"(service symbols: CLR", DFR_SYMBOLS_PDB}, {"(pdb symbols: stripped)", DFR_SYMBOLS_PDB},
};

static uint32_t symbol_state(const struct dfr_reader *r, uint32_t i, unsigned *ret)
{
    for (size_t k = 0; k < sizeof symbol_states / sizeof *symbol_states; k++) {
        uint32_t n = dfr_tx_phrase(r, i, symbol_states[k].text);
        if (n) {
            *ret = symbol_states[k].symbols;
            return n;
        }
    }
    return 0;
}

static bool is_module_name(struct dfr_str s)
{
    if (!s.len || s.len > 64)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr("_-.$~+", c)))
            return (unsigned char)c >= 0x80;
    }
    return true;
}

static bool is_file_name(struct dfr_str s)
{
    return dfr_str_ends_ci(s, DFR_STR(".sys")) || dfr_str_ends_ci(s, DFR_STR(".dll")) ||
           dfr_str_ends_ci(s, DFR_STR(".exe")) || dfr_str_ends_ci(s, DFR_STR(".drv"));
}

/* A row of MODULES for `name` at `base`. The name is the key; one that two ranges share keeps its first range. */
static uint32_t module_row(struct dfr_reader *r, struct dfr_str name, uint64_t base, uint64_t end,
                           uint32_t i, uint32_t word)
{
    if (dfr_facts_find_module(r->f, name) == UINT32_MAX)
        r->c->evidence++;
    uint32_t row = dfr_facts_module_row(r->f, name);
    if (row == UINT32_MAX)
        return row;
    dfr_tx_put_cell(r, DFR_F_MODULES_NAME, row, dfr_v_str(name), word, word);
    dfr_tx_put_cell(r, DFR_F_MODULES_BASE, row, dfr_v_addr(base), i, i);
    if (end > base) {
        dfr_tx_put_cell(r, DFR_F_MODULES_END, row, dfr_v_addr(end), i + 1, i + 1);
        dfr_tx_put_cell(r, DFR_F_MODULES_SIZE, row, dfr_v_int((int64_t)(end - base)), i, i + 1);
    }
    if (!r->f->tables[DFR_T_MODULES].place)
        r->f->tables[DFR_T_MODULES].place = dfr_tx_place_of(r, i, word);
    r->module = row;
    return row;
}

/* `fffff880`0181f000 fffff880`01bc3000 iaStor (no symbols)`, and with lm t n: `... name image date`. */
uint32_t dfr_tx_module_row(struct dfr_reader *r, uint32_t i)
{
    uint64_t base, end;
    bool open = r->out == DFR_OUT_MODULES;
    if (!dfr_tx_address(r, i, &base) || !dfr_tx_address(r, i + 1, &end) || end <= base)
        return i;
    struct dfr_str name = dfr_tx_text(r, i + 2);
    if (!is_module_name(name) || dfr_tx_bol(r, i + 2) || r->out == DFR_OUT_RAW)
        return i;
    if (r->out == DFR_OUT_UNLOADED) {
        if (!is_module_name(name))
            return i;
        uint32_t row = dfr_tx_new_row(r, DFR_T_UNLOADED, i, i + 2);
        dfr_tx_put_cell(r, DFR_F_UNLOADED_NAME, row, dfr_v_str(name), i + 2, i + 2);
        dfr_tx_put_cell(r, DFR_F_UNLOADED_BASE, row, dfr_v_addr(base), i, i);
        dfr_tx_put_cell(r, DFR_F_UNLOADED_END, row, dfr_v_addr(end), i + 1, i + 1);
        dfr_tx_put_cell(r, DFR_F_UNLOADED_SIZE, row, dfr_v_int((int64_t)(end - base)), i, i + 1);
        r->unloaded_row = row;
        r->module = UINT32_MAX;
        return i + 3;
    }
    uint32_t j = i + 3;
    bool mismatch = dfr_tx_says(r, j, "T") || dfr_tx_says(r, j, "C") || dfr_tx_says(r, j, "M");
    j += mismatch;
    if (dfr_tx_says(r, j, "#"))
        j++;
    unsigned symbols = 0;
    uint32_t state = symbol_state(r, j, &symbols);
    struct dfr_date date;
    uint32_t image = is_file_name(dfr_tx_text(r, j)) && !dfr_tx_bol(r, j) ? j : DFR_NO_WORD;
    uint32_t behind = image == DFR_NO_WORD ? j : j + 1;
    uint32_t dated = state ? 0 : dfr_tx_date(r, behind, &date);
    bool alone = open && dfr_tx_bol(r, j);
    if (!state && !dated && image == DFR_NO_WORD && !alone)
        return i;
    if (!state && !open && image == DFR_NO_WORD && !dated)
        return i;
    uint32_t row = module_row(r, name, base, end, i, i + 2);
    if (state) {
        dfr_tx_put_cell(r, DFR_F_MODULES_SYMBOLS, row, dfr_v_enum(DFR_E_SYMBOLS, symbols), j,
                        j + state - 1);
        j += state;
        /* Behind the state stands the symbol file's path. */
        struct dfr_str path = dfr_tx_text(r, j);
        if (!dfr_tx_bol(r, j) && path.len > 4 &&
            (memchr(path.p, '\\', path.len) || is_file_name(path)))
            j++;
    }
    if (mismatch && dfr_tx_says(r, i + 3, "T"))
        dfr_tx_put_cell(r, DFR_F_MODULES_UNVERIFIED, row, dfr_v_bool(true), i + 3, i + 3);
    if (image != DFR_NO_WORD) {
        dfr_tx_put_cell(r, DFR_F_MODULES_IMAGE, row, dfr_v_str(dfr_tx_text(r, image)), image,
                        image);
        j = image + 1;
    }
    if (dated) {
        dfr_tx_put_built(r, DFR_F_MODULES_BUILT, DFR_F_MODULES_TIMESTAMP, row, &date, behind,
                         behind + dated - 1);
        j = behind + dated;
    }
    return j;
}

/* `start end module name`, and whether the whole list follows. */
uint32_t dfr_tx_module_heading(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "start end module name");
    if (!n)
        return i;
    r->out = DFR_OUT_MODULES;
    r->module = UINT32_MAX;
    return i + n;
}

uint32_t dfr_tx_unloaded_heading(struct dfr_reader *r, uint32_t i)
{
    if (!dfr_tx_phrase(r, i, "Unloaded modules:"))
        return i;
    if (r->out == DFR_OUT_MODULES && r->lm_whole)
        dfr_tx_modules_complete(r, i);
    r->out = DFR_OUT_UNLOADED;
    r->module = UINT32_MAX;
    return i + 2;
}

/* The list is whole: from its heading to what follows it. Called at the end of its output. */
void dfr_tx_modules_complete(struct dfr_reader *r, uint32_t i)
{
    struct dfr_rows *t = &r->f->tables[DFR_T_MODULES];
    (void)i;
    if (r->lm_whole && r->lm_rows_before < t->n)
        t->complete = true;
    r->lm_whole = false;
}

struct detail {
    const char *label; /* words up to the colon */
    uint32_t column;
    enum { PATH, IMAGE, STAMP, SUM, SIZE, VERSION, TEXT, IGNORED } how;
};

static const struct detail details[] = {
    {"Loaded symbol image file:", 0, IGNORED},
    {"Mapped memory image file:", 0, IGNORED},
    {"Image path:", DFR_F_MODULES_PATH, PATH},
    {"Image name:", DFR_F_MODULES_IMAGE, IMAGE},
    {"Timestamp:", 0, STAMP},
    {"CheckSum:", DFR_F_MODULES_CHECKSUM, SUM},
    {"Checksum:", DFR_F_MODULES_CHECKSUM, SUM},
    {"ImageSize:", DFR_F_MODULES_SIZE, SIZE},
    {"File version:", DFR_F_MODULES_VERSION, VERSION},
    {"FileVersion:", 0, IGNORED},
    {"Product version:", 0, IGNORED},
    {"ProductVersion:", 0, IGNORED},
    {"File flags:", 0, IGNORED},
    {"File OS:", 0, IGNORED},
    {"File type:", 0, IGNORED},
    {"File date:", 0, IGNORED},
    {"Translations:", 0, IGNORED},
    {"CompanyName:", DFR_F_MODULES_COMPANY, TEXT},
    {"ProductName:", DFR_F_MODULES_PRODUCT, TEXT},
    {"InternalName:", 0, IGNORED},
    {"OriginalFilename:", 0, IGNORED},
    {"FileDescription:", DFR_F_MODULES_DESCRIPTION, TEXT},
    {"LegalCopyright:", 0, IGNORED},
    {"Information from resource tables:", 0, IGNORED},
    {"Has image information:", 0, IGNORED},
    {"Symbol file:", 0, IGNORED},
};

static uint32_t plain_end(const struct dfr_reader *r, uint32_t i)
{
    uint32_t end;
    dfr_tx_line_rest(r, i, &end);
    /* In flattened text the next label ends the value, or the range of the next module. */
    for (uint32_t j = i; j < end; j++) {
        uint64_t base, top;
        if (j > i && dfr_tx_address(r, j, &base) && dfr_tx_address(r, j + 1, &top) && top > base)
            return j;
        for (size_t k = 0; k < sizeof details / sizeof *details; k++)
            if (dfr_tx_phrase(r, j, details[k].label))
                return j;
    }
    return end;
}

static void put_version(struct dfr_reader *r, uint32_t row, uint32_t word)
{
    struct dfr_str s = dfr_tx_text(r, word);
    uint32_t part[4] = {0}, n = 0;
    for (size_t i = 0; i < s.len && n < 4;) {
        size_t k = i;
        uint64_t v = 0;
        for (; k < s.len && s.p[k] >= '0' && s.p[k] <= '9' && k - i < 9; k++)
            v = v * 10 + (unsigned)(s.p[k] - '0');
        if (k == i)
            return;
        part[n++] = (uint32_t)v;
        if (k < s.len && s.p[k] != '.')
            return;
        i = k + 1;
    }
    if (n)
        dfr_tx_put_cell(r, DFR_F_MODULES_VERSION, row,
                        dfr_v_ver(part[0], part[1], part[2], part[3]), word, word);
}

/* A labelled line below a module's row. Only read while a module is open. */
uint32_t dfr_tx_module_detail(struct dfr_reader *r, uint32_t i)
{
    const struct detail *d = NULL;
    uint32_t n = 0;
    for (size_t k = 0; k < sizeof details / sizeof *details && !n; k++) {
        d = &details[k];
        n = dfr_tx_phrase(r, i, d->label);
    }
    if (!n)
        return i;
    bool unloaded = r->out == DFR_OUT_UNLOADED && r->unloaded_row != UINT32_MAX;
    if (!unloaded && r->out != DFR_OUT_MODULES)
        return i;
    uint32_t row = r->module, v = i + n, end = plain_end(r, v);
    if (row == UINT32_MAX && !unloaded)
        return end;
    uint64_t number;
    switch (d->how) {
    case STAMP: {
        struct dfr_date date;
        uint32_t taken = dfr_tx_date(r, v, &date);
        if (taken && !unloaded)
            dfr_tx_put_built(r, DFR_F_MODULES_BUILT, DFR_F_MODULES_TIMESTAMP, row, &date, v,
                             v + taken - 1);
        else if (taken && date.has_stamp)
            dfr_tx_put_cell(r, DFR_F_UNLOADED_TIMESTAMP, r->unloaded_row, dfr_v_addr(date.stamp), v,
                            v + taken - 1);
        else if (!taken && dfr_tx_is(r, v, DFR_W_ADDR32) && !unloaded &&
                 dfr_tx_number(r, v, &number)) /* a stamp of which nothing says what it is */
            dfr_tx_put_cell(r, DFR_F_MODULES_TIMESTAMP, row, dfr_v_addr(number), v, v);
        return taken ? v + taken : end;
    }
    case SUM:
    case SIZE:
        if (unloaded || !dfr_tx_number(r, v, &number) || dfr_tx_bol(r, v))
            return end;
        if (d->how == SUM)
            dfr_tx_put_cell(r, d->column, row, dfr_v_addr(number), v, v);
        else if (dfr_facts_at(r->f, DFR_F_MODULES_SIZE, row)->state != DFR_KNOWN)
            dfr_tx_put_cell(r, d->column, row, dfr_v_int((int64_t)(number & INT64_MAX)), v, v);
        return v + 1;
    case VERSION:
        if (!unloaded && v < end)
            put_version(r, row, v);
        return end;
    case IMAGE:
    case PATH: {
        /* Paths may hold blanks, but in flattened text the next label follows. */
        if (!unloaded && v < end)
            dfr_tx_put_cell(r, d->column, row, dfr_v_str(dfr_tx_text_range(r, v, end - 1)), v,
                            end - 1);
        return end;
    }
    case TEXT:
        if (!unloaded && v < end)
            dfr_tx_put_cell(r, d->column, row, dfr_v_str(dfr_tx_text_range(r, v, end - 1)), v,
                            end - 1);
        return end;
    default:
        return end;
    }
}

/* The image that a warning names, with the comma or dash behind it taken off. */
static struct dfr_str warned_name(struct dfr_str s)
{
    s = dfr_tx_strip(s, ",;:-\"'.");
    for (size_t i = s.len; i > 0; i--)
        if (s.p[i - 1] == '\\' || s.p[i - 1] == '/')
            return dfr_str_slice(s, i, s.len);
    return s;
}

/* `*** WARNING: Unable to verify timestamp for x.sys`, `*** ERROR: Module load completed but symbols could not be
 * loaded for x.sys`, `... Defaulted to export symbols for x.sys -`, `Unable to load image x.sys, Win32 error 0n2`. */
uint32_t dfr_tx_module_warning(struct dfr_reader *r, uint32_t i)
{
    static const struct {
        const char *text;
        bool unverified;
        unsigned symbols; /* + 1 */
    } warnings[] = {
        {"Unable to verify timestamp for", true, 0},
        {"Unable to verify checksum for", true, 0},
        {"Unable to load image", true, 0},
        {"Module load completed but symbols could not be loaded for", false, DFR_SYMBOLS_NONE + 1},
        {"Symbol file could not be found. Defaulted to export symbols for", false,
         DFR_SYMBOLS_EXPORT + 1},
        {"Symbols could not be loaded for", false, DFR_SYMBOLS_NONE + 1},
    };
    for (size_t k = 0; k < sizeof warnings / sizeof *warnings; k++) {
        uint32_t n = dfr_tx_phrase(r, i, warnings[k].text);
        if (!n)
            continue;
        uint32_t w = i + n;
        struct dfr_str name = warned_name(dfr_tx_text(r, w));
        if (!is_module_name(name))
            return i;
        /* The debugger resolves names lazily: a table row that is already there keeps what lm said. */
        uint32_t row = dfr_facts_module_row(r->f, name);
        dfr_tx_put_cell(r, DFR_F_MODULES_NAME, row, dfr_v_str(dfr_module_stem(name)), w, w);
        dfr_tx_put_cell(r, DFR_F_MODULES_IMAGE, row, dfr_v_str(name), w, w);
        if (warnings[k].unverified)
            dfr_tx_put_cell(r, DFR_F_MODULES_UNVERIFIED, row, dfr_v_bool(true), i, w);
        if (warnings[k].symbols)
            dfr_tx_put_cell(r, DFR_F_MODULES_SYMBOLS, row,
                            dfr_v_enum(DFR_E_SYMBOLS, warnings[k].symbols - 1), i, w);
        uint32_t end = w + 1;
        uint32_t tail = dfr_tx_phrase(r, end, "Win32 error");
        if (tail)
            end += tail + 1;
        if (dfr_tx_says(r, end, "-"))
            end++;
        return end;
    }
    return i;
}
