/* What an input is that is no debugger text: one row a format, one clear line for the user. */
#include <string.h>

#include "api/handle.h"
#include "dump/sniff.h"
#include "text/transcript.h"

enum advice { TO_UNPACK, NO_CRASH };
enum { TEXT_PROBE = 512 };

static const struct {
    uint16_t offset;
    const char *magic;
    uint8_t len;
    uint8_t advice;
    const char *what;
    bool letters; /* a text may begin like this: only with a NUL nearby is it the binary */
} formats[] = {
    {0, "MDMP", 4, NO_CRASH, "a user-mode minidump of one process, not a kernel crash", true},
    {0, "PK\x03\x04", 4, TO_UNPACK, "a zip archive", false},
    {0, "PK\x05\x06", 4, TO_UNPACK, "an empty zip archive", false},
    {0, "7z\xBC\xAF\x27\x1C", 6, TO_UNPACK, "a 7-Zip archive", false},
    {0, "MSCF", 4, TO_UNPACK, "a cabinet archive", true},
    {0, "\x1F\x8B", 2, TO_UNPACK, "a gzip file", false},
    {0, "BZh", 3, TO_UNPACK, "a bzip2 file", true},
    {0,
     "\xFD"
     "7zXZ\0",
     6, TO_UNPACK, "an xz file", false},
    {0, "\x28\xB5\x2F\xFD", 4, TO_UNPACK, "a zstd file", false},
    {0, "Rar!\x1A\x07", 6, TO_UNPACK, "a RAR archive", false},
    {257, "ustar", 5, TO_UNPACK, "a tar archive", false},
    {0, "MZ", 2, NO_CRASH, "a Windows program or driver", true},
    {0,
     "\x7F"
     "ELF",
     4, NO_CRASH, "an ELF program", false},
    {0, "ElfFile\0", 8, NO_CRASH, "a Windows event log", false},
    {0, "\x89PNG", 4, NO_CRASH, "a picture; text is needed, not a screenshot", false},
    {0, "\xFF\xD8\xFF", 3, NO_CRASH, "a picture; text is needed, not a screenshot", false},
    {0, "%PDF-", 5, NO_CRASH, "a PDF file; save its text", false},
};

enum dfr_status dfr_api_sniff(struct dfr_str path, struct dfr_str bytes, struct dfr_err *err)
{
    struct dfr_span s = {(const uint8_t *)bytes.p, bytes.len};
    int len = (int)path.len;
    if (bytes.len == 0)
        return dfr_fail(err, DFR_NOT_A_CRASH, "%.*s: is empty", len, path.p);
    bool has_nul = memchr(bytes.p, '\0', bytes.len < TEXT_PROBE ? bytes.len : TEXT_PROBE) != NULL;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct dfr_span field;
        const char *what = formats[i].what;
        if (!dfr_span_sub(s, formats[i].offset, formats[i].len, &field) ||
            memcmp(field.p, formats[i].magic, formats[i].len) != 0 ||
            (formats[i].letters && !has_nul))
            continue;
        switch ((enum advice)formats[i].advice) {
        case TO_UNPACK:
            return dfr_fail(err, DFR_UNSUPPORTED, "%.*s: is %s: unpack it first", len, path.p,
                            what);
        case NO_CRASH:
            return dfr_fail(err, DFR_NOT_A_CRASH, "%.*s: is %s", len, path.p, what);
        }
    }
    const char *memory = dfr_dump_other(s);
    if (memory)
        return dfr_fail(err, DFR_NOT_A_CRASH, "%.*s: %s", len, path.p, memory);
    if (!dfr_transcript_looks_like(s))
        return dfr_fail(err, DFR_NOT_A_CRASH, "%.*s: is no text", len, path.p);
    return DFR_OK;
}
