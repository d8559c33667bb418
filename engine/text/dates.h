/* Dates as debuggers print them, with the stamp or the zone that makes them exact. */
#ifndef DFR_TEXT_DATES_H
#define DFR_TEXT_DATES_H

#include "text/reader.h"

struct dfr_date {
    int64_t printed; /* seconds since 1970 as if the printed time were UTC */
    bool has_printed;
    bool has_zone;
    int64_t zone_s; /* what to subtract from `printed` to get UTC */
    bool has_stamp;
    uint64_t stamp; /* the 32 bits in parentheses */
    bool hash;      /* the debugger says that the stamp is a build hash */
};

/* `Wed Feb 01 19:15:24 2012`, `Mon Jul  9 01:32:50.747 2012 (UTC + 2:00)`, `... (4F298FBC)`,
 * `98F9EEE3 (This is a reproducible build file hash, not a timestamp)`, `unavailable (00000000)`.
 * Number of words, or 0. */
uint32_t dfr_tx_date(const struct dfr_reader *r, uint32_t i, struct dfr_date *ret);
/* Link time and stamp cells from a date. */
void dfr_tx_put_built(struct dfr_reader *r, uint32_t built, uint32_t stamp, uint32_t row,
                      const struct dfr_date *d, uint32_t first, uint32_t last);
/* The value of a date: exact with its stamp or zone, else within 14 hours. */
struct dfr_value dfr_tx_date_value(const struct dfr_date *d);
/* `0 days 5:25:46.965` in milliseconds; number of words, or 0. */
uint32_t dfr_tx_uptime(const struct dfr_reader *r, uint32_t i, int64_t *ret_ms);

#endif
