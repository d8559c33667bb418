/* What an input is that is no debugger text: one row a format, one clear line for the user. */
#include <string.h>

#include "api/handle.h"
#include "dump/sniff.h"
#include "text/transcript.h"

enum { TEXT_PROBE = 512 };

/* What to do about it. */
#define UNPACK "unpack it and give the dump or the text that is in it"
#define PICTURE "text is needed, not a screenshot"
#define MACHINE                                                                                    \
    "let the crashed Windows write a dump (C:\\Windows\\MEMORY.DMP or C:\\Windows\\Minidump), "    \
    "or open the state in a debugger and give its text"

static const struct {
    uint16_t offset;
    const char *magic;
    uint8_t len;
    bool packed;  /* there may be a dump inside */
    bool letters; /* a text may begin like this: only with a NUL nearby is it the binary */
    const char *what, *advice;
} formats[] = {
    {0, "MDMP", 4, false, true, "a user-mode minidump of one process, not a kernel crash",
     "the dumps of the system lie in C:\\Windows\\Minidump and C:\\Windows\\MEMORY.DMP"},
    {0, "PK\x03\x04", 4, true, false, "a zip archive", UNPACK},
    {0, "PK\x05\x06", 4, true, false, "an empty zip archive", NULL},
    {0, "7z\xBC\xAF\x27\x1C", 6, true, false, "a 7-Zip archive", UNPACK},
    {0, "MSCF", 4, true, true, "a cabinet archive", UNPACK},
    {0, "\x1F\x8B", 2, true, false, "a gzip file", UNPACK},
    {0, "BZh", 3, true, true, "a bzip2 file", UNPACK},
    {0,
     "\xFD"
     "7zXZ\0",
     6, true, false, "an xz file", UNPACK},
    {0, "\x28\xB5\x2F\xFD", 4, true, false, "a zstd file", UNPACK},
    {0, "\x04\x22\x4D\x18", 4, true, false, "an LZ4 file", UNPACK},
    {0, "Rar!\x1A\x07", 6, true, false, "a RAR archive", UNPACK},
    {257, "ustar", 5, true, false, "a tar archive", UNPACK},
    {0, "MSWIM\0\0\0", 8, true, false, "a Windows image archive", UNPACK},
    {0, "EVF\x09\x0D\x0A\xFF", 7, false, false, "a forensic image of a disk or of memory", MACHINE},
    {0, "MZ", 2, false, true, "a Windows program or driver", NULL},
    {0,
     "\x7F"
     "ELF",
     4, false, false, "an ELF program", NULL},
    {0,
     "\x7F"
     "VirtualBox SavedState",
     22, false, false, "the saved state of a virtual machine", MACHINE},
    {0, "QEVM", 4, false, true, "the saved state of a virtual machine", MACHINE},
    {0, "LibvirtQemudSave", 16, false, true, "the saved state of a virtual machine", MACHINE},
    {0, "KDMV", 4, false, true, "a disk of a virtual machine", MACHINE},
    {0, "vhdxfile", 8, false, true, "a disk of a virtual machine", MACHINE},
    {0, "conectix", 8, false, true, "a disk of a virtual machine", MACHINE},
    {0, "QFI\xFB", 4, false, false, "a disk of a virtual machine", MACHINE},
    {0, "ElfFile\0", 8, false, false, "a Windows event log",
     "it tells that the system crashed, the dump tells why"},
    {0, "regf", 4, false, true, "a registry hive", NULL},
    {0, "SQLite format 3\0", 16, false, false, "a database", NULL},
    {0, "\x89PNG", 4, false, false, "a picture", PICTURE},
    {0, "\xFF\xD8\xFF", 3, false, false, "a picture", PICTURE},
    {0, "GIF8", 4, false, true, "a picture", PICTURE},
    {0, "%PDF-", 5, false, false, "a PDF file", "save its text"},
};

/* The name of the first file in a zip archive, or of what a gzip file was made from; empty: not said.
 * Documented (APPNOTE, RFC 1952). */
static struct dfr_str packed_name(struct dfr_span s)
{
    enum { ZIP_LEN = 26, ZIP_NAME = 30, GZIP_FLAGS = 3, GZIP_NAME = 10, NAMED = 8, EXTRA = 4 };
    enum { MOST = 100 };
    struct dfr_span name = {0};
    uint16_t len;
    uint8_t flags;
    if (s.len && s.p[0] == 'P' && dfr_span_u16le(s, ZIP_LEN, &len) && len <= MOST) {
        (void)dfr_span_sub(s, ZIP_NAME, len, &name);
    } else if (s.len && s.p[0] == 0x1F && dfr_span_u8(s, GZIP_FLAGS, &flags) &&
               (flags & (NAMED | EXTRA)) == NAMED && s.len > GZIP_NAME) {
        const uint8_t *p = s.p + GZIP_NAME, *end = memchr(p, 0, s.len - GZIP_NAME);
        if (end && end - p <= MOST)
            name = (struct dfr_span){p, (size_t)(end - p)};
    }
    return (struct dfr_str){(const char *)name.p, name.len};
}

static bool is_core(struct dfr_span s)
{
    enum { TYPE = 16, CORE = 4 };
    uint16_t type;
    return s.len > 4 &&
           memcmp(s.p,
                  "\x7F"
                  "ELF",
                  4) == 0 &&
           dfr_span_u16le(s, TYPE, &type) && type == CORE;
}

enum dfr_status dfr_api_sniff(struct dfr_str path, struct dfr_str bytes, struct dfr_err *err)
{
    struct dfr_span s = {(const uint8_t *)bytes.p, bytes.len};
    int len = (int)path.len;
    if (bytes.len == 0)
        return dfr_fail(err, DFR_NOT_A_CRASH, "%.*s: is empty", len, path.p);
    if (is_core(s))
        return dfr_fail(err, DFR_NOT_A_CRASH, "%.*s: is memory in an ELF core file: %s", len,
                        path.p, MACHINE);
    bool has_nul = memchr(bytes.p, '\0', bytes.len < TEXT_PROBE ? bytes.len : TEXT_PROBE) != NULL;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct dfr_span field;
        const char *what = formats[i].what, *advice = formats[i].advice;
        if (!dfr_span_sub(s, formats[i].offset, formats[i].len, &field) ||
            memcmp(field.p, formats[i].magic, formats[i].len) != 0 ||
            (formats[i].letters && !has_nul))
            continue;
        enum dfr_status status = formats[i].packed ? DFR_UNSUPPORTED : DFR_NOT_A_CRASH;
        struct dfr_str inside = packed_name(s);
        if (formats[i].packed && advice && inside.len)
            return dfr_fail(err, status, "%.*s: is %s with %.*s in it: unpack it first", len,
                            path.p, what, (int)inside.len, inside.p);
        return dfr_fail(err, status, "%.*s: is %s%s%s", len, path.p, what, advice ? ": " : "",
                        advice ? advice : "");
    }
    const char *memory = dfr_dump_other(s);
    if (memory)
        return dfr_fail(err, DFR_NOT_A_CRASH, "%.*s: %s", len, path.p, memory);
    if (!dfr_transcript_looks_like(s))
        return dfr_fail(err, DFR_NOT_A_CRASH, "%.*s: is no text, and no kernel dump either", len,
                        path.p);
    return DFR_OK;
}
