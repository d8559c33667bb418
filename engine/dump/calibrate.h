/* Inside the dump layer only. */
#ifndef DFR_DUMP_CALIBRATE_H
#define DFR_DUMP_CALIBRATE_H

#include "dump/reader.h"

/* Tell what the freeze state of the processors probably is; `own` crashed. False: nothing to tell. */
bool dfr_dump_calibrate(struct dfr_dump *d, const struct dfr_processor *own);

#endif
