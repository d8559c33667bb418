/* Secondary data of a dump: blobs with an id, in a chain behind the memory. Inside the dump layer. */
#ifndef DFR_DUMP_BLOB_H
#define DFR_DUMP_BLOB_H

#include "dump/reader.h"

enum { DFR_BLOB_ID_BYTES = 16 };

/* The bytes of a GUID as they stand in a file. */
#define DFR_GUID(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7)                                          \
    {                                                                                              \
        (uint8_t)(a), (uint8_t)((a) >> 8), (uint8_t)((a) >> 16), (uint8_t)((a) >> 24),             \
            (uint8_t)(b), (uint8_t)((b) >> 8), (uint8_t)(c), (uint8_t)((c) >> 8), d0, d1, d2, d3,  \
            d4, d5, d6, d7                                                                         \
    }

struct dfr_blob {
    uint8_t id[DFR_BLOB_ID_BYTES];
    uint64_t off; /* of its data in the file */
    uint32_t size;
};

/* The next blob of the chain; *at is 0 before the first. False: there is none behind it. */
bool dfr_blob_next(const struct dfr_dump *d, uint64_t *at, struct dfr_blob *ret);
/* The first blob of that id. */
bool dfr_blob_find(const struct dfr_dump *d, const uint8_t id[DFR_BLOB_ID_BYTES],
                   struct dfr_blob *ret);
/* A model-specific register that the chain holds; *ret_at: its record in the file. */
bool dfr_blob_register(const struct dfr_dump *d, uint32_t number, uint64_t *ret, uint64_t *ret_at);
/* {8-4-4-4-12} in lower case, as debuggers print it. */
enum { DFR_GUID_TEXT = 38 };
struct dfr_str dfr_guid_text(struct dfr_arena *a, const uint8_t id[DFR_BLOB_ID_BYTES]);

/* machine.c: the table of blobs, and what they say of the machine. */
void dfr_dump_machine(struct dfr_dump *d);

#endif
