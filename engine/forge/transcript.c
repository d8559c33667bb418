/* What a debugger prints for the crash of a recipe: its head, the analysis as far as it only repeats
 * what the dump holds, and commands. No verdict of the debugger is made up. */
#include "facts/store.h"
#include "forge/words.h"

static void head(struct dfr_pen *p)
{
    struct dfr_forge *f = p->f;
    struct dfr_str lab = f->r.lab.len ? f->r.lab : dfr_str_from(f->l->lab);
    uint64_t ms = f->r.uptime;
    dfr_pen(p, "Microsoft (R) Windows Debugger Version 10.0.27871.1001 AMD64\n"
               "Copyright (c) Microsoft Corporation. All rights reserved.\n\n\n"
               "Loading Dump File [C:\\Dumps\\crash.dmp]\n"
               "Kernel Bitmap Dump File: Full address space is available\n\n");
    if (f->processors.n > 1)
        dfr_pen(p, "Windows 10 Kernel Version %u MP (%u procs) Free %s\n", (unsigned)f->r.build,
                f->processors.n,
                f->x86     ? "x86 compatible"
                : f->arm64 ? "ARM 64-bit (AArch64)"
                           : "x64");
    else
        dfr_pen(p, "Windows 10 Kernel Version %u UP Free %s\n", (unsigned)f->r.build,
                f->x86     ? "x86 compatible"
                : f->arm64 ? "ARM 64-bit (AArch64)"
                           : "x64");
    dfr_pen(p, "Product: WinNt, suite: TerminalServer SingleUserTS\nEdition build lab: %.*s\n",
            (int)lab.len, lab.p);
    dfr_pen(p, "Kernel base = 0x");
    dfr_pen_address(p, dfr_module_named(f, DFR_STR("nt"))->base);
    dfr_pen(p, " PsLoadedModuleList = 0x");
    dfr_pen_address(p, f->module_list);
    dfr_pen(p, "\nDebug session time: ");
    dfr_pen_date(p, f->r.time, true);
    dfr_pen(p, " (UTC + 0:00)\nSystem Uptime: %u days %u:%02u:%02u.%03u\n",
            (unsigned)(ms / 86400000), (unsigned)(ms / 3600000 % 24), (unsigned)(ms / 60000 % 60),
            (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
}

static void bugcheck(struct dfr_pen *p)
{
    struct dfr_forge *f = p->f;
    uint32_t raw = (uint32_t)f->r.bugcheck.code, code = dfr_bugcheck_code(raw);
    const struct dfr_bugcheck_info *info = dfr_bugcheck_info(code);
    dfr_pen(p, "%s%s (%x)\nArguments:\n", info ? info->name : "Unknown bugcheck code",
            info && raw != code ? "_M" : "", raw);
    for (unsigned i = 0; i < 4; i++) {
        dfr_pen(p, "Arg%u: ", i + 1);
        dfr_pen_plain(p, f->args[i]);
        dfr_pen(p, "%s%s\n", info && info->arg[i][0] ? ", " : "", info ? info->arg[i] : "");
    }
    dfr_pen(p, "\nDebugging Details:\n------------------\n\n");
    dfr_pen(p, "BUGCHECK_CODE:  %x\n\n", raw);
    for (unsigned i = 0; i < 4; i++)
        dfr_pen(p, "BUGCHECK_P%u: %llx\n\n", i + 1, DFR_LLX(f->args[i]));
}

/* The record that a parameter points to. */
static void exceptions(struct dfr_pen *p)
{
    struct dfr_forge *f = p->f;
    for (uint32_t i = 0; i < f->r.exceptions.n; i++) {
        const struct dfr_recipe_exception *e = &f->r.exceptions.v[i];
        struct dfr_ref self = {.node = e->node, .name = e->name};
        uint64_t va = dfr_name_value(f, &self, 0), at = dfr_name_value(f, &e->address, 0);
        dfr_pen(p, "EXCEPTION_RECORD:  ");
        dfr_pen_plain(p, va);
        dfr_pen(p, " -- (.exr 0x");
        dfr_pen_plain(p, va);
        dfr_pen(p, ")\nExceptionAddress: ");
        dfr_pen_plain(p, at);
        dfr_pen(p, " (");
        dfr_pen_symbol(p, at);
        dfr_pen(p, ")\n   ExceptionCode: %08llx%s\n  ExceptionFlags: 00000000\n", DFR_LLX(e->code),
                e->code == 0xC0000005 ? " (Access violation)" : "");
        dfr_pen(p, "NumberParameters: %u\n", e->parameters.n);
        for (uint32_t k = 0; k < e->parameters.n; k++) {
            dfr_pen(p, "   Parameter[%u]: ", k);
            dfr_pen_plain(p, dfr_name_value(f, &e->parameters.v[k], 0));
            dfr_pen(p, "\n");
        }
        if (e->code == 0xC0000005 && e->parameters.n > 1) {
            uint64_t how = dfr_name_value(f, &e->parameters.v[0], 0);
            dfr_pen(p, "Attempt to %s address ",
                    how == 0   ? "read from"
                    : how == 1 ? "write to"
                               : "execute non-executable");
            dfr_pen_plain(p, dfr_name_value(f, &e->parameters.v[1], 0));
            dfr_pen(p, "\n");
        }
        dfr_pen(p, "\n");
    }
}

static uint32_t contexts(struct dfr_pen *p)
{
    struct dfr_forge *f = p->f;
    uint32_t first = 0;
    for (uint32_t i = 0; i < f->r.contexts.n; i++) {
        const struct dfr_recipe_context *c = &f->r.contexts.v[i];
        struct dfr_ref self = {.node = c->node, .name = c->name};
        uint64_t va = dfr_name_value(f, &self, 0);
        uint8_t b[0x4D0];
        dfr_world_get(f, va, b, dfr_forge_context_bytes(f));
        dfr_pen(p, "CONTEXT:  ");
        dfr_pen_plain(p, va);
        dfr_pen(p, " -- (.cxr 0x");
        dfr_pen_plain(p, va);
        dfr_pen(p, ")\n");
        dfr_pen_context(p, b);
        dfr_pen(p, "Resetting default scope\n\n");
        if (c->header)
            first = dfr_forge_frame_named(f, c->frame, c->node);
    }
    return first;
}

void dfr_forge_transcript(struct dfr_forge *f, struct dfr_buf *b)
{
    struct dfr_pen pen = {f, b}, *p = &pen;
    struct dfr_str name = f->r.process.name.len ? f->r.process.name : DFR_STR("System");
    head(p);
    dfr_pen_prompt(p, "!analyze -v");
    dfr_pen(p,
            "*******************************************************************************\n"
            "*                                                                             *\n"
            "*                        Bugcheck Analysis                                    *\n"
            "*                                                                             *\n"
            "*******************************************************************************\n\n");
    bugcheck(p);
    dfr_pen(p, "PROCESS_NAME:  %.*s\n\n", (int)name.len, name.p);
    exceptions(p);
    uint32_t first = contexts(p);
    for (uint32_t i = 0; i < f->frames.n; i++) {
        if (!f->frames.v[i].trap)
            continue;
        dfr_pen(p, "TRAP_FRAME:  ");
        dfr_pen_plain(p, f->frames.v[i].sp);
        dfr_pen(p, " -- (.trap 0x");
        dfr_pen_plain(p, f->frames.v[i].sp);
        dfr_pen(p, ")\n");
        dfr_pen_trap(p, i);
        dfr_pen(p, "Resetting default scope\n\n");
        break;
    }
    dfr_pen(p, "STACK_TEXT:  \n");
    dfr_pen_stack(p, first);
    dfr_pen(p, "\n");
    dfr_pen_listings(p);
}
