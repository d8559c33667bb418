/* Crashes out of recipes. */
#include <string.h>

#include "api/handle.h"
#include "base/limits.h"

struct forge_args {
    struct dfr_scratch *scratch;
    const dfr_input *input;
    const dfr_forge_options *options;
    struct dfr_diags diags;
};

/* The number of a kind, DFR_FORGE_KINDS for the transcript; -1: there is no such kind. */
static int kind_of(dfr_text word)
{
    struct dfr_str s = dfr_str_of(word);
    if (!s.len)
        return DFR_FORGE_TRIAGE;
    for (int i = 0; i < DFR_FORGE_KINDS; i++)
        if (dfr_str_eq(s, dfr_str_from(dfr_forge_kind_word((enum dfr_forge_kind)i))))
            return i;
    return dfr_str_eq(s, DFR_STR("text")) ? DFR_FORGE_KINDS : -1;
}

/* Hand out a file piece by piece, holes as zeros. */
static enum dfr_status emit(const struct dfr_forge_file *f, const dfr_forge_options *o,
                            struct dfr_err *err)
{
    static const char zeros[4096];
    uint64_t at = 0;
    for (uint32_t i = 0; at < f->size; i++) {
        uint64_t next = i < f->n && f->v[i].at < f->size ? f->v[i].at : f->size;
        while (at < next) {
            size_t n = next - at < sizeof zeros ? (size_t)(next - at) : sizeof zeros;
            if (o->write(o->user, zeros, n))
                return dfr_fail(err, DFR_IO, "writing was stopped");
            at += n;
        }
        if (at >= f->size)
            break;
        size_t len = f->v[i].len < f->size - at ? f->v[i].len : (size_t)(f->size - at);
        if (len && o->write(o->user, (const char *)f->v[i].p, len))
            return dfr_fail(err, DFR_IO, "writing was stopped");
        at += len;
    }
    return DFR_OK;
}

static enum dfr_status images(struct dfr_arena *a, struct dfr_str path, struct dfr_str text,
                              struct forge_args *in, struct dfr_err *err)
{
    struct dfr_forge_images images;
    enum dfr_status status = dfr_forge_images(a, path, text, &in->diags, &images, err);
    for (uint32_t i = 0; status == DFR_OK && i < images.n; i++) {
        struct dfr_buf b;
        dfr_buf_init(&b, a);
        dfr_buf_str(&b, dfr_str_of(in->options->images));
        dfr_buf_char(&b, '/');
        dfr_buf_str(&b, images.v[i].path);
        status = dfr_api_make_folders(a, dfr_buf_text(&b), err);
        if (status == DFR_OK)
            status = dfr_api_write_pieces(a, dfr_buf_text(&b), &images.v[i].file, err);
    }
    return status;
}

static enum dfr_status forge_body(void *args, struct dfr_err *err)
{
    struct forge_args *in = args;
    struct dfr_arena *a = &in->scratch->arena;
    const dfr_forge_options *o = in->options;
    struct dfr_str path = dfr_str_from(in->input->path ? in->input->path : "-");
    struct dfr_str text = {in->input->bytes, in->input->len};
    int kind = kind_of(o->kind);
    enum dfr_status status = DFR_OK;
    dfr_diags_init(&in->diags, a);
    if (!in->input->bytes)
        status = dfr_api_read(a, path, DFR_LIMIT_SOURCE_BYTES, &text, err);
    if (status != DFR_OK)
        return status;
    if (o->images.len) {
        status = images(a, path, text, in, err);
        if (status != DFR_OK || (!o->path.len && !o->write))
            return status;
    }
    if (kind == DFR_FORGE_KINDS) {
        struct dfr_buf b;
        dfr_api_buf(&b, a);
        status = dfr_forge_text(a, path, text, &in->diags, &b, err);
        if (status != DFR_OK)
            return status;
        return o->path.len ? dfr_api_write_file(a, dfr_str_of(o->path), dfr_buf_text(&b), err)
                           : dfr_api_emit(&b, o->write, o->user, err);
    }
    struct dfr_forge_file f;
    status = dfr_forge_dump(a, path, text, (enum dfr_forge_kind)kind, &in->diags, &f, err);
    if (status != DFR_OK)
        return status;
    return o->path.len ? dfr_api_write_pieces(a, dfr_str_of(o->path), &f, err) : emit(&f, o, err);
}

dfr_result dfr_forge(const dfr_input *recipe, const dfr_forge_options *options,
                     dfr_diagnostics **ret_diagnostics, dfr_error *error)
{
    dfr_input input;
    dfr_forge_options o;
    if (!dfr_api_options(&input, sizeof input, recipe, error) ||
        !dfr_api_options(&o, sizeof o, options, error))
        return DFR_RESULT_MISUSE;
    if (!input.bytes && !input.path)
        return dfr_api_fail(error, DFR_RESULT_MISUSE, "no recipe is named");
    if (kind_of(o.kind) < 0)
        return dfr_api_fail(error, DFR_RESULT_MISUSE, "there is no kind `%.*s` of dump",
                            (int)o.kind.len, o.kind.p);
    if (!o.path.len && !o.write && !o.images.len)
        return dfr_api_fail(error, DFR_RESULT_MISUSE, "there is nowhere to write the dump to");
    struct dfr_scratch s;
    dfr_scratch_init(&s, &o.memory);
    struct forge_args args = {.scratch = &s, .input = &input, .options = &o};
    dfr_result result = dfr_api_run(&s.mem, forge_body, &args, error);
    if (ret_diagnostics && (result == DFR_RESULT_OK || result == DFR_RESULT_BAD_RULES)) {
        *ret_diagnostics = dfr_diagnostics_new(&args.diags, &o.memory);
        if (!*ret_diagnostics)
            result = dfr_api_fail(error, DFR_RESULT_NO_MEMORY, "out of memory");
    }
    dfr_scratch_deinit(&s);
    return result;
}
