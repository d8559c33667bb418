/* The header block of a session: the debugger, the dump, the system, when. Also vertarget, version, !sysinfo
 * and !cpuinfo, which repeat parts of it. */
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
    if (r->c->evidence > r->c->header_evidence || r->c->dump_files)
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

/* Facts of the header say nothing about a crash by themselves: they do not count as a begun one. */
static void put_header(struct dfr_reader *r, uint32_t field, struct dfr_value v, uint32_t first,
                       uint32_t last)
{
    dfr_tx_put(r, field, v, first, last);
    r->c->header_evidence++;
}

static uint32_t rest_of_line(const struct dfr_reader *r, uint32_t i)
{
    uint32_t end;
    dfr_tx_line_rest(r, i, &end);
    return end;
}

/* Digits of a version: `10.0.29617.1000`. */
static bool version(struct dfr_str s, uint32_t part[4])
{
    size_t i = 0;
    unsigned n = 0;
    memset(part, 0, 4 * sizeof *part);
    while (i < s.len && n < 4) {
        size_t k = i;
        int64_t v;
        while (k < s.len && s.p[k] != '.')
            k++;
        if (!dfr_tx_decimal(dfr_str_slice(s, i, k), &v) || v > UINT32_MAX)
            return false;
        part[n++] = (uint32_t)v;
        i = k + 1;
    }
    return n >= 2;
}

/* `Microsoft (R) Windows Debugger Version 6.12.0002.633 AMD64`: the word behind is the debugger's machine. */
uint32_t dfr_tx_debugger(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Microsoft (R) Windows Debugger Version"), part[4];
    if (!n || !version(dfr_tx_text(r, i + n), part))
        return i;
    put_header(r, DFR_F_DEBUGGER_VERSION, dfr_v_ver(part[0], part[1], part[2], part[3]), i, i + n);
    uint32_t end = i + n + 1;
    if (dfr_tx_says(r, end, "AMD64") || dfr_tx_says(r, end, "X86") || dfr_tx_says(r, end, "ARM64"))
        end++;
    return end;
}

static void put_kind(struct dfr_reader *r, unsigned kind, uint32_t i, uint32_t last)
{
    put_header(r, DFR_F_DUMP_KIND, dfr_v_enum(DFR_E_DUMP_KIND, kind), i, last);
}

/* `Mini Kernel Dump File: Only registers and stack trace are available` and its kin. */
uint32_t dfr_tx_dump_kind(struct dfr_reader *r, uint32_t i)
{
    static const struct {
        const char *text;
        unsigned kind;
    } kinds[] = {
        {"Mini Kernel Dump File:", DFR_DUMP_KIND_TRIAGE},
        {"Kernel Summary Dump File:", DFR_DUMP_KIND_SUMMARY},
        {"Kernel Bitmap Dump File:", DFR_DUMP_KIND_BITMAP},
        {"Kernel Complete Dump File:", DFR_DUMP_KIND_FULL},
        {"Kernel Summary/Bitmap Dump", DFR_DUMP_KIND_BITMAP},
    };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        uint32_t n = dfr_tx_phrase(r, i, kinds[k].text);
        if (!n)
            continue;
        put_kind(r, kinds[k].kind, i, i + n - 1);
        static const char *const tails[] = {
            "Only registers and stack trace are available",
            "Only kernel address space is available",
            "Kernel address space is available, User address space may not be available.",
            "Full address space is available", "Full memory is available"};
        for (size_t t = 0; t < sizeof tails / sizeof *tails; t++) {
            uint32_t m = dfr_tx_phrase(r, i + n, tails[t]);
            if (m)
                return i + n + m;
        }
        return i + n;
    }
    return i;
}

/* `MP (4 procs) Free x64`, `UP Free x86 compatible`: words taken from `j` on. */
static uint32_t flavour(struct dfr_reader *r, uint32_t j)
{
    uint32_t from = j;
    if (dfr_tx_says(r, j, "UP")) {
        put_header(r, DFR_F_OS_PROCESSORS, dfr_v_int(1), j, j);
        j++;
    } else if (dfr_tx_says(r, j, "MP")) {
        int64_t n;
        j++;
        if (dfr_tx_decimal(dfr_tx_strip(dfr_tx_text(r, j), "("), &n) && n > 0 && n <= 4096 &&
            dfr_str_starts(dfr_tx_text(r, j + 1), DFR_STR("proc"))) {
            put_header(r, DFR_F_OS_PROCESSORS, dfr_v_int(n), j, j + 1);
            j += 2;
        }
    }
    if (dfr_tx_says(r, j, "Free") || dfr_tx_says(r, j, "Checked"))
        j++;
    struct dfr_str a = dfr_tx_text(r, j);
    unsigned arch = dfr_str_eq_ci(a, DFR_STR("x64")) || dfr_str_eq_ci(a, DFR_STR("AMD64"))
                        ? DFR_ARCH_X64 + 1
                    : dfr_str_eq_ci(a, DFR_STR("x86"))       ? DFR_ARCH_X86 + 1
                    : dfr_str_starts_ci(a, DFR_STR("ARM64")) ? DFR_ARCH_ARM64 + 1
                                                             : 0;
    if (arch && j > from - 1) {
        put_header(r, DFR_F_DUMP_ARCH, dfr_v_enum(DFR_E_ARCH, arch - 1), j, j);
        j++;
        if (dfr_tx_says(r, j, "compatible"))
            j++;
        if (dfr_str_starts(dfr_tx_text(r, j), DFR_STR("target")))
            j++;
    }
    return j;
}

/* `Windows 7 Kernel Version 7601 (Service Pack 1) MP (4 procs) Free x64`. */
uint32_t dfr_tx_windows(struct dfr_reader *r, uint32_t i)
{
    uint32_t j = i;
    while (j < i + 6 && !dfr_tx_phrase(r, j, "Kernel Version"))
        j++;
    int64_t build;
    if (j == i + 6 || !dfr_tx_decimal(dfr_tx_text(r, j + 2), &build) || build < 1000)
        return i;
    put_header(r, DFR_F_OS_NAME, dfr_v_str(dfr_tx_text_range(r, i, j - 1)), i, j - 1);
    put_header(r, DFR_F_OS_BUILD, dfr_v_int(build), j + 2, j + 2);
    j += 3;
    if (dfr_tx_phrase(r, j, "(Service Pack"))
        j += 3;
    return flavour(r, j);
}

/* `Connected to Windows 8 9600 x86 compatible target`: a live session. */
uint32_t dfr_tx_connected(struct dfr_reader *r, uint32_t i)
{
    if (!dfr_tx_phrase(r, i, "Connected to Windows"))
        return i;
    uint32_t j = i + 3;
    int64_t build = 0;
    while (j < i + 8 && !(dfr_tx_decimal(dfr_tx_text(r, j), &build) && build >= 1000))
        j++;
    if (j == i + 8)
        return i;
    put_kind(r, DFR_DUMP_KIND_LIVE, i, j);
    put_header(r, DFR_F_OS_BUILD, dfr_v_int(build), j, j);
    return flavour(r, j + 1);
}

/* `Built by: 7601.17514.amd64fre.win7sp1_rtm.101119-1850`, `Edition build lab: 22621.2506.amd64fre...`. */
uint32_t dfr_tx_build_lab(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Built by:");
    if (!n)
        n = dfr_tx_phrase(r, i, "Edition build lab:");
    struct dfr_str s = dfr_tx_text(r, i + n);
    size_t dot = s.len ? dfr_str_find(s, DFR_STR(".")) : SIZE_MAX;
    int64_t build, revision;
    if (!n || dot == SIZE_MAX || !dfr_tx_decimal(dfr_str_slice(s, 0, dot), &build))
        return i;
    put_header(r, DFR_F_OS_VERSION, dfr_v_str(s), i, i + n);
    put_header(r, DFR_F_OS_BUILD, dfr_v_int(build), i + n, i + n);
    size_t next = dfr_str_find(dfr_str_slice(s, dot + 1, s.len), DFR_STR("."));
    if (next != SIZE_MAX && dfr_tx_decimal(dfr_str_slice(s, dot + 1, dot + 1 + next), &revision))
        put_header(r, DFR_F_OS_REVISION, dfr_v_int(revision), i + n, i + n);
    return i + n + 1;
}

/* `Kernel base = 0xfffff803`1 PsLoadedModuleList = 0x...`, also `Kernel base:0x...`. */
uint32_t dfr_tx_kernel_base(struct dfr_reader *r, uint32_t i)
{
    struct dfr_str second = dfr_tx_text(r, i + 1);
    uint64_t base;
    uint32_t j = i + 2;
    if (dfr_str_eq(second, DFR_STR("base"))) {
        if (!dfr_tx_says(r, j, "=") || !dfr_tx_number(r, j + 1, &base))
            return dfr_tx_dump_kind(r, i);
        j += 2;
    } else if (!dfr_str_starts(second, DFR_STR("base:")) ||
               !dfr_hex_value(dfr_str_slice(second, 5, second.len), &base)) {
        return dfr_tx_dump_kind(r, i);
    }
    put_header(r, DFR_F_OS_KERNEL_BASE, dfr_v_addr(base), i, j - 1);
    if (dfr_tx_says(r, j, "PsLoadedModuleList") && dfr_tx_says(r, j + 1, "="))
        j += 3;
    else if (dfr_str_starts(dfr_tx_text(r, j), DFR_STR("PsLoadedModuleList")))
        j++;
    return j;
}

/* `Debug session time: Mon Jul  9 01:32:50.747 2012 (UTC + 2:00)`. */
uint32_t dfr_tx_session_time(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Debug session time:");
    struct dfr_date d;
    uint32_t taken = n ? dfr_tx_date(r, i + n, &d) : 0;
    if (!taken)
        return i;
    put_header(r, DFR_F_DUMP_TIME, dfr_tx_date_value(&d), i, i + n + taken - 1);
    return i + n + taken;
}

/* `System Uptime: 0 days 5:25:46.965`, `System Uptime: not available`. */
uint32_t dfr_tx_system(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "System Uptime:");
    int64_t ms;
    if (!n)
        return i;
    uint32_t taken = dfr_tx_uptime(r, i + n, &ms);
    if (!taken)
        return rest_of_line(r, i + n);
    put_header(r, DFR_F_OS_UPTIME, dfr_v_dur_ms(ms), i, i + n + taken - 1);
    return i + n + taken;
}

/* `Product: WinNt, suite: TerminalServer SingleUserTS`. */
uint32_t dfr_tx_product(struct dfr_reader *r, uint32_t i)
{
    if (!dfr_tx_phrase(r, i, "Product: WinNt,") && !dfr_tx_phrase(r, i, "Product: LanManNt,") &&
        !dfr_tx_phrase(r, i, "Product: Server,") && !dfr_tx_phrase(r, i, "Product: ServerNt,"))
        return i;
    uint32_t end = i + 2;
    while (dfr_tx_says(r, end, "suite:") || dfr_tx_says(r, end, "TerminalServer") ||
           dfr_tx_says(r, end, "SingleUserTS") || dfr_tx_says(r, end, "Personal") ||
           dfr_tx_says(r, end, "SingleUserTS Personal") || dfr_tx_says(r, end, "DataCenter") ||
           dfr_tx_says(r, end, "Enterprise"))
        end++;
    return end;
}

/* `Page 4400 not present in the dump file. Type ".hh dbgerr004" for details`. */
uint32_t dfr_tx_page_missing(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i + 2, "not present in the dump file.");
    return n ? rest_of_line(r, i + 2 + n) : i;
}

/* Lines of !sysinfo machineid and !mex.di: `SystemManufacturer = Contoso`, `BIOS Version: ...`. */
static const struct {
    const char *label;
    uint32_t field;
} machine_lines[] = {
    {"SystemManufacturer =", DFR_F_MACHINE_MANUFACTURER},
    {"System Manufacturer =", DFR_F_MACHINE_MANUFACTURER},
    {"SystemProductName =", DFR_F_MACHINE_PRODUCT},
    {"System Product Name =", DFR_F_MACHINE_PRODUCT},
    {"BiosVersion =", DFR_F_MACHINE_BIOS_VERSION},
    {"BIOS Version =", DFR_F_MACHINE_BIOS_VERSION},
    {"BiosReleaseDate =", DFR_F_MACHINE_BIOS_DATE},
    {"BIOS Release Date =", DFR_F_MACHINE_BIOS_DATE},
    {"BaseBoardProduct =", DFR_F_MACHINE_BOARD},
    {"BaseBoardManufacturer =", DFR_F_COUNT},
    {"BiosVendor =", DFR_F_COUNT},
    {"VendorIdentifier = REG_SZ", DFR_F_MACHINE_CPU_VENDOR},
    {"ProcessorNameString = REG_SZ", DFR_F_MACHINE_CPU_NAME},
    {"~MHz = REG_DWORD", DFR_F_MACHINE_CPU_MHZ},
    {"Update Signature = REG_BINARY", DFR_F_MACHINE_MICROCODE},
};

/* `0,0,0,0,c6,0,0,0`: the revision stands in the upper half, least significant byte first. */
static bool update_signature(struct dfr_str s, uint64_t *ret)
{
    uint64_t byte;
    size_t i = 0;
    *ret = 0;
    for (unsigned n = 0; n < 8; n++) {
        size_t k = i;
        while (k < s.len && s.p[k] != ',')
            k++;
        if (!dfr_hex_value(dfr_str_slice(s, i, k), &byte) || byte > 0xFF || (n < 4 && byte))
            return false;
        if (n >= 4)
            *ret |= byte << 8 * (n - 4);
        i = k + 1;
    }
    return *ret != 0;
}

/* Firmware ids that only virtual machines have. */
static bool is_guest(struct dfr_str s)
{
    static const char *const ids[] = {"VMware",    "VirtualBox", "innotek",       "QEMU",
                                      "Bochs",     "Xen",        "KVM",           "Virtual Machine",
                                      "Parallels", "Amazon EC2", "Google Compute"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (dfr_str_find_ci(s, dfr_str_from(ids[i])) != SIZE_MAX)
            return true;
    return false;
}

uint32_t dfr_tx_machine(struct dfr_reader *r, uint32_t i)
{
    for (size_t k = 0; k < sizeof machine_lines / sizeof *machine_lines; k++) {
        uint32_t n = dfr_tx_phrase(r, i, machine_lines[k].label);
        if (!n)
            continue;
        uint32_t end = rest_of_line(r, i + n);
        if (end == i + n)
            return end;
        struct dfr_str s = dfr_tx_text_range(r, i + n, end - 1);
        struct dfr_value v = dfr_v_str(s);
        int64_t mhz;
        uint64_t revision;
        switch (machine_lines[k].field) {
        case DFR_F_COUNT:
            return end;
        case DFR_F_MACHINE_BIOS_DATE:
            if (!dfr_tx_us_date(s, &v))
                return end;
            break;
        case DFR_F_MACHINE_CPU_MHZ:
            if (!dfr_tx_decimal(s, &mhz) || mhz <= 0 || mhz >= 100000)
                return end;
            v = dfr_v_int(mhz);
            break;
        case DFR_F_MACHINE_MICROCODE:
            if (!update_signature(s, &revision))
                return end;
            v = dfr_v_addr(revision);
            break;
        default:
            break;
        }
        put_header(r, machine_lines[k].field, v, i, end - 1);
        if (machine_lines[k].field == DFR_F_MACHINE_PRODUCT ||
            machine_lines[k].field == DFR_F_MACHINE_MANUFACTURER)
            if (is_guest(s))
                put_header(r, DFR_F_OS_HYPERVISOR_GUEST, dfr_v_bool(true), i, end - 1);
        return end;
    }
    return i;
}

/* `CP F/M/S Manufacturer  MHz Update Signature Features` and a row per processor. */
uint32_t dfr_tx_cpuinfo(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "CP F/M/S Manufacturer");
    if (!n)
        return i;
    uint32_t end = rest_of_line(r, i + n), j = end;
    while (j + 3 < r->words.n && dfr_tx_bol(r, j)) {
        int64_t id, mhz;
        struct dfr_str fms = dfr_tx_text(r, j + 1);
        if (!dfr_tx_decimal(dfr_tx_text(r, j), &id) || !memchr(fms.p, ',', fms.len))
            break;
        struct dfr_str vendor = dfr_tx_text(r, j + 2);
        struct dfr_str freq = dfr_tx_text(r, j + 3);
        size_t digits = 0;
        while (digits < freq.len && freq.p[digits] >= '0' && freq.p[digits] <= '9')
            digits++;
        dfr_tx_cpu_row(r, id, j, j);
        put_header(r, DFR_F_MACHINE_CPU_VENDOR, dfr_v_str(vendor), j + 2, j + 2);
        if (dfr_tx_decimal(dfr_str_slice(freq, 0, digits), &mhz) && mhz > 0 && j == end)
            put_header(r, DFR_F_MACHINE_CPU_MHZ, dfr_v_int(mhz), j + 3, j + 3);
        /* Behind the frequency: the update signature, its revision in the upper half (Intel). */
        uint64_t signature;
        if (j == end && dfr_tx_says(r, i + n + 1, "PRCB") && !dfr_tx_bol(r, j + 4) &&
            dfr_str_eq(vendor, DFR_STR("GenuineIntel")) && dfr_tx_number(r, j + 4, &signature) &&
            signature >> 32 && !(uint32_t)signature)
            put_header(r, DFR_F_MACHINE_MICROCODE, dfr_v_addr(signature >> 32), j + 4, j + 4);
        j = rest_of_line(r, j + 1);
        if (j < r->words.n && !dfr_tx_bol(r, j))
            break;
    }
    return j;
}
