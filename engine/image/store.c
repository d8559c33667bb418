/* Stores on disk. Layout: name/ID/name, or na/name/ID/name where index2.txt stands in the root; a file
 * may be packed (last letter `_`) or stand elsewhere (file.ptr says where). Documented; everyday use.
 * Names are matched without regard to case, as Windows does. */
#include "image/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "image/cab.h"
#include "image/pdb.h"

enum { NAME_MOST = 200 };

/* ---- Names and ids --------------------------------------------------------------------------- */

bool dfr_store_name(struct dfr_str path, struct dfr_str *ret)
{
    size_t from = path.len;
    while (from && path.p[from - 1] != '\\' && path.p[from - 1] != '/')
        from--;
    struct dfr_str name = dfr_str_slice(path, from, path.len);
    bool dots = true;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 0x20 || c == 0x7F || strchr(":*?\"<>|;", c))
            return false;
        dots = dots && (c == '.' || c == ' ');
    }
    /* The first two letters of a name may be a folder of their own. */
    if (dots || name.len > NAME_MOST || dfr_str_starts_ci(name, DFR_STR("..")))
        return false;
    *ret = name;
    return true;
}

static struct dfr_str image_id(struct dfr_arena *a, uint32_t stamp, uint32_t size)
{
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    dfr_buf_printf(&b, "%08X%x", stamp, size);
    return dfr_buf_text(&b);
}

static struct dfr_str joined(struct dfr_arena *a, const struct dfr_str *parts, size_t n)
{
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    for (size_t i = 0; i < n; i++) {
        if (b.len && b.p[b.len - 1] != '/')
            dfr_buf_char(&b, '/');
        dfr_buf_str(&b, parts[i]);
    }
    return dfr_buf_text(&b);
}

struct dfr_str dfr_store_image_path(struct dfr_arena *a, struct dfr_str name, uint32_t stamp,
                                    uint32_t size)
{
    const struct dfr_str parts[] = {name, image_id(a, stamp, size), name};
    return joined(a, parts, 3);
}

/* ---- The path -------------------------------------------------------------------------------- */

static bool is_address(struct dfr_str s)
{
    return dfr_str_starts_ci(s, DFR_STR("http://")) || dfr_str_starts_ci(s, DFR_STR("https://"));
}

static void add_root(struct dfr_store *s, struct dfr_str folder, bool plain)
{
    if (!folder.len || folder.len > PATH_MAX || memchr(folder.p, 0, folder.len) ||
        s->roots.n >= DFR_LIMIT_STORE_ROOTS)
        return;
    if (is_address(folder)) {
        *DFR_PUSH(s->arena, &s->servers) = dfr_str_dup(s->arena, folder);
        return;
    }
    struct dfr_str own = dfr_str_dup(s->arena, folder);
    const struct dfr_str index[] = {own, DFR_STR("index2.txt")};
    *DFR_PUSH(s->arena, &s->roots) = (struct dfr_store_root){
        .folder = own, .plain = plain, .two_tier = access(joined(s->arena, index, 2).p, F_OK) == 0};
}

/* The part of `s` before `c`; `s` becomes what follows it. */
static struct dfr_str cut(struct dfr_str *s, char c)
{
    const char *at = s->len ? memchr(s->p, c, s->len) : NULL;
    size_t n = at ? (size_t)(at - s->p) : s->len;
    struct dfr_str part = dfr_str_slice(*s, 0, n);
    *s = dfr_str_slice(*s, at ? n + 1 : n, s->len);
    return part;
}

static void add_item(struct dfr_store *s, struct dfr_str item)
{
    struct dfr_str rest = item, word = cut(&rest, '*');
    bool symsrv = dfr_str_eq_ci(word, DFR_STR("symsrv"));
    if (!symsrv && !dfr_str_eq_ci(word, DFR_STR("srv")) && !dfr_str_eq_ci(word, DFR_STR("cache"))) {
        add_root(s, item, true);
        return;
    }
    if (symsrv)
        cut(&rest, '*'); /* the file that serves it on Windows */
    while (rest.len)
        add_root(s, dfr_str_trim(cut(&rest, '*')), false);
}

void dfr_store_init(struct dfr_store *s, struct dfr_arena *a, struct dfr_str symbol_path)
{
    *s = (struct dfr_store){.arena = a};
    while (symbol_path.len)
        add_item(s, dfr_str_trim(cut(&symbol_path, ';')));
}

/* ---- Finding files ----------------------------------------------------------------------------- */

static int by_name(const void *x, const void *y)
{
    const struct dfr_str *a = x, *b = y;
    int c = dfr_str_cmp_ci(*a, *b);
    return c ? c : dfr_str_cmp(*a, *b);
}

static void close_dir(void *p)
{
    DIR **dir = p;
    if (*dir)
        closedir(*dir);
    *dir = NULL;
}

/* Call each(user, name) for what stands in a folder, up to a limit. */
static void each_entry(struct dfr_store *s, struct dfr_str folder,
                       void (*each)(void *user, struct dfr_str name), void *user)
{
    DIR **dir = DFR_NEW(s->arena, DIR *);
    dfr_arena_defer(s->arena, close_dir, dir); /* should `each` jump away */
    *dir = opendir(folder.p);
    const struct dirent *e;
    for (uint32_t n = 0; *dir && n < DFR_LIMIT_STORE_ENTRIES && (e = readdir(*dir)) != NULL; n++)
        each(user, dfr_str_from(e->d_name));
    close_dir(dir);
}

struct matching {
    struct dfr_arena *arena;
    struct dfr_str name;
    DFR_VEC(struct dfr_str) list;
};

static void keep_matching(void *user, struct dfr_str name)
{
    enum { MOST = 8 }; /* names that differ in case alone */
    struct matching *m = user;
    if (m->list.n < MOST && dfr_str_eq_ci(name, m->name))
        *DFR_PUSH(m->arena, &m->list) = dfr_str_dup(m->arena, name);
}

struct listing {
    struct dfr_arena *arena;
    struct dfr_store_root *root;
};

static void keep_name(void *user, struct dfr_str name)
{
    struct listing *l = user;
    *DFR_PUSH(l->arena, &l->root->names) = dfr_str_dup(l->arena, name);
}

/* Entries of the root called `name`: its names are read once, as it may hold thousands. */
static void root_matching(struct dfr_store *s, struct dfr_store_root *root, struct matching *m)
{
    if (!root->listed) {
        root->listed = true;
        each_entry(s, root->folder, keep_name, &(struct listing){s->arena, root});
        if (root->names.n)
            qsort(root->names.v, root->names.n, sizeof *root->names.v, by_name);
    }
    uint32_t from = 0, to = root->names.n;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (dfr_str_cmp_ci(root->names.v[mid], m->name) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    while (from < root->names.n && dfr_str_eq_ci(root->names.v[from], m->name))
        keep_matching(m, root->names.v[from++]);
}

/* What is asked for, and how to know it: NULL, or why a file is another one. */
struct want {
    struct dfr_str name, id;
    const char *(*check)(struct dfr_store *s, const struct want *w, struct dfr_bytes *b);
    uint32_t stamp, size; /* of an image */
    const uint8_t *guid;  /* of a PDB */
    uint32_t age;
};

struct dfr_store_found {
    struct dfr_str name, id;
    int fd;                /* -1: none, or not needed */
    struct dfr_span bytes; /* unpacked; else empty */
    bool there;
};

static void close_found(void *p)
{
    struct dfr_store_found *f = p;
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

static bool bytes_of(struct dfr_store *s, const struct dfr_store_found *f, struct dfr_bytes *ret)
{
    if (!f->there)
        return false;
    if (f->fd >= 0)
        return dfr_bytes_fd(ret, s->arena, &f->fd);
    dfr_bytes_memory(ret, s->arena, f->bytes);
    return true;
}

/* Open a regular file; anything else (a pipe would wait) is none. */
static bool open_file(struct dfr_store *s, struct dfr_str path, struct dfr_store_found *f,
                      struct dfr_bytes *ret)
{
    f->fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (f->fd >= 0 && dfr_bytes_fd(ret, s->arena, &f->fd) && ret->size)
        return true;
    close_found(f);
    return false;
}

static bool reject(struct dfr_store *s, struct dfr_str path, const char *why)
{
    if (s->rejects.n < DFR_LIMIT_STORE_FILES)
        *DFR_PUSH(s->arena, &s->rejects) = (struct dfr_store_reject){path, why};
    return false;
}

/* Take the file at `path` when it is the wanted one, packed or not. */
static bool take(struct dfr_store *s, const struct want *w, struct dfr_str path,
                 struct dfr_store_found *f)
{
    struct dfr_bytes b;
    if (!open_file(s, path, f, &b))
        return false;
    if (dfr_cab_is(&b)) {
        bool whole = dfr_cab_unpack(s->arena, &b, &f->bytes);
        close_found(f);
        if (!whole)
            return reject(s, path, "it is packed, and cannot be unpacked");
        dfr_bytes_memory(&b, s->arena, f->bytes);
    }
    const char *why = w->check(s, w, &b);
    f->there = !why;
    if (f->there)
        return true;
    close_found(f);
    return reject(s, path, why);
}

/* file.ptr: `PATH:` and where the file stands. */
static bool take_pointer(struct dfr_store *s, const struct want *w, struct dfr_str folder,
                         struct dfr_str pointer, struct dfr_store_found *f)
{
    char text[PATH_MAX];
    struct dfr_bytes b;
    const struct dfr_str parts[] = {folder, pointer};
    if (!open_file(s, joined(s->arena, parts, 2), f, &b))
        return false;
    size_t n = b.size < sizeof text ? (size_t)b.size : sizeof text;
    bool read = dfr_bytes_copy(&b, 0, text, n);
    close_found(f);
    struct dfr_str to = dfr_str_trim((struct dfr_str){text, n});
    if (!read || !dfr_str_starts_ci(to, DFR_STR("PATH:")))
        return false;
    to = dfr_str_trim(dfr_str_slice(to, 5, to.len));
    if (!to.len || memchr(to.p, 0, to.len))
        return false;
    const struct dfr_str beside[] = {folder, to};
    return take(s, w, to.p[0] == '/' ? dfr_str_dup(s->arena, to) : joined(s->arena, beside, 2), f);
}

static struct dfr_str packed_name(struct dfr_arena *a, struct dfr_str name)
{
    char *p = dfr_arena_copy(a, name.p, name.len);
    p[name.len - 1] = '_';
    return (struct dfr_str){p, name.len};
}

/* `name`, its packed form and a pointer, in a folder. */
static bool take_in(struct dfr_store *s, const struct want *w, struct dfr_str folder, bool pointers,
                    struct dfr_store_found *f)
{
    struct dfr_str packed = packed_name(s->arena, w->name), pointer = DFR_STR("file.ptr");
    const struct dfr_str names[] = {w->name, packed, pointer};
    for (size_t i = 0; i < (pointers ? 3 : 2); i++) {
        struct matching m = {.arena = s->arena, .name = names[i]};
        each_entry(s, folder, keep_matching, &m);
        for (uint32_t k = 0; k < m.list.n; k++) {
            const struct dfr_str parts[] = {folder, m.list.v[k]};
            if (i == 2 ? take_pointer(s, w, folder, m.list.v[k], f)
                       : take(s, w, joined(s->arena, parts, 2), f))
                return true;
        }
    }
    return false;
}

/* name/ID below a folder whose entries called `name` are in `m`. */
static bool take_below(struct dfr_store *s, const struct want *w, struct dfr_str folder,
                       const struct matching *m, struct dfr_store_found *f)
{
    for (uint32_t i = 0; i < m->list.n; i++) {
        const struct dfr_str parts[] = {folder, m->list.v[i]};
        struct dfr_str at = joined(s->arena, parts, 2);
        struct matching ids = {.arena = s->arena, .name = w->id};
        each_entry(s, at, keep_matching, &ids);
        for (uint32_t k = 0; k < ids.list.n; k++) {
            const struct dfr_str deeper[] = {at, ids.list.v[k]};
            if (take_in(s, w, joined(s->arena, deeper, 2), true, f))
                return true;
        }
    }
    return false;
}

static bool take_two_tier(struct dfr_store *s, const struct want *w, struct dfr_store_root *root,
                          struct dfr_store_found *f)
{
    struct matching tier = {.arena = s->arena, .name = dfr_str_slice(w->name, 0, 2)};
    root_matching(s, root, &tier);
    for (uint32_t i = 0; i < tier.list.n; i++) {
        const struct dfr_str parts[] = {root->folder, tier.list.v[i]};
        struct dfr_str folder = joined(s->arena, parts, 2);
        struct matching m = {.arena = s->arena, .name = w->name};
        each_entry(s, folder, keep_matching, &m);
        if (take_below(s, w, folder, &m, f))
            return true;
    }
    return false;
}

static bool take_plain(struct dfr_store *s, const struct want *w, struct dfr_store_root *root,
                       const struct matching *m, struct dfr_store_found *f)
{
    struct matching packed = {.arena = s->arena, .name = packed_name(s->arena, w->name)};
    root_matching(s, root, &packed);
    const struct matching *both[] = {m, &packed};
    for (size_t n = 0; n < 2; n++)
        for (uint32_t i = 0; i < both[n]->list.n; i++) {
            const struct dfr_str parts[] = {root->folder, both[n]->list.v[i]};
            if (take(s, w, joined(s->arena, parts, 2), f))
                return true;
        }
    /* Debuggers also look in a folder called as the file's extension, and below symbols/. */
    size_t dot = w->name.len;
    while (dot && w->name.p[dot - 1] != '.')
        dot--;
    struct dfr_str extension = dfr_str_slice(w->name, dot, w->name.len);
    const struct dfr_str sub[] = {root->folder, extension},
                         symbols[] = {root->folder, DFR_STR("symbols"), extension};
    return dot && extension.len && dfr_str_find(extension, DFR_STR(".")) == SIZE_MAX &&
           (take_in(s, w, joined(s->arena, sub, 2), false, f) ||
            take_in(s, w, joined(s->arena, symbols, 3), false, f));
}

static bool search(struct dfr_store *s, const struct want *w, struct dfr_store_found *f)
{
    for (uint32_t i = 0; i < s->roots.n; i++) {
        struct dfr_store_root *root = &s->roots.v[i];
        struct matching m = {.arena = s->arena, .name = w->name};
        root_matching(s, root, &m);
        if (take_below(s, w, root->folder, &m, f) ||
            (w->name.len > 2 && take_two_tier(s, w, root, f)) ||
            (root->plain && take_plain(s, w, root, &m, f)))
            return true;
    }
    return false;
}

static bool find(struct dfr_store *s, const struct want *w, struct dfr_bytes *ret)
{
    for (uint32_t i = 0; i < s->found.n; i++)
        if (dfr_str_eq(s->found.v[i]->id, w->id) && dfr_str_eq_ci(s->found.v[i]->name, w->name))
            return bytes_of(s, s->found.v[i], ret);
    if (!s->roots.n || s->found.n >= DFR_LIMIT_STORE_FILES)
        return false;
    struct dfr_store_found *f = DFR_NEW(s->arena, struct dfr_store_found);
    *f = (struct dfr_store_found){
        .name = dfr_str_dup(s->arena, w->name), .id = dfr_str_dup(s->arena, w->id), .fd = -1};
    dfr_arena_defer(s->arena, close_found, f);
    *DFR_PUSH(s->arena, &s->found) = f;
    search(s, w, f);
    return bytes_of(s, f, ret);
}

/* ---- Images ------------------------------------------------------------------------------------ */

/* Source: the documented layout of PE headers. Never the checksum: it differs between an image and
 * what a dump says of it once the file was signed (observed). */
static const char *not_image(struct dfr_store *s, const struct want *w, struct dfr_bytes *b)
{
    enum { E_LFANEW = 0x3C, STAMP = 8, SIZE_OF_IMAGE = 24 + 56 };
    uint32_t pe = 0, magic = 0, stamp = 0, size = 0;
    (void)s;
    if (!dfr_bytes_u32(b, E_LFANEW, &pe) || !dfr_bytes_u32(b, pe, &magic) || magic != 0x00004550 ||
        !dfr_bytes_u32(b, (uint64_t)pe + STAMP, &stamp) ||
        !dfr_bytes_u32(b, (uint64_t)pe + SIZE_OF_IMAGE, &size))
        return "it is no image";
    return stamp == w->stamp && size == w->size ? NULL : "it is an image of another build";
}

bool dfr_store_image(struct dfr_store *s, struct dfr_str file, uint32_t stamp, uint32_t size,
                     struct dfr_bytes *ret)
{
    struct want w = {.check = not_image, .stamp = stamp, .size = size};
    if (!dfr_store_name(file, &w.name))
        return false;
    w.id = image_id(s->arena, stamp, size);
    return find(s, &w, ret);
}

/* ---- PDBs -------------------------------------------------------------------------------------- */

static struct dfr_str pdb_id(struct dfr_arena *a, const uint8_t guid[16], uint32_t age)
{
    /* The first three numbers are little-endian in the file and are written as numbers. */
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    struct dfr_buf b;
    dfr_buf_init(&b, a);
    for (size_t i = 0; i < sizeof order; i++)
        dfr_buf_printf(&b, "%02X", guid[order[i]]);
    dfr_buf_printf(&b, "%X", age);
    return dfr_buf_text(&b);
}

struct dfr_str dfr_store_pdb_path(struct dfr_arena *a, struct dfr_str name, const uint8_t guid[16],
                                  uint32_t age)
{
    const struct dfr_str parts[] = {name, pdb_id(a, guid, age), name};
    return joined(a, parts, 3);
}

static const char *not_pdb(struct dfr_store *s, const struct want *w, struct dfr_bytes *b)
{
    struct dfr_pdb p;
    const char *problem;
    if (!dfr_pdb_open(&p, s->arena, b, &problem))
        return problem;
    if (memcmp(p.guid, w->guid, sizeof p.guid) != 0)
        return "it is the PDB of another build";
    return p.age == w->age ? NULL : "it is an earlier or later PDB of this build";
}

bool dfr_store_pdb(struct dfr_store *s, struct dfr_str file, const uint8_t guid[16], uint32_t age,
                   struct dfr_bytes *ret)
{
    struct want w = {.check = not_pdb, .guid = guid, .age = age};
    if (!dfr_store_name(file, &w.name))
        return false;
    w.id = pdb_id(s->arena, guid, age);
    return find(s, &w, ret);
}

/* ---- Files from elsewhere ----------------------------------------------------------------------- */

/* Every section that the headers name stands in the file. */
static bool whole_image(struct dfr_bytes *b)
{
    enum { E_LFANEW = 0x3C, SECTIONS = 6, OPTIONAL_SIZE = 20, OPTIONAL = 24, ROW = 40, RAW = 16 };
    uint32_t pe = 0, counts = 0, sizes = 0, size = 0, at = 0;
    if (!dfr_bytes_u32(b, E_LFANEW, &pe) || !dfr_bytes_u32(b, (uint64_t)pe + SECTIONS, &counts) ||
        !dfr_bytes_u32(b, (uint64_t)pe + OPTIONAL_SIZE, &sizes))
        return false;
    uint64_t row = (uint64_t)pe + OPTIONAL + (sizes & 0xFFFF);
    for (uint32_t i = 0; i < (counts & 0xFFFF); i++, row += ROW)
        if (!dfr_bytes_u32(b, row + RAW, &size) || !dfr_bytes_u32(b, row + RAW + 4, &at) ||
            (uint64_t)at + size > b->size)
            return false;
    return true;
}

static const char *check(struct dfr_arena *a, struct dfr_bytes *b, const struct want *w)
{
    struct dfr_store s = {.arena = a};
    struct dfr_bytes unpacked;
    struct dfr_span bytes;
    if (dfr_cab_is(b)) {
        if (!dfr_cab_unpack(a, b, &bytes))
            return "it is packed, and cannot be unpacked";
        dfr_bytes_memory(&unpacked, a, bytes);
        b = &unpacked;
    }
    const char *why = w->check(&s, w, b);
    return !why && !w->guid && !whole_image(b) ? "it is cut off" : why;
}

const char *dfr_store_check_image(struct dfr_arena *a, struct dfr_bytes *b, uint32_t stamp,
                                  uint32_t size)
{
    return check(a, b, &(struct want){.check = not_image, .stamp = stamp, .size = size});
}

const char *dfr_store_check_pdb(struct dfr_arena *a, struct dfr_bytes *b, const uint8_t guid[16],
                                uint32_t age)
{
    return check(a, b, &(struct want){.check = not_pdb, .guid = guid, .age = age});
}
