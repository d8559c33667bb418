/* Damages files in every way that copying and disks do, and reads what is left through the public
 * header. A crash or a sanitizer report names the damage, so that it can be made again.
 *     damage cut STEP RULES FILE...           cut off after every STEP bytes
 *     damage flip COUNT SEED RULES FILE...    COUNT times: one to eight bytes changed
 * One case in CHECKED is also matched against the rules. Prints for each file the cases, the slowest
 * of them, and the most memory that one took. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dfrule.h"

enum { CHECKED = 16, MEMORY = 256 << 20, SECONDS = 10 };

/* What a crash or an alarm reports. */
static char damage[256];

static void report(int number)
{
    static const char text[] = "\ndamage: stopped at: ";
    ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);
    n += write(STDERR_FILENO, damage, strlen(damage));
    n += write(STDERR_FILENO, "\n", 1);
    (void)n;
    signal(number, SIG_DFL);
    raise(number);
}

/* ---- Memory that is counted ---------------------------------------------------------------- */

struct counted {
    size_t now, most;
};

static void *take(void *user, size_t size)
{
    enum { HEAD = 16 };
    struct counted *c = user;
    if (size > SIZE_MAX - HEAD)
        return NULL;
    size_t *p = malloc(size + HEAD);
    if (!p)
        return NULL;
    *p = size;
    c->now += size;
    if (c->now > c->most)
        c->most = c->now;
    return (char *)p + HEAD;
}

static void give(void *user, void *q)
{
    enum { HEAD = 16 };
    struct counted *c = user;
    if (!q)
        return;
    size_t *p = (size_t *)((char *)q - HEAD);
    c->now -= *p;
    free(p);
}

/* ---- One case ------------------------------------------------------------------------------ */

static int swallow(void *user, const char *p, size_t len)
{
    (void)user;
    (void)p;
    (void)len;
    return 0;
}

struct totals {
    size_t cases, read; /* `read`: gave facts */
    double slowest;
    char slowest_case[sizeof damage];
    size_t most_memory;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* others may use the machine as well */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void one(const dfr_rules *rules, const void *bytes, size_t len, struct totals *t)
{
    struct counted memory = {0};
    dfr_crash_options options = {.size = sizeof options, .memory = {take, give, &memory, MEMORY}};
    dfr_input input = {.size = sizeof input, .path = "damaged", .bytes = bytes, .len = len};
    dfr_crash *crash = NULL;
    dfr_answer *answer = NULL;
    double start = now();
    alarm(SECONDS);
    if (dfr_crash_open(&input, &options, &crash, NULL) == DFR_RESULT_OK) {
        t->read++;
        dfr_result result =
            dfr_crash_write_facts(crash, 0, DFR_FORMAT_NDJSON, NULL, swallow, NULL, NULL);
        if (result == DFR_RESULT_OK && t->cases % CHECKED == 0 &&
            dfr_check(rules, crash, NULL, &answer, NULL) == DFR_RESULT_OK)
            result = dfr_answer_write(answer, DFR_FORMAT_TEXT, NULL, swallow, NULL, NULL);
        dfr_answer_free(answer);
        dfr_crash_free(crash);
        if (result == DFR_RESULT_INTERNAL)
            abort();
    }
    alarm(0);
    double took = now() - start;
    t->cases++;
    if (took > t->slowest) {
        t->slowest = took;
        memcpy(t->slowest_case, damage, sizeof damage);
    }
    if (memory.most > t->most_memory)
        t->most_memory = memory.most;
}

/* ---- Damage -------------------------------------------------------------------------------- */

static uint64_t next(uint64_t *seed) /* splitmix64 */
{
    uint64_t z = (*seed += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

static void cut(const dfr_rules *rules, const char *path, const uint8_t *bytes, size_t len,
                size_t step, struct totals *t)
{
    for (size_t n = 0; n < len; n += step) {
        snprintf(damage, sizeof damage, "%s cut to %zu bytes", path, n);
        uint8_t *part = malloc(n ? n : 1); /* of its own, so that a sanitizer sees its end */
        if (!part)
            return;
        memcpy(part, bytes, n);
        one(rules, part, n, t);
        free(part);
    }
}

/* Half of the bytes changed stand in the headers, where the structure is. */
static void flip(const dfr_rules *rules, const char *path, uint8_t *bytes, size_t len, size_t count,
                 uint64_t seed, struct totals *t)
{
    enum { MOST = 8, HEADERS = 0x4000 };
    for (size_t i = 0; i < count; i++) {
        uint64_t state = seed + i;
        size_t at[MOST], n = 1 + next(&state) % MOST;
        uint8_t old[MOST];
        snprintf(damage, sizeof damage, "%s flipped with seed %llu", path,
                 (unsigned long long)(seed + i));
        for (size_t k = 0; k < n; k++) {
            static const uint8_t telling[] = {0x00, 0xFF, 0x7F, 0x80};
            uint64_t r = next(&state);
            size_t within = r & 1 && len > HEADERS ? HEADERS : len;
            at[k] = (size_t)(next(&state) % within);
            old[k] = bytes[at[k]];
            bytes[at[k]] = r & 2 ? telling[r >> 8 & 3] : (uint8_t)(r >> 16);
        }
        one(rules, bytes, len, t);
        while (n--)
            bytes[at[n]] = old[n];
    }
}

/* ---- The command --------------------------------------------------------------------------- */

static uint8_t *read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long len;
    if (f && fseek(f, 0, SEEK_END) == 0 && (len = ftell(f)) > 0 && fseek(f, 0, SEEK_SET) == 0 &&
        (bytes = malloc((size_t)len)) != NULL && fread(bytes, 1, (size_t)len, f) == (size_t)len) {
        *ret_len = (size_t)len;
    } else {
        free(bytes);
        bytes = NULL;
    }
    if (f)
        fclose(f);
    return bytes;
}

static int usage(void)
{
    fputs("usage: damage cut STEP RULES FILE...\n"
          "       damage flip COUNT SEED RULES FILE...\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    bool cuts = argc > 4 && strcmp(argv[1], "cut") == 0;
    bool flips = argc > 5 && strcmp(argv[1], "flip") == 0;
    if (!cuts && !flips)
        return usage();
    size_t number = strtoul(argv[2], NULL, 0);
    uint64_t seed = flips ? strtoull(argv[3], NULL, 0) : 0;
    if (!number)
        return usage();
    int from = cuts ? 3 : 4;
    dfr_error e = {0};
    dfr_rules *rules = NULL;
    dfr_text path = {argv[from], strlen(argv[from])};
    if (dfr_rules_load(&path, 1, NULL, &rules, NULL, &e) != DFR_RESULT_OK) {
        fprintf(stderr, "damage: %s\n", e.message);
        return 1;
    }
    signal(SIGABRT, report);
    signal(SIGALRM, report);
    signal(SIGSEGV, report);
    for (int i = from + 1; i < argc; i++) {
        size_t len = 0;
        uint8_t *bytes = read_file(argv[i], &len);
        if (!bytes) {
            fprintf(stderr, "damage: %s: cannot be read\n", argv[i]);
            return 1;
        }
        struct totals t = {0};
        if (cuts)
            cut(rules, argv[i], bytes, len, number, &t);
        else
            flip(rules, argv[i], bytes, len, number, seed, &t);
        printf("%s: %zu cases, %zu gave facts, slowest %.1f ms (%s), at most %.1f MiB\n", argv[i],
               t.cases, t.read, t.slowest * 1e3, t.slowest_case, (double)t.most_memory / (1 << 20));
        fflush(stdout);
        free(bytes);
    }
    dfr_rules_free(rules);
    return 0;
}
