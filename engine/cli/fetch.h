/* Files of a symbol server into a store on this machine. Nothing here runs unless a user asked for it. */
#ifndef DFR_CLI_FETCH_H
#define DFR_CLI_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "dfrule.h"

enum dfr_fetched {
    DFR_FETCH_DONE,
    DFR_FETCH_ABSENT,       /* the server does not have it: noted beside its place */
    DFR_FETCH_KNOWN_ABSENT, /* a note says so; the server was not asked */
    DFR_FETCH_FAILED,       /* `message` says why */
};

struct dfr_fetch {
    const char *server; /* address without a slash at its end */
    const char *store;  /* folder */
    bool retry;         /* ask also where a note says that the server has it not */
    bool progress;      /* say how far it is, on a terminal */
    char message[8192];
    uint64_t bytes; /* of the last file that was fetched */
    void *curl;
};

/* False: the library that fetches cannot be had; `message` says why. */
bool dfr_fetch_init(struct dfr_fetch *f);
void dfr_fetch_deinit(struct dfr_fetch *f);
/* Fetch one file into STORE/NAME/ID/NAME (or NA/NAME/ID/NAME where the store has an extra tier). It
 * appears there whole and checked, or not at all; what an interrupted transfer has left is gone on
 * with. */
enum dfr_fetched dfr_fetch_file(struct dfr_fetch *f, const dfr_symbol_file *file);

#endif
