/* DFR_LIMIT_* from limits.def. */
#ifndef DFR_BASE_LIMITS_H
#define DFR_BASE_LIMITS_H

#define LIMIT(name, value, what) DFR_LIMIT_##name = (value),
enum dfr_limit {
#include "base/limits.def"
};
#undef LIMIT

#endif
