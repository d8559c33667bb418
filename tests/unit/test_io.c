/* Requests, device stacks and device nodes, in both widths of a pointer. */
#include <string.h>

#include "target.h"

TestSuite(io, .init = open_facts, .fini = close_facts, .timeout = 60);

enum { AT = 0x3000, LEN = 0x2000, IRP = 0x000, DEVICES = 0x400, NODE = 0x1000, NAMES = 0x1800 };

static const struct width {
    enum dfr_machine machine;
    uint64_t base, driver;
    unsigned pointer;
    uint16_t irp_count, irp_thread, irp_location, irp_bytes, location, device_at, completion_at;
    uint16_t attached, extension, extension_node, attached_to, start, name, node_device, service;
} widths[] = {
    {DFR_MACHINE_X64, UINT64_C(0xFFFFB00000010000), UINT64_C(0xFFFFF80020000000), 8, 0x42, 0x98,
     0xB8, 0xD0, 0x48, 0x28, 0x38, 0x18, 0x138, 0x28, 0x30, 0x18, 0x38, 0x20, 0x38},
    {DFR_MACHINE_ARM64, UINT64_C(0xFFFFB00000010000), UINT64_C(0xFFFFF80020000000), 8, 0x42, 0x98,
     0xB8, 0xD0, 0x48, 0x28, 0x38, 0x18, 0x138, 0x28, 0x30, 0x18, 0x38, 0x20, 0x38},
    {DFR_MACHINE_X86, 0x84010000, 0x91000000, 4, 0x22, 0x50, 0x60, 0x70, 0x24, 0x14, 0x1C, 0x10,
     0xB0, 0x14, 0x18, 0x0C, 0x1C, 0x10, 0x1C},
};

static void word(const struct width *w, size_t at, uint64_t v)
{
    if (w->pointer == 8)
        forge64(target_bytes, AT + at, v);
    else
        forge32(target_bytes, AT + at, (uint32_t)v);
}

static void half(size_t at, uint16_t v)
{
    forge16(target_bytes, AT + at, v);
}

static void counted(const struct width *w, size_t at, size_t name, const char *text)
{
    half(at, (uint16_t)(2 * strlen(text)));
    word(w, at + w->pointer, w->base + name);
    forge_wide(target_bytes, AT + name, text);
}

/* Device `i` from the bottom, its extension behind it, its driver behind that. */
static size_t device(unsigned i)
{
    return DEVICES + 0x400u * i;
}

static void put_device(const struct width *w, unsigned i, bool above, bool below, uint64_t start)
{
    size_t at = device(i), extension = at + 0x180, driver = at + 0x200;
    half(at, 3);
    half(extension, 13);
    half(driver, 4);
    word(w, at + 8, w->base + driver);
    word(w, at + w->extension, w->base + extension);
    word(w, driver + w->start, start);
    if (above)
        word(w, at + w->attached, w->base + device(i + 1));
    if (below)
        word(w, extension + w->attached_to, w->base + device(i - 1));
}

/* Two devices of exdisk (by its image) and exfilter (by its name alone); a request of three
 * locations waits at the second, at the lower device. */
static struct dfr_dump scene(const struct width *w, uint32_t code, const uint64_t args[4])
{
    struct dfr_dump d = target_dump(w->machine, code, args);
    target_memory(&d, w->base, AT, LEN);
    target_module(&d, "exdisk", w->driver, 0x10000);
    target_module(&d, "exfilter", w->driver + 0x20000, 0x10000);
    half(IRP, 6);
    target_bytes[AT + IRP + w->irp_count] = 3;
    target_bytes[AT + IRP + w->irp_count + 1u] = 2;
    word(w, IRP + w->irp_thread, w->base + 0x1F00);
    word(w, IRP + w->irp_location, w->base + w->irp_bytes + w->location);
    size_t at = IRP + w->irp_bytes + w->location;
    target_bytes[AT + at] = 0x16;
    target_bytes[AT + at + 1] = 2;
    word(w, at + w->device_at, w->base + device(0));
    word(w, at + w->completion_at, w->driver + 0x20040);
    put_device(w, 0, true, false, w->driver);
    put_device(w, 1, false, true, 0);
    counted(w, device(1) + 0x200 + w->name, NAMES, "\\Driver\\exfilter");
    size_t extension = device(0) + 0x180;
    word(w, extension + w->extension_node, w->base + NODE);
    word(w, NODE + w->node_device, w->base + device(0));
    counted(w, NODE + w->service, NAMES + 0x100, "exdisk");
    counted(w, NODE + w->service - 2 * w->pointer, NAMES + 0x180, "SCSI\\Disk1");
    return d;
}

static const char *name(uint32_t column, uint32_t row)
{
    return target_text(dfr_facts_at(&facts, column, row));
}

static int truth(uint32_t column, uint32_t row)
{
    const struct dfr_value *v = dfr_facts_at(&facts, column, row);
    return v->state == DFR_KNOWN ? v->as.b : -1;
}

Test(io, blocked_power_request)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        const struct width *w = &widths[i];
        const uint64_t args[4] = {3, w->base + device(0), 0, w->base};
        struct dfr_dump d = scene(w, 0x9F, args);
        dfr_dump_io(&d);
        cr_assert_eq(facts.tables[DFR_T_IRPS].n, 1, "%zu", i);
        cr_assert_eq(facts.tables[DFR_T_IRP_STACK].n, 3);
        cr_expect_str_eq(name(DFR_F_IRPS_OWNER, 0), "exdisk");
        cr_expect_eq(truth(DFR_F_IRPS_PENDING, 0), true);
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_IRPS_THREAD, 0)->as.u, w->base + 0x1F00);
        cr_expect_eq(truth(DFR_F_IRP_STACK_CURRENT, 0), false);
        cr_expect_eq(truth(DFR_F_IRP_STACK_CURRENT, 1), true);
        cr_expect_eq(dfr_facts_at(&facts, DFR_F_IRP_STACK_COMPLETION, 1)->as.sym->offset, 0x40);
        cr_assert_eq(facts.tables[DFR_T_DEVICES].n, 2);
        cr_expect_str_eq(name(DFR_F_DEVICES_DRIVER, 0), "exfilter");
        cr_expect_str_eq(name(DFR_F_DEVICES_DRIVER, 1), "exdisk");
        cr_expect_eq(truth(DFR_F_DEVICES_ASKED, 1), true);
        cr_assert_eq(facts.tables[DFR_T_DEVNODES].n, 1);
        cr_expect_str_eq(name(DFR_F_DEVNODES_SERVICE, 0), "exdisk");
        cr_expect_str_eq(name(DFR_F_DEVNODES_INSTANCE, 0), "SCSI\\Disk1");
    }
}

/* The device that is asked for may stand above others. */
Test(io, the_stack_of_an_upper_device)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        const uint64_t args[4] = {1, widths[i].base + device(1), 0, 0};
        struct dfr_dump d = scene(&widths[i], 0x9F, args);
        dfr_dump_io(&d);
        cr_assert_eq(facts.tables[DFR_T_DEVICES].n, 2);
        cr_expect_eq(truth(DFR_F_DEVICES_ASKED, 0), true);
        cr_expect_eq(truth(DFR_F_DEVICES_ASKED, 1), false);
        cr_expect_eq(facts.tables[DFR_T_IRPS].n, 0);
    }
}

Test(io, where_a_request_stands)
{
    static const struct {
        uint8_t current, location;
        int pending, second;
    } rows[] = {
        {2, 1, true, true}, {4, 3, false, false}, {2, 2, -1, -1}, {0, 0, -1, -1}, {9, 8, -1, -1}};
    for (size_t k = 0; k < COUNT(rows); k++)
        for (size_t i = 0; i < COUNT(widths); i++) {
            const struct width *w = &widths[i];
            const uint64_t args[4] = {w->base, 0, 0, 0};
            struct dfr_dump d = scene(w, 0x44, args);
            target_bytes[AT + IRP + w->irp_count + 1u] = rows[k].current;
            word(w, IRP + w->irp_location,
                 w->base + w->irp_bytes + (uint64_t)w->location * rows[k].location);
            dfr_dump_io(&d);
            cr_assert_eq(facts.tables[DFR_T_IRPS].n, 1);
            cr_expect_eq(truth(DFR_F_IRPS_PENDING, 0), rows[k].pending, "%zu", k);
            cr_expect_eq(truth(DFR_F_IRP_STACK_CURRENT, 1), rows[k].second, "%zu", k);
        }
}

Test(io, chains_that_bite_their_tails)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        const struct width *w = &widths[i];
        const uint64_t args[4] = {3, w->base + device(0), 0, w->base};
        struct dfr_dump d = scene(w, 0x9F, args);
        word(w, device(1) + w->attached, w->base + device(0));
        word(w, device(0) + 0x180 + w->attached_to, w->base + device(1));
        dfr_dump_io(&d);
        cr_expect_eq(facts.tables[DFR_T_DEVICES].n, 0);
        /* A node that does not name the device, a name that is not there. */
        d = scene(w, 0x9F, args);
        word(w, NODE + w->node_device, w->base);
        half(device(1) + 0x200 + w->name, 0xFFFF);
        dfr_dump_io(&d);
        cr_expect_eq(facts.tables[DFR_T_DEVNODES].n, 0);
        cr_expect_str_eq(name(DFR_F_DEVICES_DRIVER, 0), "?");
    }
}

/* Every byte of the scene at its worst. */
Test(io, damaged_objects)
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        const struct width *w = &widths[i];
        const uint64_t args[4] = {3, w->base + device(0), 0, w->base};
        for (size_t at = 0; at < NODE + 0x80; at += 4) {
            struct dfr_dump d = scene(w, 0x9F, args);
            forge32(target_bytes, AT + at, UINT32_MAX);
            dfr_dump_io(&d);
            cr_expect_leq(facts.tables[DFR_T_DEVICES].n, 32);
        }
        struct dfr_dump d = target_dump(w->machine, 0x9F, args);
        dfr_dump_io(&d); /* nothing captured */
        cr_expect_eq(facts.tables[DFR_T_IRPS].n, 0);
    }
}
