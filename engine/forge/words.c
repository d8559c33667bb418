#include "forge/words.h"

#include <time.h>

void dfr_pen_address(struct dfr_pen *p, uint64_t va)
{
    if (p->f->x86)
        dfr_pen(p, "%08llx", DFR_LLX(va & UINT32_MAX));
    else
        dfr_pen(p, "%08llx`%08llx", DFR_LLX(va >> 32), DFR_LLX(va & UINT32_MAX));
}

void dfr_pen_plain(struct dfr_pen *p, uint64_t va)
{
    dfr_pen(p, p->f->x86 ? "%08llx" : "%016llx", DFR_LLX(p->f->x86 ? va & UINT32_MAX : va));
}

void dfr_pen_symbol(struct dfr_pen *p, uint64_t va)
{
    dfr_symbol_text(p->f, p->b, va);
}

void dfr_pen_prompt(struct dfr_pen *p, const char *command)
{
    if (p->f->processors.n > 1)
        dfr_pen(p, "\n%u: kd> %s\n", (unsigned)p->f->r.processors.crashing, command);
    else
        dfr_pen(p, "\nkd> %s\n", command);
}

void dfr_pen_date(struct dfr_pen *p, uint64_t seconds, bool thousandths)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm t;
    time_t when = (time_t)seconds;
    gmtime_r(&when, &t);
    dfr_pen(p, "%.3s %.3s %2d %02d:%02d:%02d%s %d", days + 3 * t.tm_wday, months + 3 * t.tm_mon,
            t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, thousandths ? ".000" : "", t.tm_year + 1900);
}
