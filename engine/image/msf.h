/* The container of PDB files: numbered streams, scattered over the blocks of a file. Only the list of
 * blocks is held in memory; streams are read where they stand.
 * Source: the documentation of the format by LLVM and the published reader; both agree. */
#ifndef DFR_IMAGE_MSF_H
#define DFR_IMAGE_MSF_H

#include "memory/bytes.h"

enum { DFR_MSF_NO_STREAM = 0xFFFF };

struct dfr_msf {
    struct dfr_bytes *file;
    uint32_t block;   /* bytes of one */
    uint32_t streams; /* how many; absent ones included */
    struct {
        uint32_t size;  /* bytes; 0 when absent */
        uint32_t first; /* of its blocks in `list` */
    } * stream;
    uint32_t *list; /* numbers of blocks, each inside the file */
};

/* Read the directory of streams. False: *ret_problem is one line. `file` must outlive *ret. */
bool dfr_msf_open(struct dfr_msf *ret, struct dfr_arena *a, struct dfr_bytes *file,
                  const char **ret_problem);
/* Bytes of a stream; 0 when there is none of that number. */
uint32_t dfr_msf_size(const struct dfr_msf *m, uint32_t stream);
/* Copy `len` bytes at `off` of a stream; false when not all of them can be had. */
bool dfr_msf_read(const struct dfr_msf *m, uint32_t stream, uint64_t off, void *buf, size_t len);
bool dfr_msf_u16(const struct dfr_msf *m, uint32_t stream, uint64_t off, uint16_t *ret);
bool dfr_msf_u32(const struct dfr_msf *m, uint32_t stream, uint64_t off, uint32_t *ret);

/* Reads a stream from front to back without a call a field. */
struct dfr_msf_walk {
    const struct dfr_msf *msf;
    uint32_t stream;
    uint64_t at, end; /* of what was not handed out yet, in the stream */
    uint8_t *buf;     /* DFR_MSF_WALK_BYTES, of the caller */
    uint64_t buf_at;  /* where in the stream the buffer begins */
    size_t buf_len;
};
enum { DFR_MSF_WALK_BYTES = 1 << 17 }; /* longer than any record: their lengths are u16 */

/* Walk [from, to) of a stream, cut to its size. */
void dfr_msf_walk(struct dfr_msf_walk *w, const struct dfr_msf *m, uint32_t stream, uint64_t from,
                  uint64_t to, uint8_t *buf);
/* The next record: u16 length of what follows, u16 kind, body. *ret is the body, valid until the
 * next call; *ret_at is where the record stands in the stream. False at the end, and at a record
 * that does not fit. */
bool dfr_msf_record(struct dfr_msf_walk *w, uint16_t *ret_kind, struct dfr_span *ret,
                    uint64_t *ret_at);

#endif
