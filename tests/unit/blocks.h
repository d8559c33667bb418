/* Cases in a text file. A block is
 *
 *     === name
 *     input, any lines
 *     --- expected
 *     what must come out
 *
 * Lines before the first `===` are prose. With DFR_BLESS set, the file is rewritten with what came
 * out, for review. */
#ifndef DFR_TESTS_BLOCKS_H
#define DFR_TESTS_BLOCKS_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
    char *name, *input, *expected;
    int line;
};

static char *read_whole(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f, "cannot open %s", path);
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    char *s = calloc(1, (size_t)n + 2);
    size_t got = fread(s, 1, (size_t)n, f);
    fclose(f);
    if (ret_len)
        *ret_len = got;
    return s;
}

/* Copy of lines [from, to). */
static char *cut(const char *from, const char *to)
{
    char *s = calloc(1, (size_t)(to - from) + 1);
    memcpy(s, from, (size_t)(to - from));
    return s;
}

static struct block *read_blocks(const char *text, int *ret_n)
{
    struct block *v = NULL;
    int n = 0, line = 0;
    const char *input = NULL, *split = NULL, *split_end = NULL;
    for (const char *p = text;;) {
        const char *end = *p ? strchr(p, '\n') : p;
        end = end ? end : p + strlen(p);
        bool head = strncmp(p, "=== ", 4) == 0;
        line++;
        if ((head || !*p) && input) {
            struct block *b = &v[n - 1];
            b->input = cut(input, split ? split : p);
            b->expected = split ? cut(split_end, p) : cut(p, p);
            input = split = NULL;
        }
        if (!*p)
            break;
        if (head) {
            v = realloc(v, sizeof *v * (size_t)(n + 1));
            v[n++] = (struct block){.name = cut(p + 4, end), .line = line};
            input = *end ? end + 1 : end;
        } else if (input && !split && strncmp(p, "--- expected", 12) == 0) {
            split = p;
            split_end = *end ? end + 1 : end;
        }
        p = *end ? end + 1 : end;
    }
    *ret_n = n;
    return v;
}

/* Run every block of a file through `run`, which returns text from malloc. */
static void check_blocks(const char *path, char *(*run)(const struct block *))
{
    size_t len;
    char *text = read_whole(path, &len);
    int n;
    struct block *v = read_blocks(text, &n);
    cr_assert(n > 0, "%s has no blocks", path);
    bool bless = getenv("DFR_BLESS") != NULL;
    FILE *out = NULL;
    if (bless) {
        out = fopen(path, "wb");
        fwrite(text, 1, (size_t)(strstr(text, "=== ") - text), out);
    }
    for (int i = 0; i < n; i++) {
        char *got = run(&v[i]);
        if (out)
            fprintf(out, "=== %s\n%s--- expected\n%s", v[i].name, v[i].input, got);
        else
            cr_expect_str_eq(got, v[i].expected, "%s:%d %s\n--- got\n%s--- expected\n%s", path,
                             v[i].line, v[i].name, got, v[i].expected);
        free(got);
        free(v[i].name);
        free(v[i].input);
        free(v[i].expected);
    }
    if (out)
        fclose(out);
    free(v);
    free(text);
}

#endif
