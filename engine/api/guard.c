#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handle.h"
#include "base/limits.h"

static const dfr_result results[] = {
    [DFR_OK] = DFR_RESULT_OK,
    [DFR_NO_MEMORY] = DFR_RESULT_NO_MEMORY,
    [DFR_IO] = DFR_RESULT_IO,
    [DFR_NOT_A_CRASH] = DFR_RESULT_NOT_A_CRASH,
    [DFR_BAD_RULES] = DFR_RESULT_BAD_RULES,
    [DFR_BAD_CACHE] = DFR_RESULT_BAD_CACHE,
    [DFR_LIMIT] = DFR_RESULT_LIMIT,
    [DFR_MISUSE] = DFR_RESULT_MISUSE,
    [DFR_INTERNAL] = DFR_RESULT_INTERNAL,
    [DFR_UNSUPPORTED] = DFR_RESULT_UNSUPPORTED,
};

/* Paths and names in a message come from outside: no control characters, no torn last character. */
static void copy_message(char *to, size_t size, const char *from)
{
    size_t n = 0;
    for (; *from; from++) {
        unsigned char c = (unsigned char)*from;
        bool control = c < 0x20 || c == 0x7F;
        size_t need = control ? 4 : 1;
        if (n + need + 1 > size)
            break;
        if (control)
            n += (size_t)snprintf(to + n, size - n, "\\x%02x", c);
        else
            to[n++] = (char)c;
    }
    if (*from)
        while (n && ((unsigned char)to[n - 1] & 0xC0) == 0x80)
            n--;
    if (*from && n && (unsigned char)to[n - 1] >= 0xC0)
        n--;
    to[n] = '\0';
}

dfr_result dfr_api_fail(dfr_error *error, dfr_result result, const char *format, ...)
{
    if (!error)
        return result;
    char message[sizeof error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    error->result = result;
    copy_message(error->message, sizeof error->message, message);
    return result;
}

static enum dfr_status guarded(struct dfr_mem *mem, dfr_api_body body, void *args,
                               struct dfr_err *err)
{
    jmp_buf guard;
    jmp_buf *outer = mem->guard;
    enum dfr_status status;
    mem->guard = &guard;
    if (setjmp(guard) == 0)
        status = body(args, err);
    else
        status =
            dfr_fail(err, DFR_NO_MEMORY,
                     mem->limit ? "out of memory, or past the limit of %zu bytes" : "out of memory",
                     mem->limit);
    mem->guard = outer;
    return status;
}

dfr_result dfr_api_run(struct dfr_mem *mem, dfr_api_body body, void *args, dfr_error *error)
{
    struct dfr_err err = {.status = DFR_OK, .message = ""};
    enum dfr_status status = guarded(mem, body, args, &err);
    if (status == DFR_OK)
        return DFR_RESULT_OK;
    return dfr_api_fail(error, results[status], "%s", err.message);
}

bool dfr_api_options(void *ret, size_t size, const void *given, dfr_error *error)
{
    memset(ret, 0, size);
    if (given) {
        size_t have;
        memcpy(&have, given, sizeof have);
        if (have < sizeof have) {
            dfr_api_fail(error, DFR_RESULT_MISUSE, "an option struct does not say its size");
            return false;
        }
        memcpy(ret, given, have < size ? have : size);
    }
    memcpy(ret, &size, sizeof size);
    return true;
}

static void *plain_alloc(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static void plain_free(void *user, void *p)
{
    (void)user;
    free(p);
}

static void mem_init(struct dfr_mem *m, const dfr_memory *memory)
{
    struct dfr_allocator host = {memory->alloc, memory->free, memory->user};
    dfr_mem_init(m, &host, memory->limit);
}

void *dfr_handle_new(size_t size, const dfr_memory *memory, dfr_error *error, dfr_result *ret)
{
    dfr_memory m = *memory;
    if (!m.alloc != !m.free) {
        *ret = dfr_api_fail(error, DFR_RESULT_MISUSE, "memory: alloc and free belong together");
        return NULL;
    }
    if (!m.alloc) {
        m.alloc = plain_alloc;
        m.free = plain_free;
    }
    struct dfr_handle *h = m.alloc(m.user, size);
    if (!h) {
        *ret = dfr_api_fail(error, DFR_RESULT_NO_MEMORY, "out of memory");
        return NULL;
    }
    memset(h, 0, size);
    h->memory = m;
    mem_init(&h->mem, &m);
    dfr_arena_init(&h->arena, &h->mem);
    atomic_init(&h->refs, 1);
    return h;
}

void dfr_handle_keep(struct dfr_handle *h)
{
    atomic_fetch_add_explicit(&h->refs, 1, memory_order_relaxed);
}

bool dfr_handle_drop(struct dfr_handle *h)
{
    return atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) == 1;
}

void dfr_handle_free(struct dfr_handle *h)
{
    dfr_memory m = h->memory;
    dfr_arena_deinit(&h->arena);
    m.free(m.user, h);
}

void dfr_scratch_init(struct dfr_scratch *s, const dfr_memory *memory)
{
    mem_init(&s->mem, memory);
    dfr_arena_init(&s->arena, &s->mem);
    dfr_arena_init(&s->work, &s->mem);
}

void dfr_scratch_deinit(struct dfr_scratch *s)
{
    dfr_arena_deinit(&s->work);
    dfr_arena_deinit(&s->arena);
}

void dfr_api_buf(struct dfr_buf *b, struct dfr_arena *a)
{
    dfr_buf_init(b, a);
    b->most = DFR_LIMIT_OUTPUT_BYTES;
}

enum dfr_status dfr_api_emit(const struct dfr_buf *b, dfr_write_fn write, void *user,
                             struct dfr_err *err)
{
    if (b->cut)
        return dfr_fail(err, DFR_LIMIT, "the output is longer than %u bytes",
                        (unsigned)DFR_LIMIT_OUTPUT_BYTES);
    struct dfr_str text = dfr_buf_text(b);
    if (text.len && write(user, text.p, text.len) != 0)
        return dfr_fail(err, DFR_IO, "the output could not be written");
    return DFR_OK;
}

struct dfr_report_style dfr_api_style(const dfr_style *style)
{
    dfr_style s;
    if (!dfr_api_options(&s, sizeof s, style, NULL))
        memset(&s, 0, sizeof s);
    return (struct dfr_report_style){.color = s.color != 0,
                                     .ascii = s.ascii != 0,
                                     .verbose = s.verbose != 0,
                                     .all = s.all != 0,
                                     .columns = s.columns > 0 ? (uint32_t)s.columns : 0};
}

bool dfr_api_format_ok(dfr_format format, dfr_error *error)
{
    if (format == DFR_FORMAT_TEXT || format == DFR_FORMAT_JSON || format == DFR_FORMAT_NDJSON)
        return true;
    dfr_api_fail(error, DFR_RESULT_MISUSE, "no such output format: %d", (int)format);
    return false;
}
