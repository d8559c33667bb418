/* Prints what the engine reads in a PDB, for tests that compare it with other readers.
 *     pdbprint head FILE              GUID, age, machine, number of sections and symbols
 *     pdbprint symbols FILE           each symbol: address, kind, size, name as it stands there
 *     pdbprint names FILE             the same with names as debuggers print them
 *     pdbprint members FILE <PATHS    type or type, tab, member a line: offset, size, place and number of bits
 *     pdbprint at FILE <ADDRESSES     the symbol that each address belongs to, and the distance */
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/pdb_types.h"

static int failed(const char *path, const char *problem)
{
    fprintf(stderr, "%s: %s\n", path, problem);
    return 1;
}

static int head(struct dfr_pdb *p, const char *path)
{
    for (size_t i = 0; i < sizeof p->guid; i++)
        printf("%02x", p->guid[i]);
    printf(" %u %x %u", p->age, p->machine, p->sections.n);
    if (!dfr_pdb_read_symbols(p))
        return failed(path, p->symbols_problem);
    printf(" %u\n", p->entry_count);
    return 0;
}

static int symbols(struct dfr_pdb *p, const char *path, bool plain)
{
    static const char *const kinds[] = {"public", "function", "data"};
    if (!dfr_pdb_read_symbols(p))
        return failed(path, p->symbols_problem);
    for (uint32_t i = 0; i < p->entry_count; i++) {
        struct dfr_pdb_symbol s = dfr_pdb_symbol_of(p, i);
        struct dfr_str name = plain ? dfr_pdb_plain_name(p->arena, p->machine, s.name) : s.name;
        printf("%08x %s %x ", s.rva, kinds[s.kind], s.size);
        fwrite(name.p, 1, name.len, stdout);
        putchar('\n');
    }
    return 0;
}

static int members(struct dfr_pdb *p)
{
    char line[512];
    static const char *const answers[] = {"found", "no types", "no type", "no member", "odd"};
    while (fgets(line, sizeof line, stdin)) {
        struct dfr_str text = dfr_str_trim(dfr_str_from(line)), path = DFR_STR("");
        size_t space = dfr_str_find(text, DFR_STR("\t"));
        struct dfr_pdb_member m;
        if (space != SIZE_MAX)
            path = dfr_str_slice(text, space + 1, text.len);
        enum dfr_pdb_answer a = dfr_pdb_member(p, dfr_str_slice(text, 0, space), path, &m);
        printf("%.*s\t", (int)text.len, text.p);
        if (a == DFR_PDB_FOUND)
            printf("%llu %llu %u %u\n", (unsigned long long)m.offset, (unsigned long long)m.size,
                   m.bit_at, m.bit_size);
        else
            printf("%s\n", answers[a]);
    }
    return 0;
}

static int at(struct dfr_pdb *p, const char *path)
{
    unsigned address;
    if (!dfr_pdb_read_symbols(p))
        return failed(path, p->symbols_problem);
    while (scanf("%x", &address) == 1) {
        struct dfr_pdb_symbol s;
        uint32_t distance;
        if (!dfr_pdb_at(p, address, &s, &distance)) {
            printf("%x none\n", address);
            continue;
        }
        struct dfr_str name = dfr_pdb_plain_name(p->arena, p->machine, s.name);
        printf("%x %x %.*s\n", address, distance, (int)name.len, name.p);
    }
    return 0;
}

static int run(struct dfr_arena *a, int argc, char **argv)
{
    struct dfr_bytes b;
    struct dfr_pdb p;
    const char *problem = NULL;
    int fd = argc >= 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
    if (argc < 3)
        return failed("pdbprint", "needs a word and a file");
    if (fd < 0 || !dfr_bytes_fd(&b, a, &fd))
        return failed(argv[2], "cannot be read");
    int code;
    if (!dfr_pdb_open(&p, a, &b, &problem))
        code = failed(argv[2], problem);
    else if (strcmp(argv[1], "head") == 0)
        code = head(&p, argv[2]);
    else if (strcmp(argv[1], "members") == 0)
        code = members(&p);
    else if (strcmp(argv[1], "at") == 0)
        code = at(&p, argv[2]);
    else
        code = symbols(&p, argv[2], strcmp(argv[1], "names") == 0);
    close(fd);
    return code;
}

int main(int argc, char **argv)
{
    struct dfr_mem mem;
    struct dfr_arena arena;
    jmp_buf guard;
    dfr_mem_init(&mem, NULL, 0);
    dfr_arena_init(&arena, &mem);
    mem.guard = &guard;
    if (setjmp(guard)) /* what the arena holds goes with the process */
        return failed("pdbprint", "no memory");
    int code = run(&arena, argc, argv);
    dfr_arena_deinit(&arena);
    return code;
}
