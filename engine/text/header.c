/* The header block of a session: which dump, which system, when. */
#include "text/dates.h"
#include "text/sections.h"

#include <string.h>

/* `Loading Dump File [C:\x.dmp]` begins a crash when the one at hand has something already. */
uint32_t dfr_tx_loading(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Loading Dump File");
    if (!n)
        return dfr_tx_noise(r, i);
    dfr_tx_stack_close(r);
    if (r->c->evidence || r->c->dump_files)
        dfr_tx_crash_begin(r, i);
    r->c->dump_files++;
    r->out = DFR_OUT_NONE;
    r->command = DFR_NO_WORD;
    uint32_t end = i + n;
    while (end < r->words.n && end - i < 24 && !dfr_tx_bol(r, end)) {
        struct dfr_str s = dfr_tx_text(r, end++);
        if (s.p[s.len - 1] == ']')
            break;
    }
    return end;
}
