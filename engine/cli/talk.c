#include "cli/talk.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/options.h"

void *dfr_cli_alloc(void *old, size_t n, size_t size)
{
    size_t total;
    void *p = __builtin_mul_overflow(n, size, &total) ? NULL : realloc(old, total ? total : 1);
    if (!p) {
        fputs("dfrule: out of memory\n", stderr);
        exit(DFR_EXIT_INTERNAL);
    }
    return p;
}

void dfr_cli_text_add(struct dfr_cli_text *t, const char *p, size_t len)
{
    if (t->cap - t->len <= len) {
        size_t cap = t->cap ? t->cap : 256;
        while (cap - t->len <= len)
            cap *= 2;
        t->p = dfr_cli_alloc(t->p, cap, 1);
        t->cap = cap;
    }
    if (len)
        memcpy(t->p + t->len, p, len);
    t->len += len;
    t->p[t->len] = '\0';
}

void dfr_cli_text_z(struct dfr_cli_text *t, const char *z)
{
    dfr_cli_text_add(t, z, strlen(z));
}

static void text_vprintf(struct dfr_cli_text *t, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len > 0) {
        char *p = dfr_cli_alloc(NULL, (size_t)len + 1, 1);
        vsnprintf(p, (size_t)len + 1, format, again);
        dfr_cli_text_add(t, p, (size_t)len);
        free(p);
    }
    va_end(again);
}

void dfr_cli_text_printf(struct dfr_cli_text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vprintf(t, format, args);
    va_end(args);
}

/* Bytes of the well-formed UTF-8 sequence at p, 0 when there is none; its code point in *ret. */
static size_t utf8(const unsigned char *p, size_t len, uint32_t *ret)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (n == 0 || n > len)
        return 0;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *ret = c;
    return n;
}

static bool drives_terminals(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void dfr_cli_text_safe(struct dfr_cli_text *t, const char *p, size_t len)
{
    const unsigned char *u = (const unsigned char *)p;
    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t n = utf8(u + i, len - i, &c);
        if (n && !drives_terminals(c)) {
            dfr_cli_text_add(t, p + i, n);
            i += n;
            continue;
        }
        for (size_t end = i + (n ? n : 1); i < end; i++)
            dfr_cli_text_printf(t, "\\x%02x", (unsigned)u[i]);
    }
}

void dfr_cli_text_json(struct dfr_cli_text *t, const char *p, size_t len)
{
    const unsigned char *u = (const unsigned char *)p;
    dfr_cli_text_z(t, "\"");
    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t n = utf8(u + i, len - i, &c);
        if (n == 0)
            dfr_cli_text_z(t, "\xEF\xBF\xBD");
        else if (c == '"' || c == '\\')
            dfr_cli_text_printf(t, "\\%c", (char)c);
        else if (c < 0x10000 && drives_terminals(c))
            dfr_cli_text_printf(t, "\\u%04x", (unsigned)c);
        else
            dfr_cli_text_add(t, p + i, n);
        i += n ? n : 1;
    }
    dfr_cli_text_z(t, "\"");
}

void dfr_cli_text_free(struct dfr_cli_text *t)
{
    free(t->p);
    *t = (struct dfr_cli_text){0};
}

/* ---- Standard error ------------------------------------------------------------------------ */

static struct {
    pthread_mutex_t lock;
    bool wanted, shown;
    size_t done, total;
    const char *what;
    struct timespec begun, last;
} progress = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void write_all(const char *p, size_t len)
{
    if (progress.shown) {
        fputs("\r\033[K", stderr);
        progress.shown = false;
    }
    fwrite(p, 1, len, stderr);
    fflush(stderr);
}

void dfr_cli_tell(const char *p, size_t len)
{
    pthread_mutex_lock(&progress.lock);
    write_all(p, len);
    pthread_mutex_unlock(&progress.lock);
}

void dfr_cli_say(const char *format, ...)
{
    struct dfr_cli_text raw = {0}, line = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&raw, format, args);
    va_end(args);
    dfr_cli_text_z(&line, "dfrule: ");
    dfr_cli_text_safe(&line, raw.p ? raw.p : "", raw.len);
    dfr_cli_text_z(&line, "\n");
    dfr_cli_tell(line.p, line.len);
    dfr_cli_text_free(&raw);
    dfr_cli_text_free(&line);
}

bool dfr_cli_is_terminal(FILE *f)
{
    const char *term = getenv("TERM");
    return isatty(fileno(f)) && term && strcmp(term, "dumb") != 0;
}

int dfr_cli_columns(FILE *f)
{
    struct winsize size = {0};
    if (!isatty(fileno(f)))
        return 80;
    if (ioctl(fileno(f), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    long n = columns ? strtol(columns, NULL, 10) : 0;
    return n >= 20 && n <= 1000 ? (int)n : 80;
}

static double seconds_between(struct timespec a, struct timespec b)
{
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

void dfr_cli_progress_begin(bool wanted, size_t total, const char *what)
{
    pthread_mutex_lock(&progress.lock);
    progress.wanted = wanted && total > 1 && dfr_cli_is_terminal(stderr);
    progress.shown = false;
    progress.done = 0;
    progress.total = total;
    progress.what = what;
    clock_gettime(CLOCK_MONOTONIC, &progress.begun);
    progress.last = progress.begun;
    pthread_mutex_unlock(&progress.lock);
}

void dfr_cli_progress_step(void)
{
    pthread_mutex_lock(&progress.lock);
    progress.done++;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double spent = seconds_between(progress.begun, now);
    if (progress.wanted && spent > 1.0 && seconds_between(progress.last, now) > 0.1) {
        progress.last = now;
        double left = spent / (double)progress.done * (double)(progress.total - progress.done);
        fprintf(stderr, "\r\033[Kdfrule: %zu of %zu %s, %.0f s left", progress.done, progress.total,
                progress.what, left);
        fflush(stderr);
        progress.shown = true;
    }
    pthread_mutex_unlock(&progress.lock);
}

void dfr_cli_progress_end(void)
{
    pthread_mutex_lock(&progress.lock);
    progress.wanted = false;
    write_all("", 0);
    pthread_mutex_unlock(&progress.lock);
}
