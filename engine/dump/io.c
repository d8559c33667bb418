/* Objects of the I/O manager that a bug check is about: the request, where it waits, and the devices
 * stacked on the one that does not answer. Offsets: public headers (request, device, driver), types
 * of public symbol files (device extension, device node); on x64 observed on one dump that captured
 * all of it, but for the device node. */
#include "base/limits.h"
#include "base/utf16.h"
#include "dump/reader.h"

enum { DRIVER_TYPE = 4, DEVICE_TYPE = 3, EXTENSION_TYPE = 13, IRP_TYPE = 6 };

struct layout {
    uint16_t irp_count, irp_current; /* u8 each; the lowest location is 1 */
    uint16_t irp_thread, irp_location, irp_bytes;
    uint16_t location_bytes, location_device, location_completion;
    uint16_t device_driver, device_attached, device_extension;
    uint16_t extension_device, extension_node, extension_attached_to;
    uint16_t driver_start, driver_name; /* a counted string: u16 bytes, its buffer a pointer on */
    uint16_t node_device, node_instance, node_service;
};
static const struct layout wide = {
    .irp_count = 0x42,
    .irp_current = 0x43,
    .irp_thread = 0x98,
    .irp_location = 0xB8,
    .irp_bytes = 0xD0,
    .location_bytes = 0x48,
    .location_device = 0x28,
    .location_completion = 0x38,
    .device_driver = 0x08,
    .device_attached = 0x18,
    .device_extension = 0x138,
    .extension_device = 0x08,
    .extension_node = 0x28,
    .extension_attached_to = 0x30,
    .driver_start = 0x18,
    .driver_name = 0x38,
    .node_device = 0x20,
    .node_instance = 0x28,
    .node_service = 0x38,
};
static const struct layout narrow = {
    .irp_count = 0x22,
    .irp_current = 0x23,
    .irp_thread = 0x50,
    .irp_location = 0x60,
    .irp_bytes = 0x70,
    .location_bytes = 0x24,
    .location_device = 0x14,
    .location_completion = 0x1C,
    .device_driver = 0x08,
    .device_attached = 0x10,
    .device_extension = 0xB0,
    .extension_device = 0x04,
    .extension_node = 0x14,
    .extension_attached_to = 0x18,
    .driver_start = 0x0C,
    .driver_name = 0x1C,
    .node_device = 0x10,
    .node_instance = 0x14,
    .node_service = 0x1C,
};

static const struct layout *layout(const struct dfr_dump *d)
{
    return d->file.wide ? &wide : &narrow;
}

/* An object at a kernel address: its first word is its type. */
static bool is_object(const struct dfr_dump *d, uint64_t va, uint16_t type)
{
    uint16_t u;
    return dfr_dump_is_kernel(d, va) && dfr_space_u16(&d->memory, va, &u) && u == type;
}

/* A counted string of the kernel. */
static bool string_at(struct dfr_dump *d, uint64_t va, struct dfr_str *ret)
{
    uint16_t bytes;
    uint64_t buffer;
    uint8_t *units;
    if (!dfr_space_u16(&d->memory, va, &bytes) || !bytes || bytes % 2 ||
        bytes > 2 * DFR_LIMIT_DUMP_NAME_UNITS ||
        !dfr_space_ptr(&d->memory, va + dfr_dump_pointer_bytes(d), &buffer) ||
        !dfr_dump_is_kernel(d, buffer))
        return false;
    units = dfr_arena_alloc(d->arena, bytes);
    if (!dfr_space_copy(&d->memory, buffer, units, bytes))
        return false;
    *ret = dfr_utf16_text(d->arena, (struct dfr_span){units, bytes});
    return ret->len > 0;
}

static bool image_name(const struct dfr_dump *d, uint64_t address, struct dfr_str *ret)
{
    const struct dfr_image *image = dfr_dump_image_at(d, address);
    const struct dfr_value *name =
        image ? dfr_facts_at(d->facts, DFR_F_MODULES_NAME, image->row) : NULL;
    if (!name || name->state != DFR_KNOWN)
        return false;
    *ret = dfr_value_str(name);
    return true;
}

/* The module of a device's driver: where its driver begins, else the module that the driver object
 * is named for (\Driver\name), which is as a rule that of its file. */
static bool driver_of(struct dfr_dump *d, uint64_t device, struct dfr_value *ret)
{
    const struct layout *l = layout(d);
    uint64_t driver, start;
    struct dfr_str name;
    if (!is_object(d, device, DEVICE_TYPE) ||
        !dfr_space_ptr(&d->memory, device + l->device_driver, &driver) ||
        !is_object(d, driver, DRIVER_TYPE))
        return false;
    if (!dfr_space_ptr(&d->memory, driver + l->driver_start, &start) ||
        !image_name(d, start, &name)) {
        if (!string_at(d, driver + l->driver_name, &name))
            return false;
        size_t from = name.len;
        while (from && name.p[from - 1] != '\\')
            from--;
        name = dfr_str_slice(name, from, name.len);
        if (dfr_facts_find_module(d->facts, name) == UINT32_MAX)
            return false;
    }
    *ret = dfr_facts_module(d->facts, name);
    return true;
}

/* Where a request stands: at one of its locations, at none any more, or the two places that tell
 * contradict each other. */
enum stand { WAITS, COMPLETED, CONTRADICTORY };
struct request {
    uint64_t va;
    uint32_t row;
    enum stand stand;
    uint8_t count, current;
};

static void put_current(struct dfr_dump *d, const struct request *r, uint64_t device, uint8_t major,
                        uint8_t minor, const struct dfr_value *driver, uint32_t place)
{
    dfr_dump_cell(d, DFR_F_IRPS_MAJOR, r->row, dfr_v_int(major), place);
    dfr_dump_cell(d, DFR_F_IRPS_MINOR, r->row, dfr_v_int(minor), place);
    dfr_dump_cell(d, DFR_F_IRPS_DEVICE, r->row, dfr_v_addr(device), place);
    if (driver)
        dfr_dump_cell(d, DFR_F_IRPS_OWNER, r->row, *driver, place);
}

static void put_location(struct dfr_dump *d, const struct request *r, uint32_t i)
{
    const struct layout *l = layout(d);
    uint64_t va = r->va + l->irp_bytes + (uint64_t)i * l->location_bytes, device, completion;
    uint8_t major, minor;
    struct dfr_value driver;
    struct dfr_str name;
    bool current = r->stand == WAITS && i + 1 == r->current;
    if (!dfr_space_u8(&d->memory, va, &major) || !dfr_space_u8(&d->memory, va + 1, &minor) ||
        !dfr_space_ptr(&d->memory, va + l->location_device, &device) ||
        !dfr_space_ptr(&d->memory, va + l->location_completion, &completion))
        return;
    uint32_t row = dfr_facts_row(d->facts, DFR_T_IRP_STACK), place = dfr_dump_place(d, va, 1);
    if (row == UINT32_MAX)
        return;
    dfr_dump_cell(d, DFR_F_IRP_STACK_IRP, row, dfr_v_addr(r->va), place);
    dfr_dump_cell(d, DFR_F_IRP_STACK_INDEX, row, dfr_v_int(i), place);
    dfr_dump_cell(d, DFR_F_IRP_STACK_CURRENT, row,
                  r->stand == CONTRADICTORY ? dfr_v_unknown(DFR_KIND_BOOL, DFR_REASON_DAMAGED)
                                            : dfr_v_bool(current),
                  place);
    dfr_dump_cell(d, DFR_F_IRP_STACK_MAJOR, row, dfr_v_int(major), place);
    dfr_dump_cell(d, DFR_F_IRP_STACK_MINOR, row, dfr_v_int(minor), place);
    dfr_dump_cell(d, DFR_F_IRP_STACK_DEVICE, row, dfr_v_addr(device), place);
    const struct dfr_image *image = dfr_dump_image_at(d, completion);
    if (image && image_name(d, completion, &name)) {
        struct dfr_sym sym = {name, DFR_STR(""), completion - image->base, true};
        dfr_dump_cell(d, DFR_F_IRP_STACK_COMPLETION, row, dfr_facts_sym(d->facts, sym), place);
    }
    bool named = driver_of(d, device, &driver);
    if (named)
        dfr_dump_cell(d, DFR_F_IRP_STACK_DRIVER, row, driver, place);
    if (current)
        put_current(d, r, device, major, minor, named ? &driver : NULL, place);
}

/* The request. Its current location is believed when number and pointer agree; one behind the last
 * is that of a request that is done. */
static void put_irp(struct dfr_dump *d, uint64_t irp)
{
    const struct layout *l = layout(d);
    enum { MOST_LOCATIONS = 64, MOST_BYTES = 0x10000 };
    struct request r = {.va = irp};
    uint64_t location, thread;
    if (!is_object(d, irp, IRP_TYPE) || irp > UINT64_MAX - MOST_BYTES ||
        !dfr_space_u8(&d->memory, irp + l->irp_count, &r.count) || !r.count ||
        r.count > MOST_LOCATIONS || !dfr_space_u8(&d->memory, irp + l->irp_current, &r.current) ||
        !dfr_space_ptr(&d->memory, irp + l->irp_location, &location))
        return;
    bool agree =
        r.current && location == irp + l->irp_bytes + (uint64_t)(r.current - 1) * l->location_bytes;
    r.stand = agree && r.current <= r.count       ? WAITS
              : agree && r.current == r.count + 1 ? COMPLETED
                                                  : CONTRADICTORY;
    r.row = dfr_facts_row(d->facts, DFR_T_IRPS);
    if (r.row == UINT32_MAX)
        return;
    uint32_t place = dfr_dump_place(d, irp, l->irp_bytes);
    dfr_dump_cell(d, DFR_F_IRPS_ADDR, r.row, dfr_v_addr(irp), place);
    if (r.stand != CONTRADICTORY)
        dfr_dump_cell(d, DFR_F_IRPS_PENDING, r.row, dfr_v_bool(r.stand == WAITS), place);
    if (dfr_space_ptr(&d->memory, irp + l->irp_thread, &thread) && dfr_dump_is_kernel(d, thread))
        dfr_dump_cell(d, DFR_F_IRPS_THREAD, r.row, dfr_v_addr(thread), place);
    for (uint32_t i = 0; i < r.count; i++)
        put_location(d, &r, i);
}

/* The node of a physical device, believed when it names that device. */
static void put_node(struct dfr_dump *d, uint64_t device)
{
    const struct layout *l = layout(d);
    uint64_t extension, node, u;
    struct dfr_str s;
    if (!dfr_space_ptr(&d->memory, device + l->device_extension, &extension) ||
        !is_object(d, extension, EXTENSION_TYPE) ||
        !dfr_space_ptr(&d->memory, extension + l->extension_node, &node) ||
        !dfr_dump_is_kernel(d, node) || !dfr_space_ptr(&d->memory, node + l->node_device, &u) ||
        u != device)
        return;
    uint32_t row = dfr_facts_row(d->facts, DFR_T_DEVNODES);
    if (row == UINT32_MAX)
        return;
    uint32_t place = dfr_dump_place(d, node, 1);
    dfr_dump_cell(d, DFR_F_DEVNODES_ADDR, row, dfr_v_addr(node), place);
    if (string_at(d, node + l->node_instance, &s))
        dfr_dump_cell(d, DFR_F_DEVNODES_INSTANCE, row, dfr_v_str(s), place);
    if (string_at(d, node + l->node_service, &s))
        dfr_dump_cell(d, DFR_F_DEVNODES_SERVICE, row, dfr_facts_module(d->facts, s), place);
}

enum { MOST_DEVICES = 32 };

static bool listed(const uint64_t *list, uint32_t n, uint64_t va)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == va)
            return true;
    return false;
}

/* The device at the bottom of a stack: each extension names the device below. */
static uint64_t bottom_of(const struct dfr_dump *d, uint64_t device)
{
    const struct layout *l = layout(d);
    uint64_t seen[MOST_DEVICES], extension, below;
    uint32_t n = 0;
    while (n < MOST_DEVICES &&
           dfr_space_ptr(&d->memory, device + l->device_extension, &extension) &&
           is_object(d, extension, EXTENSION_TYPE) &&
           dfr_space_ptr(&d->memory, extension + l->extension_attached_to, &below) &&
           is_object(d, below, DEVICE_TYPE) && !listed(seen, n, below)) {
        seen[n++] = device;
        device = below;
    }
    return device;
}

/* The stack that holds a device, top first: each device names the one attached above it. */
static void put_devices(struct dfr_dump *d, uint64_t asked)
{
    const struct layout *l = layout(d);
    uint64_t stack[MOST_DEVICES];
    uint32_t n = 0;
    if (!is_object(d, asked, DEVICE_TYPE))
        return;
    uint64_t bottom = bottom_of(d, asked), va = bottom;
    while (n < MOST_DEVICES && is_object(d, va, DEVICE_TYPE)) {
        if (listed(stack, n, va))
            return; /* a damaged chain that bites its tail */
        stack[n++] = va;
        if (!dfr_space_ptr(&d->memory, va + l->device_attached, &va))
            va = 0;
    }
    for (uint32_t i = n; i > 0; i--) {
        struct dfr_value driver;
        uint32_t row = dfr_facts_row(d->facts, DFR_T_DEVICES);
        if (row == UINT32_MAX)
            return;
        uint32_t place = dfr_dump_place(d, stack[i - 1], 1);
        dfr_dump_cell(d, DFR_F_DEVICES_ADDR, row, dfr_v_addr(stack[i - 1]), place);
        dfr_dump_cell(d, DFR_F_DEVICES_STACK, row, dfr_v_int(1), place);
        dfr_dump_cell(d, DFR_F_DEVICES_ASKED, row, dfr_v_bool(stack[i - 1] == asked), place);
        if (driver_of(d, stack[i - 1], &driver))
            dfr_dump_cell(d, DFR_F_DEVICES_DRIVER, row, driver, place);
    }
    put_node(d, bottom);
}

/* Parameters that are a request or a device, by bug check and, where `kind` is not ANY, its first
 * parameter. Documented. */
enum { ANY = 0xFFFF };
static const struct {
    uint32_t code;
    uint16_t kind;
    uint8_t irp, device; /* 1 to 4, 0: none */
} objects[] = {
    {0x35, ANY, 1, 0}, {0x44, ANY, 1, 0}, {0x48, ANY, 1, 0}, {0x7B, ANY, 0, 1},
    {0x9F, 1, 0, 2},   {0x9F, 2, 0, 2},   {0x9F, 3, 4, 2},   {0x9F, 5, 0, 2},
};

void dfr_dump_io(struct dfr_dump *d)
{
    uint32_t code = dfr_dump_code(d);
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        if (objects[i].code != code ||
            (objects[i].kind != ANY && dfr_dump_arg(d, 1) != objects[i].kind))
            continue;
        if (objects[i].irp)
            put_irp(d, dfr_dump_arg(d, objects[i].irp));
        if (objects[i].device)
            put_devices(d, dfr_dump_arg(d, objects[i].device));
    }
}
