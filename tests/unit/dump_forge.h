/* A small dump put together byte by byte: 64-bit header, the block behind it, modules, one unloaded
 * module, a stack, debugger data and three processors. Tests change what they are about. */
#ifndef DFR_TESTS_DUMP_FORGE_H
#define DFR_TESTS_DUMP_FORGE_H

#include <stdint.h>
#include <string.h>

enum {
    FORGE_SIZE = 0x8000,
    FORGE_UNLOADED = 0x2100,
    FORGE_PRCB = 0x2200,
    FORGE_PROCESS = 0x2400,
    FORGE_THREAD = 0x2B00,
    FORGE_STACK = 0x3000,
    FORGE_STACK_SIZE = 0x800,
    FORGE_DRIVERS = 0x3800,
    FORGE_NAMES = 0x3A00,
    FORGE_BLOCKS = 0x3C00,
    FORGE_KDBG = 0x4000,
    FORGE_KDBG_SIZE = 0x380,
    FORGE_CODE = 0x4400,
    FORGE_CONTEXT = 0x4600, /* of the fault, as memory */
    FORGE_RECORD = 0x4B00,  /* exception record, as memory */
    FORGE_LAB = 0x4C00,
    FORGE_ARRAY = 0x4C80,
    FORGE_PRCBS = 0x5000, /* 0x400 captured bytes of each, and its freeze state beside it */
    FORGE_END = 0x7FF0,
};
#define FORGE_KERNEL UINT64_C(0xFFFFF80010000000)
#define FORGE_DRIVER UINT64_C(0xFFFFF80020000000)
#define FORGE_STACK_VA UINT64_C(0xFFFFA00000004000)
#define FORGE_CONTEXT_VA UINT64_C(0xFFFFA00000008000)
#define FORGE_RECORD_VA UINT64_C(0xFFFFA00000009000)
#define FORGE_PRCB_VA UINT64_C(0xFFFFF78000010000)
#define FORGE_IP (FORGE_DRIVER + 0x1234)

static inline void forge16(uint8_t *d, size_t at, uint16_t v)
{
    d[at] = (uint8_t)v;
    d[at + 1] = (uint8_t)(v >> 8);
}

static inline void forge32(uint8_t *d, size_t at, uint32_t v)
{
    forge16(d, at, (uint16_t)v);
    forge16(d, at + 2, (uint16_t)(v >> 16));
}

static inline void forge64(uint8_t *d, size_t at, uint64_t v)
{
    forge32(d, at, (uint32_t)v);
    forge32(d, at + 4, (uint32_t)(v >> 32));
}

static inline void forge_wide(uint8_t *d, size_t at, const char *text)
{
    for (size_t i = 0; text[i]; i++)
        forge16(d, at + 2 * i, (uint8_t)text[i]);
}

static inline void forge_module(uint8_t *d, unsigned i, uint64_t base, uint32_t size,
                                uint32_t stamp, const char *path)
{
    size_t at = FORGE_DRIVERS + 0x90u * i, name = FORGE_NAMES + 0x80u * i;
    forge32(d, at, (uint32_t)name);
    forge64(d, at + 0x38, base);
    forge32(d, at + 0x48, size);
    forge32(d, at + 0x80, 0x1000 + i);
    forge32(d, at + 0x88, stamp);
    forge32(d, name, (uint32_t)strlen(path));
    forge_wide(d, name + 4, path);
}

static inline void forge_block(uint8_t *d, unsigned i, uint64_t va, uint32_t off, uint32_t size)
{
    forge64(d, FORGE_BLOCKS + 16u * i, va);
    forge32(d, FORGE_BLOCKS + 16u * i + 8, off);
    forge32(d, FORGE_BLOCKS + 16u * i + 12, size);
}

/* The header alone: of `type`, the rest filled as the kernel leaves it. */
static inline void forge_header(uint8_t *d, uint32_t type)
{
    for (size_t at = 0; at < 0x2000; at += 4)
        memcpy(d + at, "PAGE", 4);
    memcpy(d, "PAGEDU64", 8);
    forge32(d, 0x008, 15);
    forge32(d, 0x00C, 19041);
    forge32(d, 0x030, 0x8664);
    forge32(d, 0x034, 3);
    forge32(d, 0x038, 0x1000007E);
    forge64(d, 0x040, UINT64_C(0xFFFFFFFFC0000005));
    forge64(d, 0x048, FORGE_IP);
    forge64(d, 0x050, FORGE_RECORD_VA);
    forge64(d, 0x058, FORGE_CONTEXT_VA);
    forge64(d, 0x080, FORGE_KERNEL + 0x5000);
    forge32(d, 0xF98, type);
    forge64(d, 0xFA8, UINT64_C(133485408000000000)); /* 2024-01-01 00:00:00 */
    forge64(d, 0x1030, UINT64_C(36000000000));       /* an hour */
}

/* A context record at `at`. */
static inline void forge_context(uint8_t *d, size_t at, uint64_t ip, uint64_t sp)
{
    forge32(d, at + 0x30, 0x10001F);
    forge16(d, at + 0x38, 0x10);
    forge16(d, at + 0x42, 0x18);
    forge32(d, at + 0x44, 0x10246);
    forge64(d, at + 0x78, 0xA);
    forge64(d, at + 0x98, sp);
    forge64(d, at + 0xF8, ip);
}

static inline void forge_kdbg(uint8_t *d)
{
    size_t k = FORGE_KDBG;
    memcpy(d + k + 0x10, "KDBG", 4);
    forge32(d, k + 0x14, FORGE_KDBG_SIZE);
    forge64(d, k + 0x18, FORGE_KERNEL);
    forge64(d, k + 0x208, FORGE_KERNEL + 0x6000); /* build lab */
    forge64(d, k + 0x218, FORGE_KERNEL + 0x7000); /* processors */
    forge16(d, k + 0x2A8, 0xA40);
    forge16(d, k + 0x2B0, 0xAF00);
    forge16(d, k + 0x2B4, 8);
    forge16(d, k + 0x2B6, 0x44);
    forge16(d, k + 0x2BE, 0x24);
    forge16(d, k + 0x2F2, 0x100);
    forge32(d, k + 0x340, 0x30);
    forge32(d, k + 0x344, 0x38);
    forge16(d, k + 0x350, 0x18);
}

static inline void forge_prcb(uint8_t *d, size_t at, uint32_t number)
{
    forge64(d, at + 8, UINT64_C(0xFFFFB00000001000) + number * 0x1000u);
    forge64(d, at + 0x18, UINT64_C(0xFFFFB00000002000));
    forge32(d, at + 0x24, number);
    forge32(d, at + 0x44, 3600);
    forge64(d, at + 0x1A0, 2);
}

/* Processor 0 crashed; 1 stopped as it was told; 2 never answered. */
static inline void forge_triage(uint8_t *d)
{
    static const uint32_t states[] = {0, 2, 5};
    memset(d, 0, FORGE_SIZE);
    forge_header(d, 4);
    static const uint32_t block[][2] = {
        {0x04, FORGE_END + 4},
        {0x08, FORGE_END},
        {0x0C, 0x348},
        {0x10, 0xF00},
        {0x18, FORGE_UNLOADED},
        {0x1C, FORGE_PRCB},
        {0x20, FORGE_PROCESS},
        {0x24, FORGE_THREAD},
        {0x28, FORGE_STACK},
        {0x2C, FORGE_STACK_SIZE},
        {0x30, FORGE_DRIVERS},
        {0x34, 2},
        {0x44, 0xFFFFFFFF},
        {0x70, FORGE_KDBG},
        {0x74, FORGE_KDBG_SIZE},
        {0x78, FORGE_BLOCKS},
        {0x7C, 11},
    };
    for (size_t i = 0; i < sizeof block / sizeof *block; i++)
        forge32(d, 0x2000 + block[i][0], block[i][1]);
    forge64(d, 0x2048, FORGE_STACK_VA);
    memcpy(d + FORGE_END, "TRGD", 4);

    forge64(d, FORGE_UNLOADED, 1);
    forge16(d, FORGE_UNLOADED + 8, 34);
    forge_wide(d, FORGE_UNLOADED + 0x18, "dump_storpor");
    forge64(d, FORGE_UNLOADED + 0x30, UINT64_C(0xFFFFF80030000000));
    forge64(d, FORGE_UNLOADED + 0x38, UINT64_C(0xFFFFF80030010000));

    forge_module(d, 0, FORGE_KERNEL, 0x100000, 0xF1234567, "\\SystemRoot\\system32\\ntoskrnl.exe");
    forge_module(d, 1, FORGE_DRIVER, 0x10000, 0x63000000, "\\??\\C:\\exdisk.sys");
    forge_kdbg(d);
    forge_prcb(d, FORGE_PRCB, 0);
    memcpy(d + FORGE_PROCESS + 0x5A8, "tool.exe", 8);
    forge64(d, FORGE_THREAD + 0x30, UINT64_C(0xFFFFA00000001000));
    forge64(d, FORGE_THREAD + 0x38, UINT64_C(0xFFFFA00000005000));
    forge_context(d, FORGE_CONTEXT, FORGE_IP, FORGE_STACK_VA + 0x10);
    forge_context(d, 0x348, FORGE_KERNEL + 0x2000, FORGE_STACK_VA);
    forge32(d, FORGE_RECORD, 0xC0000005);
    forge64(d, FORGE_RECORD + 0x10, FORGE_IP);
    forge32(d, FORGE_RECORD + 0x18, 2);
    forge64(d, FORGE_RECORD + 0x20, 1);
    forge64(d, FORGE_RECORD + 0x28, UINT64_C(0x1010));
    memcpy(d + FORGE_LAB, "19041.1.amd64fre.vb_release", 27);

    /* Behind a call, behind none, not captured, no code at all. */
    memcpy(d + FORGE_CODE + 0x43, "\xE8\1\2\3\4", 5);
    forge64(d, FORGE_STACK + 0x20, FORGE_DRIVER + 0x2048);
    forge64(d, FORGE_STACK + 0x28, FORGE_DRIVER + 0x2060);
    forge64(d, FORGE_STACK + 0x30, FORGE_KERNEL + 0x9000);
    forge64(d, FORGE_STACK + 0x38, FORGE_DRIVER);

    unsigned n = 0;
    forge_block(d, n++, FORGE_DRIVER + 0x2000, FORGE_CODE, 0x100);
    forge_block(d, n++, FORGE_CONTEXT_VA, FORGE_CONTEXT, 0x4D0);
    forge_block(d, n++, FORGE_RECORD_VA, FORGE_RECORD, 0x98);
    forge_block(d, n++, FORGE_KERNEL + 0x6000, FORGE_LAB, 0x80);
    forge_block(d, n++, FORGE_KERNEL + 0x7000, FORGE_ARRAY, 0x20);
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t va = FORGE_PRCB_VA + i * UINT64_C(0x10000);
        uint32_t off = FORGE_PRCBS + i * 0x800;
        forge64(d, FORGE_ARRAY + 8u * i, va);
        forge_prcb(d, off, i);
        forge32(d, off + 0x400, states[i]);
        forge_block(d, n++, va, off, 0x400);
        forge_block(d, n++, va + 0x2D88, off + 0x400, 0x10);
    }
}

#define FORGE_OBJECTS_VA UINT64_C(0xFFFFB00000010000)
enum { FORGE_OBJECTS = 0x6800, FORGE_PDO = 0x200, FORGE_FDO = 0x300 };

/* A power request that waits at the driver of nt, on top of the device of exdisk. */
static inline void forge_power(uint8_t *d)
{
    const uint64_t va = FORGE_OBJECTS_VA;
    size_t o = FORGE_OBJECTS, at = o + 0xD0 + 0x48;
    forge_triage(d);
    forge32(d, 0x38, 0x9F);
    forge64(d, 0x40, 3);
    forge64(d, 0x48, va + FORGE_PDO);
    forge64(d, 0x58, va);
    forge32(d, 0x207C, 12);
    forge_block(d, 11, va, (uint32_t)o, 0x800);
    forge16(d, o, 6);
    d[o + 0x42] = 3;
    d[o + 0x43] = 2;
    forge64(d, o + 0xB8, va + 0xD0 + 0x48);
    d[at] = 0x16;
    d[at + 1] = 2;
    forge64(d, at + 0x28, va + FORGE_FDO);
    forge64(d, at + 0x38, FORGE_DRIVER + 0x40);
    forge16(d, o + FORGE_PDO, 3);
    forge64(d, o + FORGE_PDO + 8, va + 0x400);
    forge64(d, o + FORGE_PDO + 0x18, va + FORGE_FDO);
    forge16(d, o + FORGE_FDO, 3);
    forge64(d, o + FORGE_FDO + 8, va + 0x500);
    forge16(d, o + 0x400, 4);
    forge64(d, o + 0x418, FORGE_DRIVER);
    forge16(d, o + 0x500, 4);
    forge64(d, o + 0x518, FORGE_KERNEL);
}

#endif
