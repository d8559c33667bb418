/* First bytes of inputs that are memory in one way or another, and which dumps are read. */
#include "dump/sniff.h"

#include <stdio.h>
#include <string.h>

#define HIBERNATION                                                                                \
    "is a hibernation file, not a crash dump: the system slept, it did not crash; crashes are in " \
    "C:\\Windows\\Minidump and C:\\Windows\\MEMORY.DMP"
#define MACHINE                                                                                    \
    "is the saved state of a virtual machine, not a crash dump: let the crashed Windows write "    \
    "one, or open the state in a debugger and give its text"

/* Magics: documented formats, or their public readers. */
static const struct {
    const char *magic;
    uint8_t len;
    const char *what;
} others[] = {
    {"MDMP\x93\xA7", 6,
     "is a user-mode minidump of one process, not a kernel crash: take the file from "
     "C:\\Windows\\Minidump, or C:\\Windows\\MEMORY.DMP"},
    {"hibr", 4, HIBERNATION},
    {"HIBR", 4, HIBERNATION},
    {"wake", 4, HIBERNATION},
    {"WAKE", 4, HIBERNATION},
    {"rstr", 4, HIBERNATION},
    {"RSTR", 4, HIBERNATION},
    {"EMiL", 4,
     "is a raw memory image, not a crash dump: it holds no bug check; convert it with its own tool "
     "and open it in a debugger"},
    {"\xD0\xBE\xD2\xBE", 4, MACHINE},
    {"\xD1\xBA\xD1\xBA", 4, MACHINE},
    {"\xD2\xBE\xD2\xBE", 4, MACHINE},
    {"\xD3\xBE\xD2\xBE", 4, MACHINE},
};

bool dfr_dump_looks_like(struct dfr_span first)
{
    return first.len >= 8 &&
           (memcmp(first.p, "PAGEDU64", 8) == 0 || memcmp(first.p, "PAGEDUMP", 8) == 0);
}

const char *dfr_dump_other(struct dfr_span first)
{
    struct dfr_span s;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (dfr_span_sub(first, 0, others[i].len, &s) &&
            memcmp(s.p, others[i].magic, others[i].len) == 0 &&
            memchr(first.p, 0, first.len < DFR_SNIFF_BYTES ? first.len : DFR_SNIFF_BYTES))
            return others[i].what; /* without a NUL it is a text that begins like one */
    if (first.len < DFR_SNIFF_BYTES)
        return NULL;
    for (size_t i = 0; i < DFR_SNIFF_BYTES; i++)
        if (first.p[i])
            return NULL;
    return "begins with nothing but zeros: a copy that failed, or a raw memory image: copy the "
           "dump again "
           "from the crashed system";
}

enum dfr_status dfr_dump_readable(const struct dfr_container *c, struct dfr_err *err)
{
    uint64_t build = 0, code = 0;
    bool has_build = dfr_container_field(c, DFR_HEADER_BUILD, &build);
    bool has_code = dfr_container_field(c, DFR_HEADER_CODE, &code);
    char crash[64] = "";
    if (has_build && has_code)
        snprintf(crash, sizeof crash, ", build %u, bug check 0x%X", (unsigned)build,
                 (unsigned)code);
    if (c->encrypted)
        return dfr_fail(err, DFR_UNSUPPORTED,
                        "is an encrypted kernel dump (%s%s): decrypt it with the key of its "
                        "system first",
                        dfr_machine_name(c->machine), crash);
    return DFR_OK;
}
