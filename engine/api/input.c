/* Where the bytes of an input come from, and what identifies them. */
#include <sodium.h>
#include <string.h>

#include "api/handle.h"
#include "base/limits.h"

/* ---- Callbacks ----------------------------------------------------------------------------- */

struct callback {
    dfr_read_at_fn read;
    void *user;
};

static bool call(void *user, uint64_t off, void *buf, size_t len)
{
    const struct callback *c = user;
    return c->read(c->user, off, buf, len) == 0;
}

static void open_callback(struct dfr_bytes *b, struct dfr_arena *a, const dfr_input *input)
{
    struct callback *c = DFR_NEW(a, struct callback);
    *c = (struct callback){input->read, input->read_user};
    dfr_bytes_callback(b, a, input->read_size, call, c);
}

/* ---- Opening ------------------------------------------------------------------------------- */

enum dfr_status dfr_input_open(struct dfr_arena *a, const dfr_input *input, struct dfr_str path,
                               struct dfr_bytes *ret, bool *ret_open, struct dfr_err *err)
{
    *ret_open = true;
    if (input->bytes) {
        dfr_bytes_memory(ret, a, (struct dfr_span){input->bytes, input->len});
        return DFR_OK;
    }
    if (input->read) {
        open_callback(ret, a, input);
        return DFR_OK;
    }
    int *fd;
    enum dfr_status status = dfr_api_open(a, path, &fd, err);
    *ret_open = status == DFR_OK && *fd >= 0 && dfr_bytes_fd(ret, a, fd);
    return status;
}

static enum dfr_status too_large(struct dfr_str path, uint64_t most, struct dfr_err *err)
{
    return dfr_fail(err, DFR_LIMIT, "%.*s: larger than %llu bytes", (int)path.len, path.p,
                    (unsigned long long)most);
}

enum dfr_status dfr_input_whole(struct dfr_arena *a, const dfr_input *input, struct dfr_str path,
                                uint64_t most, struct dfr_str *ret, struct dfr_err *err)
{
    uint64_t size = input->bytes ? input->len : input->read_size;
    if (!input->bytes && !input->read)
        return dfr_api_read(a, path, most, ret, err);
    if (size > most)
        return too_large(path, most, err);
    if (input->bytes) {
        *ret = (struct dfr_str){dfr_arena_copy(a, input->bytes, input->len), input->len};
        return DFR_OK;
    }
    char *p = dfr_arena_alloc(a, (size_t)size + 1);
    if (size && input->read(input->read_user, 0, p, (size_t)size) != 0)
        return dfr_fail(err, DFR_IO, "%.*s: cannot be read", (int)path.len, path.p);
    *ret = (struct dfr_str){p, (size_t)size};
    return DFR_OK;
}

/* ---- Identity ------------------------------------------------------------------------------ */

static bool sha256(struct dfr_arena *a, struct dfr_bytes *b, struct dfr_str *ret)
{
    enum { CHUNK = 1 << 16 };
    uint8_t *buf = dfr_arena_raw(a, CHUNK);
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (uint64_t at = 0; at < b->size;) {
        size_t n = b->size - at < CHUNK ? (size_t)(b->size - at) : CHUNK;
        if (!dfr_bytes_copy(b, at, buf, n))
            return false;
        crypto_hash_sha256_update(&state, buf, n);
        at += n;
    }
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    *ret = dfr_str_dup(a, (struct dfr_str){hex, sizeof hex - 1});
    return true;
}

struct dfr_report_input dfr_api_input(const dfr_crash *c, uint32_t index, struct dfr_arena *a)
{
    struct dfr_report_input in = {.path = c->path,
                                  .kind = c->kind,
                                  .size = c->bytes->size,
                                  .crashes = c->crashes,
                                  .crash_count = c->count,
                                  .crash = index};
    if (!a)
        return in;
    if (c->bytes->size > DFR_LIMIT_HASHED_BYTES)
        in.sha256_reason = DFR_STR("the input is too large to read it whole");
    else if (!sha256(a, c->bytes, &in.sha256))
        in.sha256_reason = DFR_STR("the input cannot be read to its end");
    return in;
}
