/* Measures the library through its public header; tests/bench/bench.py runs it and prints tables.
 * Looks behind an answer's handle for one thing only: how many rules were run for it.
 *     bench compile RULES CACHE          rules from text: compile, save, load again
 *     bench check CACHE TRANSCRIPT...    rules from the cache: read, match and write each transcript
 * Prints `name<TAB>number` lines: microseconds, bytes or counts. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "api/handle.h"

enum { LOADS = 20 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void print(const char *name, double value)
{
    printf("%s\t%.3f\n", name, value);
}

static void print_peak(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    print("peak_bytes", (double)r.ru_maxrss * 1024);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which `permille` of the sorted ones lie. */
static double quantile(const double *sorted, size_t n, size_t permille)
{
    return n ? sorted[(n - 1) * permille / 1000] : 0;
}

static int fail(const char *what, const dfr_error *e)
{
    fprintf(stderr, "bench: %s: %s\n", what, e->message);
    return 1;
}

static dfr_text text_of(const char *text)
{
    return (dfr_text){text, strlen(text)};
}

/* Load rules from `path`, or return NULL and say why. */
static dfr_rules *load(const char *path)
{
    dfr_error e = {0};
    dfr_rules *rules = NULL;
    dfr_text t = text_of(path);
    dfr_rules_options o = {.size = sizeof o};
    if (dfr_rules_load(&t, 1, &o, &rules, NULL, &e) != DFR_RESULT_OK) {
        fail(path, &e);
        return NULL;
    }
    return rules;
}

static int compile(const char *source, const char *cache)
{
    double start = now_us();
    dfr_rules *rules = load(source);
    if (!rules)
        return 1;
    print("compile_us", now_us() - start);
    print_peak();
    dfr_rules_info info = {.size = sizeof info};
    dfr_rules_describe(rules, &info);
    print("rules", info.rules);
    print("code_words", info.code_words);
    dfr_error e = {0};
    dfr_result saved = dfr_rules_save(rules, text_of(cache), &e);
    dfr_rules_free(rules);
    if (saved != DFR_RESULT_OK)
        return fail(cache, &e);
    double us[LOADS];
    for (size_t i = 0; i < LOADS; i++) {
        start = now_us();
        rules = load(cache);
        if (!rules)
            return 1;
        us[i] = now_us() - start;
        dfr_rules_free(rules);
    }
    qsort(us, LOADS, sizeof *us, by_value);
    print("load_us", quantile(us, LOADS, 500));
    return 0;
}

static bool read_file(const char *path, char **ret, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    long len = -1;
    char *bytes = NULL;
    if (fseek(f, 0, SEEK_END) == 0 && (len = ftell(f)) >= 0 && fseek(f, 0, SEEK_SET) == 0 &&
        (bytes = malloc((size_t)len + 1)) != NULL &&
        fread(bytes, 1, (size_t)len, f) != (size_t)len) {
        free(bytes);
        bytes = NULL;
    }
    fclose(f);
    *ret = bytes;
    *ret_len = (size_t)(len < 0 ? 0 : len);
    return bytes != NULL;
}

static int count_bytes(void *user, const char *p, size_t len)
{
    (void)p;
    *(size_t *)user += len;
    return 0;
}

struct measure {
    double *read_us, *match_us;
    double write_us;
    size_t bytes, json_bytes, spoke, candidates, fired;
};

static int one(const dfr_rules *rules, const char *path, size_t i, struct measure *m)
{
    dfr_error e = {0};
    char *bytes;
    size_t len;
    if (!read_file(path, &bytes, &len)) {
        perror(path);
        return 1;
    }
    dfr_input input = {.size = sizeof input, .path = path, .bytes = bytes, .len = len};
    dfr_crash *crash = NULL;
    dfr_answer *answer = NULL;
    double start = now_us();
    if (dfr_crash_open(&input, NULL, &crash, &e) != DFR_RESULT_OK) {
        free(bytes);
        return fail(path, &e);
    }
    double opened = now_us();
    int status = 0;
    if (dfr_check(rules, crash, NULL, &answer, &e) != DFR_RESULT_OK)
        status = fail(path, &e);
    double checked = now_us();
    if (!status && dfr_answer_write(answer, DFR_FORMAT_NDJSON, NULL, count_bytes, &m->json_bytes,
                                    &e) != DFR_RESULT_OK)
        status = fail(path, &e);
    m->write_us += now_us() - checked;
    m->read_us[i] = opened - start;
    m->match_us[i] = checked - opened;
    m->bytes += len;
    if (!status) {
        m->spoke += dfr_answer_strength(answer) > 0;
        m->candidates += answer->eval.candidates;
        for (uint32_t k = 0; k < answer->eval.hits.n; k++)
            m->fired += answer->eval.hits.v[k].status == DFR_HIT_FIRED;
    }
    dfr_answer_free(answer);
    dfr_crash_free(crash);
    free(bytes);
    return status;
}

static int check(const char *cache, char **paths, size_t n)
{
    dfr_rules *rules = load(cache);
    struct measure m = {.read_us = calloc(n + 1, sizeof(double)),
                        .match_us = calloc(n + 1, sizeof(double))};
    int status = rules && m.read_us && m.match_us ? 0 : 1;
    for (size_t i = 0; i < n && !status; i++)
        status = one(rules, paths[i], i, &m);
    if (!status) {
        double read_us = 0, match_us = 0;
        for (size_t i = 0; i < n; i++) {
            read_us += m.read_us[i];
            match_us += m.match_us[i];
        }
        qsort(m.match_us, n, sizeof(double), by_value);
        print("read_mb_s", read_us > 0 ? (double)m.bytes / read_us : 0);
        print("match_mean_us", n ? match_us / (double)n : 0);
        print("match_p50_us", quantile(m.match_us, n, 500));
        print("match_p99_us", quantile(m.match_us, n, 990));
        print("write_mean_us", n ? m.write_us / (double)n : 0);
        print("json_bytes", n ? (double)m.json_bytes / (double)n : 0);
        print("spoke", (double)m.spoke);
        print("candidates", n ? (double)m.candidates / (double)n : 0);
        print("fired", n ? (double)m.fired / (double)n : 0);
        print_peak();
    }
    free(m.read_us);
    free(m.match_us);
    dfr_rules_free(rules);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "compile") == 0)
        return compile(argv[2], argv[3]);
    if (argc >= 4 && strcmp(argv[1], "check") == 0)
        return check(argv[2], argv + 3, (size_t)(argc - 3));
    fputs("usage: bench compile RULES CACHE | bench check CACHE TRANSCRIPT...\n", stderr);
    return 3;
}
