/* What 9F is about: the power request that a device holds, where it waits, and the devices stacked on
 * the one that does not answer. x64 alone. Offsets: types of public symbol files; observed on one
 * dump that captured all of it. */
#include "dump/triage.h"

enum {
    IRP_TYPE = 6,
    IRP_COUNT = 0x42,   /* u8: locations */
    IRP_CURRENT = 0x43, /* u8: 1 is the lowest */
    IRP_LOCATION = 0xB8,
    IRP_FIRST = 0xD0,
    LOCATION_BYTES = 0x48,
    LOCATION_DEVICE = 0x28,
    LOCATION_COMPLETION = 0x38,
    DEVICE_TYPE = 3,
    DEVICE_DRIVER = 0x08,
    DEVICE_ATTACHED = 0x18,
    DRIVER_TYPE = 4,
    DRIVER_START = 0x18,
    MOST_LOCATIONS = 64,
    MOST_DEVICES = 32,
};

static uint32_t place_of(struct dfr_dump *d, uint64_t va, uint64_t len)
{
    uint64_t off = 0, have;
    if (!dfr_space_at(&d->memory, va, &off, &have))
        len = 0;
    return dfr_facts_place(d->facts, (struct dfr_place){off, off + len, 0, va});
}

/* An object of the I/O manager at a kernel address: its first word is its type. */
static bool is_object(const struct dfr_dump *d, uint64_t va, uint16_t type)
{
    uint8_t b[2];
    uint16_t u = 0;
    return va >> 63 && dfr_space_copy(&d->memory, va, b, sizeof b) &&
           dfr_span_u16le((struct dfr_span){b, sizeof b}, 0, &u) && u == type;
}

/* The module of a device's driver. */
static bool driver_of(struct dfr_dump *d, uint64_t device, struct dfr_value *ret)
{
    uint64_t driver, start;
    if (!is_object(d, device, DEVICE_TYPE) ||
        !dfr_space_u64(&d->memory, device + DEVICE_DRIVER, &driver) ||
        !is_object(d, driver, DRIVER_TYPE) ||
        !dfr_space_u64(&d->memory, driver + DRIVER_START, &start))
        return false;
    const struct dfr_image *image = dfr_dump_image_at(d, start);
    const struct dfr_value *name =
        image ? dfr_facts_at(d->facts, DFR_F_MODULES_NAME, image->row) : NULL;
    if (!name || name->state != DFR_KNOWN)
        return false;
    *ret = dfr_facts_module(d->facts, dfr_value_str(name));
    return true;
}

static void put_location(struct dfr_dump *d, uint64_t irp, uint32_t irp_row, uint32_t i, bool agree,
                         bool current)
{
    uint64_t va = irp + IRP_FIRST + (uint64_t)i * LOCATION_BYTES, device, completion;
    uint8_t major, minor;
    struct dfr_value driver;
    if (!dfr_space_u8(&d->memory, va, &major) || !dfr_space_u8(&d->memory, va + 1, &minor) ||
        !dfr_space_u64(&d->memory, va + LOCATION_DEVICE, &device) ||
        !dfr_space_u64(&d->memory, va + LOCATION_COMPLETION, &completion))
        return;
    uint32_t row = dfr_facts_row(d->facts, DFR_T_IRP_STACK), place = place_of(d, va, 1);
    dfr_dump_cell(d, DFR_F_IRP_STACK_IRP, row, dfr_v_addr(irp), place);
    dfr_dump_cell(d, DFR_F_IRP_STACK_INDEX, row, dfr_v_int(i), place);
    dfr_dump_cell(d, DFR_F_IRP_STACK_CURRENT, row,
                  agree ? dfr_v_bool(current) : dfr_v_unknown(DFR_KIND_BOOL, DFR_REASON_DAMAGED),
                  place);
    dfr_dump_cell(d, DFR_F_IRP_STACK_MAJOR, row, dfr_v_int(major), place);
    dfr_dump_cell(d, DFR_F_IRP_STACK_MINOR, row, dfr_v_int(minor), place);
    dfr_dump_cell(d, DFR_F_IRP_STACK_DEVICE, row, dfr_v_addr(device), place);
    const struct dfr_image *image = dfr_dump_image_at(d, completion);
    const struct dfr_value *name =
        image ? dfr_facts_at(d->facts, DFR_F_MODULES_NAME, image->row) : NULL;
    if (name && name->state == DFR_KNOWN) {
        struct dfr_sym sym = {dfr_value_str(name), DFR_STR(""), completion - image->base, true};
        dfr_dump_cell(d, DFR_F_IRP_STACK_COMPLETION, row, dfr_facts_sym(d->facts, sym), place);
    }
    bool named = driver_of(d, device, &driver);
    if (named)
        dfr_dump_cell(d, DFR_F_IRP_STACK_DRIVER, row, driver, place);
    if (!current)
        return;
    dfr_dump_cell(d, DFR_F_IRPS_MAJOR, irp_row, dfr_v_int(major), place);
    dfr_dump_cell(d, DFR_F_IRPS_MINOR, irp_row, dfr_v_int(minor), place);
    dfr_dump_cell(d, DFR_F_IRPS_DEVICE, irp_row, dfr_v_addr(device), place);
    dfr_dump_cell(d, DFR_F_IRPS_PENDING, irp_row, dfr_v_bool(true), place);
    if (named)
        dfr_dump_cell(d, DFR_F_IRPS_OWNER, irp_row, driver, place);
}

/* The request. Its current location is believed when number and pointer agree. */
static void put_irp(struct dfr_dump *d, uint64_t irp)
{
    uint8_t count, current;
    uint64_t location;
    if (!is_object(d, irp, IRP_TYPE) || irp > UINT64_MAX - 0x10000 ||
        !dfr_space_u8(&d->memory, irp + IRP_COUNT, &count) || !count || count > MOST_LOCATIONS ||
        !dfr_space_u8(&d->memory, irp + IRP_CURRENT, &current) ||
        !dfr_space_u64(&d->memory, irp + IRP_LOCATION, &location))
        return;
    bool agree = current && current <= count &&
                 location == irp + IRP_FIRST + (uint64_t)(current - 1) * LOCATION_BYTES;
    uint32_t row = dfr_facts_row(d->facts, DFR_T_IRPS);
    dfr_dump_cell(d, DFR_F_IRPS_ADDR, row, dfr_v_addr(irp), place_of(d, irp, IRP_FIRST));
    for (uint32_t i = 0; i < count; i++)
        put_location(d, irp, row, i, agree, agree && i + 1 == current);
}

/* The stack of a physical device: each device names the one attached above it. Top first. */
static void put_devices(struct dfr_dump *d, uint64_t bottom)
{
    uint64_t stack[MOST_DEVICES], va = bottom;
    uint32_t n = 0;
    while (n < MOST_DEVICES && is_object(d, va, DEVICE_TYPE)) {
        for (uint32_t i = 0; i < n; i++)
            if (stack[i] == va)
                return; /* a damaged chain that bites its tail */
        stack[n++] = va;
        if (!dfr_space_u64(&d->memory, va + DEVICE_ATTACHED, &va))
            va = 0;
    }
    for (uint32_t i = n; i > 0; i--) {
        struct dfr_value driver;
        uint32_t row = dfr_facts_row(d->facts, DFR_T_DEVICES);
        uint32_t place = place_of(d, stack[i - 1], 1);
        dfr_dump_cell(d, DFR_F_DEVICES_ADDR, row, dfr_v_addr(stack[i - 1]), place);
        dfr_dump_cell(d, DFR_F_DEVICES_STACK, row, dfr_v_int(1), place);
        dfr_dump_cell(d, DFR_F_DEVICES_ASKED, row, dfr_v_bool(i == 1), place);
        if (driver_of(d, stack[i - 1], &driver))
            dfr_dump_cell(d, DFR_F_DEVICES_DRIVER, row, driver, place);
    }
}

void dfr_dump_power(struct dfr_dump *d)
{
    enum { DRIVER_POWER_STATE_FAILURE = 0x9F, IRP_HELD = 3 };
    uint64_t code, why, device, irp;
    if (d->file.machine != DFR_MACHINE_X64 ||
        !dfr_container_field(&d->file, DFR_HEADER_CODE, &code) ||
        dfr_bugcheck_code((uint32_t)code) != DRIVER_POWER_STATE_FAILURE ||
        !dfr_container_field(&d->file, DFR_HEADER_ARG1, &why) || why != IRP_HELD)
        return;
    if (dfr_container_field(&d->file, DFR_HEADER_ARG4, &irp))
        put_irp(d, irp);
    if (dfr_container_field(&d->file, DFR_HEADER_ARG2, &device))
        put_devices(d, device);
}
