/* Bug checks by code and by name. */
#include "facts/store.h"

static const struct dfr_bugcheck_info bugchecks[] = {
#define BUGCHECK(code, name, p1, p2, p3, p4) {(code), #name, {p1, p2, p3, p4}},
#include "facts/bugcheck.def"
#undef BUGCHECK
};

enum { BUGCHECKS = sizeof bugchecks / sizeof *bugchecks };

uint32_t dfr_bugcheck_code(uint32_t raw)
{
    return (raw & 0xF0000000) == 0x10000000 ? raw & 0x0FFFFFFF : raw;
}

const struct dfr_bugcheck_info *dfr_bugcheck_info(uint32_t code)
{
    size_t from = 0, to = BUGCHECKS;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (bugchecks[mid].code == code)
            return &bugchecks[mid];
        if (bugchecks[mid].code < code)
            from = mid + 1;
        else
            to = mid;
    }
    return NULL;
}

static const struct dfr_bugcheck_info *named(struct dfr_str name)
{
    for (size_t i = 0; i < BUGCHECKS; i++)
        if (dfr_str_eq_ci(dfr_str_from(bugchecks[i].name), name))
            return &bugchecks[i];
    return NULL;
}

const struct dfr_bugcheck_info *dfr_bugcheck_by_name(struct dfr_str name)
{
    const struct dfr_bugcheck_info *found = named(name);
    if (!found && dfr_str_ends_ci(name, DFR_STR("_M"))) /* the debugger's word for small dumps */
        found = named(dfr_str_slice(name, 0, name.len - 2));
    return found;
}

const struct dfr_bugcheck_info *dfr_bugcheck_rows(size_t *ret_n)
{
    *ret_n = BUGCHECKS;
    return bugchecks;
}
