/* Reading dates. A debugger prints times in its own zone and seldom says which. */
#include "text/dates.h"

#include <string.h>

enum { ZONE_DOUBT_S = 14 * 3600 };

static bool number_at(struct dfr_str s, size_t *i, int64_t *ret, size_t most)
{
    size_t from = *i;
    int64_t v = 0;
    while (*i < s.len && s.p[*i] >= '0' && s.p[*i] <= '9' && *i - from < most)
        v = v * 10 + (s.p[(*i)++] - '0');
    *ret = v;
    return *i > from;
}

/* `19:15:24` with or without a fraction, which is returned in milliseconds. */
static bool clock_time(struct dfr_str s, int64_t *ret_s, int64_t *ret_ms)
{
    size_t i = 0;
    int64_t h, m, sec, ms = 0;
    if (!number_at(s, &i, &h, 2) || i >= s.len || s.p[i++] != ':' || !number_at(s, &i, &m, 2) ||
        i >= s.len || s.p[i++] != ':' || !number_at(s, &i, &sec, 2) || h > 23 || m > 59 || sec > 60)
        return false;
    if (i < s.len && s.p[i] == '.') {
        i++;
        number_at(s, &i, &ms, 3);
    }
    *ret_s = h * 3600 + m * 60 + sec;
    *ret_ms = ms;
    return i == s.len || s.p[i] == ',' || s.p[i] == ';';
}

static int month_of(struct dfr_str s)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (s.len != 3)
        return 0;
    for (int m = 0; m < 12; m++)
        if (memcmp(s.p, names + 3 * m, 3) == 0)
            return m + 1;
    return 0;
}

static bool is_weekday(struct dfr_str s)
{
    static const char names[] = "MonTueWedThuFriSatSun";
    if (s.len != 3)
        return false;
    for (int d = 0; d < 7; d++)
        if (memcmp(s.p, names + 3 * d, 3) == 0)
            return true;
    return false;
}

/* `(UTC + 2:00)`, `(UTC - 5:00)`, `(GMT-3)`, `(GMT+01:00)`: words taken, or 0. */
static uint32_t zone(const struct dfr_reader *r, uint32_t i, int64_t *ret_s)
{
    struct dfr_str s = dfr_tx_text(r, i);
    if (!dfr_str_starts(s, DFR_STR("(UTC")) && !dfr_str_starts(s, DFR_STR("(GMT")))
        return 0;
    uint32_t end = i;
    while (end < r->words.n && end - i < 4 &&
           !memchr(dfr_tx_text(r, end).p, ')', dfr_tx_text(r, end).len))
        end++;
    if (end >= r->words.n || end - i >= 4)
        return 0;
    struct dfr_str t = dfr_tx_text_range(r, i, end);
    size_t k = 4;
    int64_t h = 0, m = 0;
    int sign = 0;
    while (k < t.len && (t.p[k] == ' ' || t.p[k] == '+' || t.p[k] == '-')) {
        if (t.p[k] != ' ')
            sign = t.p[k] == '-' ? -1 : 1;
        k++;
    }
    if (sign && !number_at(t, &k, &h, 2))
        return 0;
    if (k < t.len && t.p[k] == ':') {
        k++;
        number_at(t, &k, &m, 2);
    }
    *ret_s = sign * (h * 3600 + m * 60);
    return end - i + 1;
}

/* A stamp in parentheses: `(4F298FBC)`. */
static bool stamp(const struct dfr_reader *r, uint32_t i, uint64_t *ret)
{
    struct dfr_str s = dfr_tx_text(r, i);
    return s.len >= 10 && s.p[0] == '(' && s.p[9] == ')' &&
           dfr_hex_run(dfr_str_slice(s, 1, 9)) == 8 && dfr_hex_value(dfr_str_slice(s, 1, 9), ret);
}

/* `98F9EEE3 (This is a reproducible build file hash, not a timestamp)`. */
static uint32_t build_hash(const struct dfr_reader *r, uint32_t i, struct dfr_date *ret)
{
    if (!dfr_tx_is(r, i, DFR_W_ADDR32) || !dfr_hex_value(dfr_tx_text(r, i), &ret->stamp))
        return 0;
    if (!dfr_str_starts(dfr_tx_text(r, i + 1), DFR_STR("(This")))
        return 0;
    ret->has_stamp = true;
    uint32_t end = i + 1;
    while (end < r->words.n && end - i < 14 &&
           !memchr(dfr_tx_text(r, end).p, ')', dfr_tx_text(r, end).len))
        end++;
    ret->hash = true;
    return end - i + 1;
}

uint32_t dfr_tx_date(const struct dfr_reader *r, uint32_t i, struct dfr_date *ret)
{
    struct dfr_date d = {0};
    uint32_t j = i;
    if (dfr_tx_says(r, i, "unavailable")) {
        *ret = d;
        return stamp(r, i + 1, &d.stamp) ? 2 : 1;
    }
    uint32_t hash = build_hash(r, i, &d);
    if (hash) {
        *ret = d;
        return hash;
    }
    if (!is_weekday(dfr_tx_text(r, j)))
        return 0;
    int month = month_of(dfr_tx_text(r, ++j));
    int64_t day, year, seconds, ms;
    struct dfr_str y = dfr_tx_strip(dfr_tx_text(r, j + 3), ",.");
    if (!month || !dfr_tx_decimal(dfr_tx_text(r, j + 1), &day) || day < 1 || day > 31 ||
        !clock_time(dfr_tx_text(r, j + 2), &seconds, &ms) || y.len < 4 ||
        !dfr_tx_decimal(dfr_str_slice(y, 0, 4), &year) || year < 1970 || year > 2200)
        return 0;
    d.printed = dfr_time_from_civil((int)year, month, (int)day, 0, 0, 0) + seconds;
    d.has_printed = true;
    j += 4;
    if (stamp(r, j, &d.stamp)) {
        d.has_stamp = true;
        j++;
    } else {
        uint32_t n = zone(r, j, &d.zone_s);
        d.has_zone = n != 0;
        j += n;
    }
    *ret = d;
    return j - i;
}

struct dfr_value dfr_tx_date_value(const struct dfr_date *d)
{
    if (d->hash)
        return dfr_v_unknown(DFR_KIND_TIME, DFR_REASON_BUILD_HASH);
    if (d->has_stamp && d->has_printed) {
        int64_t t = (int64_t)d->stamp, off = t - d->printed;
        /* A stamp far from the printed date would be a hash that an old debugger printed as a date, or a slip. */
        if (off >= -ZONE_DOUBT_S && off <= ZONE_DOUBT_S)
            return dfr_v_time(t, t);
        return dfr_v_unknown(DFR_KIND_TIME, DFR_REASON_CONTRADICTORY);
    }
    if (d->has_zone)
        return dfr_v_time(d->printed - d->zone_s, d->printed - d->zone_s);
    if (d->has_printed)
        return dfr_v_time(d->printed - ZONE_DOUBT_S, d->printed + ZONE_DOUBT_S);
    return dfr_v_unknown(DFR_KIND_TIME,
                         d->has_stamp ? DFR_REASON_NOT_UNDERSTOOD : DFR_REASON_NOT_SHOWN);
}

void dfr_tx_put_built(struct dfr_reader *r, uint32_t built, uint32_t stamp_column, uint32_t row,
                      const struct dfr_date *d, uint32_t first, uint32_t last)
{
    dfr_tx_put_cell(r, built, row, dfr_tx_date_value(d), first, last);
    if (d->has_stamp)
        dfr_tx_put_cell(r, stamp_column, row, dfr_v_addr(d->stamp), first, last);
}

uint32_t dfr_tx_uptime(const struct dfr_reader *r, uint32_t i, int64_t *ret_ms)
{
    int64_t days, seconds, ms;
    if (!dfr_tx_decimal(dfr_tx_text(r, i), &days) || days > 100000 ||
        (!dfr_tx_says(r, i + 1, "days") && !dfr_tx_says(r, i + 1, "day")) ||
        !clock_time(dfr_tx_text(r, i + 2), &seconds, &ms))
        return 0;
    *ret_ms = (days * 86400 + seconds) * 1000 + ms;
    return 3;
}
