/* A Windows kernel dump as a container: its header, its kind, and what lies behind the header.
 * Source of all offsets: public SDK headers, public parsers that agree, and observed dumps. */
#ifndef DFR_MEMORY_CONTAINER_H
#define DFR_MEMORY_CONTAINER_H

#include "base/diag.h"
#include "memory/bytes.h"

enum { DFR_HEADER64_SIZE = 0x2000, DFR_HEADER32_SIZE = 0x1000 };

#define HEADER_FIELD(id, off64, size64, off32, size32, meaning) DFR_HEADER_##id,
enum dfr_header_field {
#include "memory/header.def"
    DFR_HEADER_COUNT
};
#undef HEADER_FIELD

/* How the memory is stored. The magic behind the header decides over the type in the header. */
enum dfr_form {
    DFR_FORM_UNKNOWN,
    DFR_FORM_FULL,    /* runs of pages listed in the header */
    DFR_FORM_SUMMARY, /* kernel dump of Windows 7 and older, with a bitmap */
    DFR_FORM_HEADER,  /* header alone */
    DFR_FORM_TRIAGE,  /* small dump */
    DFR_FORM_BITMAP,  /* kernel, active or complete memory with a bitmap, since Windows 8 */
    DFR_FORM_RDMP,    /* ranges of pages, as recent debuggers write */
};

enum dfr_machine { DFR_MACHINE_OTHER, DFR_MACHINE_X64, DFR_MACHINE_ARM64, DFR_MACHINE_X86 };

struct dfr_container {
    struct dfr_bytes *bytes;
    struct dfr_span header;
    bool wide; /* 64-bit header */
    enum dfr_form form;
    enum dfr_machine machine;
    uint32_t dump_type;
    bool conflict;  /* the type in the header is not what follows it */
    bool encrypted; /* the memory is encrypted */
};

/* Read the header. DFR_NOT_A_CRASH with one line (without the path) when the input is no kernel
 * dump, DFR_UNSUPPORTED when it ends inside its header. */
enum dfr_status dfr_container_open(struct dfr_container *c, struct dfr_bytes *r,
                                   struct dfr_err *err) __attribute__((warn_unused_result));
/* A header field; false when the writer never filled it (the fill pattern stands there). */
bool dfr_container_field(const struct dfr_container *c, enum dfr_header_field field, uint64_t *ret);
/* Where a field stands in the file. */
void dfr_container_where(const struct dfr_container *c, enum dfr_header_field field,
                         uint64_t *ret_begin, uint64_t *ret_end);
const char *dfr_form_name(enum dfr_form form);
const char *dfr_machine_name(enum dfr_machine machine);

#endif
