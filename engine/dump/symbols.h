/* Images and symbol files of a dump's modules, found when they are first asked for. They have memory of
 * their own and a lock, so that what nobody asked for while the dump was opened may be asked for
 * later, from any thread. */
#ifndef DFR_DUMP_SYMBOLS_H
#define DFR_DUMP_SYMBOLS_H

#include "dump/dump.h"
#include "dump/reader.h"
#include "facts/view.h"
#include "image/pdb.h"
#include "image/pe.h"

/* Give `d` its symbols: its store, and `types`, which answers symbol() and member() from symbol files
 * for as long as the arena of `d` lives. */
void dfr_symbols_open(struct dfr_dump *d, struct dfr_str symbol_path);
/* The dump is read: what is asked for from here on may not end the one who asks when memory ends. */
void dfr_symbols_ready(struct dfr_dump *d);

/* While the dump is read: the image of a module, from a store (its base is that of the module) or,
 * when none has it, as it stands in memory; NULL: neither. */
const struct dfr_pe *dfr_symbols_image(struct dfr_dump *d, const struct dfr_image *image);

/* Which build's PDB a module wants, as its image says; NONE: *ret is set, its path may be empty. */
enum dfr_reason dfr_symbols_wanted(struct dfr_dump *d, const struct dfr_image *image,
                                   struct dfr_pe_debug *ret);
/* Which symbols were loaded: an enum dfr_symbols of the facts. */
uint32_t dfr_symbols_loaded(struct dfr_dump *d, const struct dfr_image *image);
/* What is at hand for a module. */
struct dfr_symbols_have {
    bool image, pdb;
};
struct dfr_symbols_have dfr_symbols_have(struct dfr_dump *d, const struct dfr_image *image);

/* The function or variable that an address belongs to. */
struct dfr_symbol {
    struct dfr_str name; /* as debuggers print it */
    uint64_t offset;     /* of the address from its start */
    bool exported;       /* known by an export alone */
};
/* `returns`: a call returns there, so the symbol is that of the byte before. False: not known. */
bool dfr_symbols_at(struct dfr_dump *d, uint64_t address, bool returns, struct dfr_symbol *ret);

/* wanted.c: after the names. */
void dfr_dump_wanted(struct dfr_dump *d, struct dfr_wanted *ret);
/* names.c: names into the facts, once all addresses are there. */
void dfr_dump_names(struct dfr_dump *d);

#endif
