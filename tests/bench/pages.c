/* Measures the list of pages of a dump with a bitmap, and page table walks over it; tests/bench/bench.py
 * runs it and prints a table.
 *     pages GIB          a machine with so much memory, half of its pages stored
 *     pages check CACHE DUMP     open, check and answer for a dump, and how much of it that reads
 * The first dump is not there as a file: its header and bitmap are made up, and pages are made when they are
 * read. Prints `name<TAB>number` lines: microseconds, nanoseconds or bytes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dfrule.h"
#include "memory/space.h"

enum { HEAD = 0x2000, MAP = 0x38, LOOKUPS = 1000000, WALKS = 100000, CHECKS = 20 };

struct made_up {
    uint8_t *front; /* header and bitmap */
    uint64_t front_len;
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static uint64_t seed = 88172645463325252;
static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static void put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Behind the bitmap every entry of every page leads to page 0, so that all walks succeed. */
static bool give(void *user, uint64_t off, void *buf, size_t len)
{
    const struct made_up *m = user;
    for (size_t i = 0; i < len; i++, off++)
        ((uint8_t *)buf)[i] = off < m->front_len ? m->front[off] : off % 8 == 0 ? 0x63 : 0;
    return true;
}

static bool make(struct made_up *m, uint64_t gib, uint64_t *ret_size)
{
    uint64_t pages = gib << 18, bitmap = pages / 8, stored = 0;
    m->front_len = (HEAD + MAP + bitmap + 4095) / 4096 * 4096;
    m->front = calloc(1, m->front_len);
    if (!m->front)
        return false;
    for (size_t i = 0; i < HEAD; i += 4)
        memcpy(m->front + i, "PAGE", 4);
    memcpy(m->front, "PAGEDU64", 8);
    put(m->front + 0x10, 0, 8);
    put(m->front + 0x30, 0x8664, 4);
    put(m->front + 0xF98, 5, 4);
    memcpy(m->front + HEAD, "FDMPDUMP", 8);
    put(m->front + HEAD + 0x20, m->front_len, 8);
    put(m->front + HEAD + 0x30, pages, 8);
    for (uint64_t i = 0; i < bitmap; i += 8) {
        uint64_t word = next() | (i == 0); /* page 0 is the root */
        stored += (uint64_t)__builtin_popcountll(word);
        put(m->front + HEAD + MAP + i, word, 8);
    }
    put(m->front + HEAD + 0x28, stored, 8);
    *ret_size = m->front_len + stored * 4096;
    return true;
}

static void measure(struct dfr_arena *a, struct made_up *m, uint64_t gib, uint64_t size)
{
    struct dfr_bytes b;
    struct dfr_container c;
    struct dfr_pages p;
    struct dfr_diags diags;
    struct dfr_err err;
    uint64_t off, len, found = 0, u;
    dfr_diags_init(&diags, a);
    dfr_bytes_memory(&b, a, (struct dfr_span){m->front, m->front_len});
    b.size = size; /* the pages behind it are not read yet */
    if (dfr_container_open(&c, &b, &err) != DFR_OK)
        exit(1);
    double start = now_us();
    if (!dfr_pages_open(&p, a, &c, &diags) || !p.whole)
        exit(1);
    printf("index_us\t%.1f\n", now_us() - start);
    printf("index_bytes\t%llu\n", (unsigned long long)(p.bits / 8 + p.bits / 64));
    start = now_us();
    for (unsigned i = 0; i < LOOKUPS; i++)
        found += dfr_pages_at(&p, (next() % (gib << 18)) << 12, &off, &len) == DFR_REASON_NONE;
    printf("lookup_ns\t%.1f\n", (now_us() - start) * 1000 / LOOKUPS);
    dfr_bytes_callback(&b, a, size, give, m);
    struct dfr_paging paging = {.pages = &p, .root = 0, .mode = DFR_PAGING_X64};
    struct dfr_space s = {.bytes = &b};
    dfr_space_paging(&s, &paging);
    start = now_us();
    for (unsigned i = 0; i < WALKS; i++)
        found += dfr_space_u64(&s, next() % (UINT64_C(1) << 47) & ~UINT64_C(7), &u);
    printf("walk_ns\t%.1f\n", (now_us() - start) * 1000 / WALKS);
    printf("found\t%llu\n", (unsigned long long)found);
}

struct counted {
    int fd;
    uint64_t bytes;
};

static int read_counted(void *user, uint64_t offset, void *buf, size_t len)
{
    struct counted *c = user;
    c->bytes += len;
    return pread(c->fd, buf, len, (off_t)offset) == (ssize_t)len ? 0 : 1;
}

static int nothing(void *user, const char *p, size_t len)
{
    (void)user;
    (void)p;
    (void)len;
    return 0;
}

static int check_once(const dfr_rules *rules, struct counted *c, uint64_t size)
{
    dfr_input in = {
        .size = sizeof in, .path = "dump", .read = read_counted, .read_user = c, .read_size = size};
    dfr_crash *crash = NULL;
    dfr_answer *answer = NULL;
    int ret = dfr_crash_open(&in, NULL, &crash, NULL) ||
              dfr_check(rules, crash, NULL, &answer, NULL) ||
              dfr_answer_write(answer, DFR_FORMAT_TEXT, NULL, nothing, NULL, NULL);
    dfr_answer_free(answer);
    dfr_crash_free(crash);
    return ret;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int check(const char *cache, const char *dump)
{
    dfr_text path = {cache, strlen(cache)};
    dfr_rules *rules = NULL;
    dfr_error error;
    struct counted c = {.fd = open(dump, O_RDONLY | O_CLOEXEC)};
    struct stat st;
    double took[CHECKS];
    int ret = c.fd < 0 || fstat(c.fd, &st) != 0 ||
              dfr_rules_load(&path, 1, NULL, &rules, NULL, &error) != DFR_RESULT_OK ||
              check_once(rules, &c, (uint64_t)st.st_size);
    for (unsigned i = 0; !ret && i < CHECKS; i++) {
        double start = now_us();
        c.bytes = 0;
        ret = check_once(rules, &c, (uint64_t)st.st_size);
        took[i] = now_us() - start;
    }
    if (!ret) {
        qsort(took, CHECKS, sizeof *took, by_value);
        printf("check_us\t%.1f\n", took[CHECKS / 2]);
        printf("read_bytes\t%llu\n", (unsigned long long)c.bytes);
    }
    dfr_rules_free(rules);
    if (c.fd >= 0)
        close(c.fd);
    return ret;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "check") == 0)
        return check(argv[2], argv[3]);
    struct dfr_mem mem;
    struct dfr_arena arena;
    jmp_buf guard;
    struct made_up m = {0};
    uint64_t gib = argc > 1 ? strtoull(argv[1], NULL, 10) : 0, size;
    if (!gib || gib > 4096 || !make(&m, gib, &size))
        return 2;
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    dfr_arena_init(&arena, &mem);
    volatile int ret = 1; /* set again after a jump */
    if (!setjmp(guard)) {
        measure(&arena, &m, gib, size);
        ret = 0;
    }
    dfr_arena_deinit(&arena);
    free(m.front);
    return ret;
}
