/* forge: a dump or a transcript out of a recipe. */
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"

static int write_stdout(void *user, const char *p, size_t len)
{
    (void)user;
    return fwrite(p, 1, len, stdout) == len ? 0 : 1;
}

static int write_stderr(void *user, const char *p, size_t len)
{
    (void)user;
    return fwrite(p, 1, len, stderr) == len ? 0 : 1;
}

int dfr_cli_forge(const struct dfr_cli_options *o)
{
    if (o->operands.n != 1) {
        dfr_cli_say("forge needs one recipe, such as `dfrule forge crash.yaml -o crash.dmp`");
        return DFR_EXIT_USAGE;
    }
    bool text =
        o->kind && dfr_cli_text_of(o->kind).len == 4 && o->kind[0] == 't' && o->kind[1] == 'e';
    if (!o->save && !o->images && !text && isatty(STDOUT_FILENO)) {
        dfr_cli_say("a dump is no text: name a file with -o");
        return DFR_EXIT_USAGE;
    }
    dfr_input input = {.size = sizeof input, .path = o->operands.v[0]};
    dfr_forge_options options = {.size = sizeof options, .write = o->images ? NULL : write_stdout};
    if (o->kind)
        options.kind = dfr_cli_text_of(o->kind);
    if (o->save)
        options.path = dfr_cli_text_of(o->save);
    if (o->images)
        options.images = dfr_cli_text_of(o->images);
    dfr_diagnostics *diagnostics = NULL;
    dfr_error error = {.result = DFR_RESULT_OK, .message = ""};
    dfr_result r = dfr_forge(&input, &options, &diagnostics, &error);
    int code = r == DFR_RESULT_OK ? DFR_EXIT_OK : 0;
    if (diagnostics) {
        dfr_style style = {.size = sizeof style};
        dfr_error ignored;
        if (dfr_diagnostics_write(diagnostics, DFR_FORMAT_TEXT, &style, write_stderr, NULL,
                                  &ignored) != DFR_RESULT_OK)
            dfr_cli_say("%s", ignored.message);
    }
    if (r != DFR_RESULT_OK)
        code = dfr_cli_failed(&error);
    dfr_diagnostics_free(diagnostics);
    return code;
}
