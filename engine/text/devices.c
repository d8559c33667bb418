/* I/O: !irp, !devstack, !devobj, !devnode. */
#include "text/sections.h"

#include <string.h>

/* The first address of the command at hand, as in `!irp ffffe001`1`. */
static bool command_address(const struct dfr_reader *r, uint64_t *ret)
{
    if (r->command == DFR_NO_WORD)
        return false;
    for (uint32_t j = r->command + 1; j < r->command_end; j++)
        if (dfr_tx_address(r, j, ret))
            return true;
    return false;
}

/* `Irp is active with 2 stacks 2 is current (= 0x811834fc)`. */
uint32_t dfr_tx_irp(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "Irp is active with");
    if (!n)
        return i;
    r->irp_open = true;
    r->irp_location = 0;
    r->irp_row = dfr_tx_new_row(r, DFR_T_IRPS, i, i + n - 1);
    bool known = command_address(r, &r->irp);
    r->irp_known = known;
    if (known)
        dfr_tx_put_cell(r, DFR_F_IRPS_ADDR, r->irp_row, dfr_v_addr(r->irp), r->command,
                        r->command_end - 1);
    uint32_t j = i + n + 2;
    if (dfr_tx_phrase(r, j + 1, "is current"))
        j += 3;
    if (dfr_tx_says(r, j, "(="))
        j += 2;
    /* `No Mdl: No System Buffer: Thread ffffe001`1:  Irp stack trace.` */
    for (uint32_t k = j; k < j + 16 && k < r->words.n; k++) {
        uint64_t thread;
        if (!dfr_tx_says(r, k, "Thread") || !dfr_tx_number(r, k + 1, &thread))
            continue;
        if (thread)
            dfr_tx_put_cell(r, DFR_F_IRPS_THREAD, r->irp_row, dfr_v_addr(thread), k, k + 1);
        j = k + 2;
        j += dfr_tx_phrase(r, j, "Irp stack trace.");
        break;
    }
    uint32_t heading = dfr_tx_phrase(r, j, "cmd flg cl Device File Completion-Context");
    return j + heading;
}

/* A number of `[ 16, 2]` or of `[IRP_MJ_POWER(16), IRP_MN_SET_POWER(2)]`, from byte `*i` on. */
static bool function_number(struct dfr_str s, size_t *i, uint64_t *ret)
{
    size_t k = *i;
    while (k < s.len && (s.p[k] == ' ' || s.p[k] == ',' || s.p[k] == '\n'))
        k++;
    size_t from = k;
    while (k < s.len && s.p[k] != ',' && s.p[k] != ']')
        k++;
    struct dfr_str t = dfr_str_trim(dfr_str_slice(s, from, k));
    const char *open = t.len ? memchr(t.p, '(', t.len) : NULL;
    if (open)
        t = dfr_tx_strip(dfr_str_slice(t, (size_t)(open - t.p), t.len), "()");
    *i = k;
    return dfr_hex_value(t, ret);
}

/* A stack location of an IRP; `>` marks the current one. */
uint32_t dfr_tx_irp_location(struct dfr_reader *r, uint32_t i)
{
    if (!r->irp_open)
        return i;
    uint32_t at = dfr_tx_word(r, i)->at;
    struct dfr_str s = dfr_str_slice(r->norm.text, at, at + 120);
    size_t k = 0;
    bool current = s.len && s.p[0] == '>';
    uint64_t major, minor, device, completion;
    while (k < s.len && (s.p[k] == '>' || s.p[k] == ' '))
        k++;
    if (k >= s.len || s.p[k] != '[')
        return i;
    k++;
    if (!function_number(s, &k, &major) || !function_number(s, &k, &minor) || k >= s.len ||
        s.p[k] != ']')
        return i;
    uint32_t j = i;
    while (j < r->words.n && dfr_tx_word(r, j)->at <= at + k)
        j++;
    if (!dfr_tx_address(r, j + 2, &device))
        return i;
    uint32_t row = dfr_tx_new_row(r, DFR_T_IRP_STACK, i, j + 2);
    if (r->irp_known)
        dfr_tx_put_cell(r, DFR_F_IRP_STACK_IRP, row, dfr_v_addr(r->irp), i, j + 2);
    dfr_tx_put_cell(r, DFR_F_IRP_STACK_INDEX, row, dfr_v_int(r->irp_location++), i, i);
    dfr_tx_put_cell(r, DFR_F_IRP_STACK_CURRENT, row, dfr_v_bool(current), i, i);
    dfr_tx_put_cell(r, DFR_F_IRP_STACK_MAJOR, row, dfr_v_int((int64_t)(major & 0xFF)), i, j - 1);
    dfr_tx_put_cell(r, DFR_F_IRP_STACK_MINOR, row, dfr_v_int((int64_t)(minor & 0xFF)), i, j - 1);
    dfr_tx_put_cell(r, DFR_F_IRP_STACK_DEVICE, row, dfr_v_addr(device), j + 2, j + 2);
    uint32_t end = j + 3;
    while (end < r->words.n && end < j + 12 && !dfr_tx_bol(r, end) &&
           dfr_tx_text(r, end).p[0] != '\\') {
        if (dfr_tx_says(r, end, "Args:") || dfr_tx_text(r, end).p[0] == '[' ||
            dfr_tx_text(r, end).p[0] == '>')
            break;
        end++;
    }
    if (current && r->irp_row != UINT32_MAX) {
        dfr_tx_put_cell(r, DFR_F_IRPS_MAJOR, r->irp_row, dfr_v_int((int64_t)(major & 0xFF)), i,
                        j - 1);
        dfr_tx_put_cell(r, DFR_F_IRPS_MINOR, r->irp_row, dfr_v_int((int64_t)(minor & 0xFF)), i,
                        j - 1);
        dfr_tx_put_cell(r, DFR_F_IRPS_DEVICE, r->irp_row, dfr_v_addr(device), j + 2, j + 2);
        dfr_tx_put_cell(r, DFR_F_IRPS_PENDING, r->irp_row, dfr_v_bool(true), i, end - 1);
    }
    struct dfr_str driver = dfr_tx_text(r, end);
    if (driver.len > 1 && driver.p[0] == '\\') {
        const char *slash = memrchr(driver.p, '\\', driver.len);
        struct dfr_str name = dfr_str_slice(driver, (size_t)(slash - driver.p) + 1, driver.len);
        dfr_tx_put_cell(r, DFR_F_IRP_STACK_DRIVER, row, dfr_facts_module(r->f, name), end, end);
        if (current && r->irp_row != UINT32_MAX)
            dfr_tx_put_cell(r, DFR_F_IRPS_OWNER, r->irp_row, dfr_facts_module(r->f, name), end,
                            end);
        end++;
        struct dfr_sym sym;
        bool unloaded;
        uint32_t symbol = dfr_tx_bol(r, end) ? end : dfr_tx_symbol(r, end, &sym, &unloaded);
        if (symbol > end && sym.module.len) {
            dfr_tx_put_cell(r, DFR_F_IRP_STACK_COMPLETION, row, dfr_facts_sym(r->f, sym), end,
                            symbol - 1);
            end = symbol;
        }
    }
    if (dfr_tx_says(r, end, "Args:")) {
        end++;
        for (unsigned n = 0; n < 4 && dfr_tx_number(r, end, &completion); n++)
            end++;
    }
    return end;
}

static struct dfr_str object_name(struct dfr_str s)
{
    const char *slash = s.len ? memrchr(s.p, '\\', s.len) : NULL;
    return slash ? dfr_str_slice(s, (size_t)(slash - s.p) + 1, s.len) : s;
}

/* `!DevObj !DrvObj !DevExt ObjectName` above the rows of !devstack. */
uint32_t dfr_tx_devstack(struct dfr_reader *r, uint32_t i)
{
    uint32_t n = dfr_tx_phrase(r, i, "!DevObj !DrvObj !DevExt");
    if (!n)
        return i;
    n += dfr_tx_says(r, i + n, "ObjectName");
    r->devstack_open = true;
    r->device_row = UINT32_MAX;
    r->device_stacks++;
    return i + n;
}

/* `> ffffd188`1  \Driver\pci  ffffd188`2  NTPNP_PCI0001`: the driver may stand behind warnings. */
uint32_t dfr_tx_device(struct dfr_reader *r, uint32_t i)
{
    uint64_t addr;
    struct dfr_str s = dfr_tx_text(r, i);
    if (!r->devstack_open)
        return i;
    if (s.p[0] == '\\') {
        if (r->device_row == UINT32_MAX || s.len < 3)
            return i;
        struct dfr_str name = object_name(s);
        dfr_tx_put_cell(r, DFR_F_DEVICES_DRIVER, r->device_row, dfr_facts_module(r->f, name), i, i);
        r->device_row = UINT32_MAX;
        uint32_t j = i + 1;
        if (!dfr_tx_bol(r, j) && dfr_tx_address(r, j, &addr)) {
            j++;
            /* One word is a name; more is the debugger's complaint about the object's header. */
            if (j < r->words.n && !dfr_tx_bol(r, j) && dfr_tx_line_end(r, j, 3) == j + 1 &&
                !dfr_tx_is(r, j, DFR_W_PROMPT)) {
                dfr_tx_put_cell(r, DFR_F_DEVICES_NAME, r->f->tables[DFR_T_DEVICES].n - 1,
                                dfr_v_str(dfr_tx_text(r, j)), j, j);
                j++;
            } else {
                uint32_t end = dfr_tx_line_end(r, j, 14);
                if (dfr_tx_says(r, j, "InfoMask") || dfr_tx_says(r, j, "Cannot"))
                    j = end;
            }
        }
        return j;
    }
    bool asked = dfr_str_eq(s, DFR_STR(">"));
    uint32_t a = i + (uint32_t)asked;
    if (!dfr_tx_bol(r, i) || !dfr_tx_address(r, a, &addr))
        return i;
    uint32_t row = dfr_tx_new_row(r, DFR_T_DEVICES, i, a);
    dfr_tx_put_cell(r, DFR_F_DEVICES_ADDR, row, dfr_v_addr(addr), a, a);
    dfr_tx_put_cell(r, DFR_F_DEVICES_STACK, row, dfr_v_int(r->device_stacks), a, a);
    dfr_tx_put_cell(r, DFR_F_DEVICES_ASKED, row, dfr_v_bool(asked), i, a);
    r->device_row = row;
    return a + 1;
}

/* `Device object (ffffe001`1) is for:` and on the next line `name \Driver\x DriverObject ffffe001`2`. */
uint32_t dfr_tx_devobj(struct dfr_reader *r, uint32_t i)
{
    uint64_t addr;
    if (!dfr_tx_phrase(r, i, "Device object") || !dfr_tx_number(r, i + 2, &addr) ||
        !dfr_tx_phrase(r, i + 3, "is for:"))
        return i;
    uint32_t row = dfr_tx_new_row(r, DFR_T_DEVICES, i, i + 2), j = i + 5;
    dfr_tx_put_cell(r, DFR_F_DEVICES_ADDR, row, dfr_v_addr(addr), i + 2, i + 2);
    dfr_tx_put_cell(r, DFR_F_DEVICES_ASKED, row, dfr_v_bool(true), i, i + 2);
    if (dfr_tx_text(r, j).len && dfr_tx_text(r, j).p[0] != '\\' && dfr_tx_text(r, j + 1).len &&
        dfr_tx_text(r, j + 1).p[0] == '\\') {
        dfr_tx_put_cell(r, DFR_F_DEVICES_NAME, row, dfr_v_str(dfr_tx_text(r, j)), j, j);
        j++;
    }
    struct dfr_str driver = dfr_tx_text(r, j);
    if (driver.len > 2 && driver.p[0] == '\\') {
        dfr_tx_put_cell(r, DFR_F_DEVICES_DRIVER, row, dfr_facts_module(r->f, object_name(driver)),
                        j, j);
        j++;
        if (dfr_tx_says(r, j, "DriverObject"))
            j += 2;
    }
    return j;
}

/* `!DevNode ffffd188`1 :`, `DevNode 0xffff... for PDO 0xffff...`. */
uint32_t dfr_tx_devnode(struct dfr_reader *r, uint32_t i)
{
    uint64_t addr;
    if (!dfr_tx_address(r, i + 1, &addr))
        return i;
    bool pdo = dfr_tx_phrase(r, i + 2, "for PDO") != 0;
    if (!pdo && !dfr_tx_is(r, i + 2, DFR_W_COLON))
        return i;
    uint32_t row = dfr_tx_new_row(r, DFR_T_DEVNODES, i, i + 1);
    dfr_tx_put_cell(r, DFR_F_DEVNODES_ADDR, row, dfr_v_addr(addr), i + 1, i + 1);
    r->devnode_row = row;
    r->devstack_open = false;
    return pdo ? i + 5 : i + 3;
}

/* `DeviceInst is "PCI\VEN_..."`, `InstancePath is "..."`, `ServiceName is "x"`. */
uint32_t dfr_tx_devnode_line(struct dfr_reader *r, uint32_t i)
{
    if (!dfr_tx_says(r, i + 1, "is") || dfr_tx_text(r, i + 2).len < 3 ||
        dfr_tx_text(r, i + 2).p[0] != '"')
        return i;
    uint32_t end = i + 2;
    while (end < r->words.n && end < i + 10 && !dfr_str_ends_ci(dfr_tx_text(r, end), DFR_STR("\"")))
        end++;
    if (end >= r->words.n || end == i + 10)
        return i;
    if (r->devnode_row == UINT32_MAX) {
        r->devnode_row = dfr_tx_new_row(r, DFR_T_DEVNODES, i, end);
    }
    struct dfr_str s = dfr_tx_strip(dfr_tx_text_range(r, i + 2, end), "\"");
    if (dfr_tx_says(r, i, "ServiceName"))
        dfr_tx_put_cell(r, DFR_F_DEVNODES_SERVICE, r->devnode_row, dfr_facts_module(r->f, s), i,
                        end);
    else
        dfr_tx_put_cell(r, DFR_F_DEVNODES_INSTANCE, r->devnode_row, dfr_v_str(s), i, end);
    return end + 1;
}
