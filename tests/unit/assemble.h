/* A small assembler for tests: words to a program, and words to facts. One statement per line.
 *
 *   code      instructions on one line, separated by blanks: `scalar bugcheck.code const i:8 eq`;
 *             a label stands as `name:`; FOLD takes quantifier and slot, OF quantifier and number
 *   constants i:5 a:0xff s:text m:iaStor b:1 t:LO..HI d:MS v:1.2.3.4 e:arch:x64 none
 *   patterns  nt!KiFoo  nt!Ki*  "text*"  /regex/ or /regex/i
 *   program   list: CONST ...  |  records: N: CONST ...  |  fact: CODE  |  fn: N: CODE  |  let: CODE
 *   facts     set PATH CONST | unknown PATH | absent PATH | complete TABLE | begun TABLE
 *             row TABLE COLUMN=CONST ...
 * A `_` in a text constant stands for a blank. */
#ifndef DFR_TESTS_ASSEMBLE_H
#define DFR_TESTS_ASSEMBLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "code/build.h"
#include "vm/vm.h"

#define MAYBE_UNUSED __attribute__((unused))

struct assembler {
    struct dfr_arena *a;
    struct dfr_program *p;
    struct dfr_builder b;
    bool failed;
};

static MAYBE_UNUSED void assembler_init(struct assembler *as, struct dfr_arena *a,
                                        struct dfr_program *p)
{
    *as = (struct assembler){.a = a, .p = p};
    dfr_program_init(p, a);
    dfr_builder_init(&as->b, p);
}

static bool asm_word(const char **at, char *ret, size_t size)
{
    while (**at == ' ')
        ++*at;
    size_t n = 0;
    for (; **at && **at != ' ' && **at != '\n'; ++*at)
        if (n + 1 < size)
            ret[n++] = **at;
    ret[n] = 0;
    return n > 0;
}

static struct dfr_ptext asm_text(struct assembler *as, const char *s, size_t len)
{
    char copy[256];
    for (size_t i = 0; i < len && i < sizeof copy; i++)
        copy[i] = s[i] == '_' ? ' ' : s[i];
    return dfr_build_text(&as->b, (struct dfr_str){copy, len < sizeof copy ? len : sizeof copy});
}

static uint32_t asm_const(struct assembler *as, const char *w)
{
    struct dfr_pconst c = dfr_const_absent();
    const char *v = w[0] && w[1] ? w + 2 : w;
    char *rest;
    if (strcmp(w, "none") == 0) {
        ;
    } else if (w[0] == 'i') {
        c = dfr_const_int(strtoll(v, NULL, 0));
    } else if (w[0] == 'a') {
        c = dfr_const_addr(strtoull(v, NULL, 0));
    } else if (w[0] == 'b') {
        c = dfr_const_bool(v[0] == '1');
    } else if (w[0] == 's') {
        c = dfr_const_text(DFR_KIND_STR, asm_text(as, v, strlen(v)));
    } else if (w[0] == 'm') {
        c = dfr_const_text(DFR_KIND_MODULE, dfr_build_text(&as->b, dfr_str_from(v)));
    } else if (w[0] == 't' || w[0] == 'd') {
        long long lo = strtoll(v, &rest, 0), hi = *rest == '.' ? strtoll(rest + 2, NULL, 0) : lo;
        c = dfr_const_span(w[0] == 't' ? DFR_KIND_TIME : DFR_KIND_DUR, lo, hi);
    } else if (w[0] == 'v') {
        uint32_t part[4] = {0};
        for (int i = 0; i < 4 && *v; i++) {
            part[i] = (uint32_t)strtoul(v, &rest, 10);
            v = *rest == '.' ? rest + 1 : rest;
        }
        c = dfr_const_ver(part);
    } else if (w[0] == 'e') {
        const char *colon = strchr(v, ':');
        for (uint32_t t = 0; colon && t < DFR_E_COUNT; t++)
            if (strncmp(dfr_enum_name(t), v, (size_t)(colon - v)) == 0)
                c = dfr_const_enum(t, dfr_enum_find(t, dfr_str_from(colon + 1)));
    } else {
        as->failed = true;
    }
    return dfr_build_const(&as->b, c);
}

static uint32_t asm_pattern(struct assembler *as, const char *w)
{
    struct dfr_ppattern t = {0};
    size_t len = strlen(w);
    const char *bang = strchr(w, '!');
    if (w[0] == '/') {
        const char *end = strrchr(w, '/');
        t.kind = DFR_PATTERN_REGEX;
        t.text = dfr_build_text(&as->b, (struct dfr_str){w + 1, (size_t)(end - w - 1)});
        t.fold_case = end[1] == 'i';
    } else if (w[0] == '"') {
        t.kind = DFR_PATTERN_STRING;
        t.text = asm_text(as, w + 1, len - 2);
    } else if (bang) {
        t.kind = strchr(w, '*') || strchr(w, '?') ? DFR_PATTERN_GLOB : DFR_PATTERN_EXACT;
        t.module = dfr_build_text(&as->b, (struct dfr_str){w, (size_t)(bang - w)});
        t.func = dfr_build_text(&as->b, dfr_str_from(bang + 1));
        t.text = dfr_build_text(&as->b, dfr_str_from(w));
    } else {
        as->failed = true;
    }
    return dfr_build_pattern(&as->b, t);
}

static uint32_t asm_seq(struct assembler *as, char *w)
{
    struct dfr_pseq s = {.first = as->p->seq_patterns.n};
    char *colon = strchr(w, ':'), *save = NULL;
    s.within = (uint32_t)strtoul(w, NULL, 10);
    for (char *t = colon ? strtok_r(colon + 1, ",", &save) : NULL; t;
         t = strtok_r(NULL, ",", &save)) {
        uint32_t pattern = asm_pattern(as, t);
        *DFR_PUSH(as->a, &as->p->seq_patterns) = pattern;
        s.count++;
    }
    *DFR_PUSH(as->a, &as->p->seqs) = s;
    return as->p->seqs.n - 1;
}

static uint32_t asm_fold(const char *w, uint32_t *ret_n)
{
    static const char *const words[] = {"any", "all", "none", "count", "first", "least"};
    const char *colon = strchr(w, ':');
    *ret_n = colon ? (uint32_t)strtoul(colon + 1, NULL, 10) : 0;
    for (uint32_t i = 0; i < 6; i++)
        if (strncmp(w, words[i], strlen(words[i])) == 0)
            return i;
    return 9;
}

static uint32_t asm_operand(struct assembler *as, uint32_t kind, char *w)
{
    struct dfr_str s = dfr_str_from(w);
    switch ((enum dfr_operand)kind) {
    case DFR_OPERAND_CONST:
        return asm_const(as, w);
    case DFR_OPERAND_SCALAR:
    case DFR_OPERAND_COLUMN:
        return dfr_field_find(s);
    case DFR_OPERAND_TABLE: {
        uint32_t f = dfr_field_find(s);
        return f < DFR_F_COUNT ? dfr_field_info(f)->table : f;
    }
    case DFR_OPERAND_BUILTIN:
        for (uint32_t i = 0; i < DFR_B_COUNT; i++)
            if (strcmp(dfr_builtin_info(i)->name, w) == 0)
                return i;
        as->failed = true;
        return 0;
    case DFR_OPERAND_PATTERN:
        return asm_pattern(as, w);
    case DFR_OPERAND_SEQ:
        return asm_seq(as, w);
    default:
        return (uint32_t)strtoul(w, NULL, 0);
    }
}

struct asm_label {
    char name[16];
    uint32_t skip;
};

/* One line of code to a chunk. */
static uint32_t assemble_code(struct assembler *as, const char *line, uint32_t args, uint32_t slots,
                              uint32_t rule)
{
    struct dfr_emit e;
    dfr_emit_init(&e, &as->b);
    char w[128], v[128];
    uint32_t folds[8], fold_count = 0, labels = 0, n;
    struct asm_label label[16];
    while (asm_word(&line, w, sizeof w)) {
        size_t len = strlen(w);
        if (w[len - 1] == ':') {
            w[len - 1] = 0;
            for (uint32_t i = 0; i < labels; i++)
                if (strcmp(label[i].name, w) == 0)
                    dfr_emit_here(&e, label[i].skip);
            continue;
        }
        uint32_t op = 0;
        while (op < DFR_OP_COUNT && strcasecmp(dfr_op_info(op)->name, w) != 0)
            op++;
        if (op == DFR_OP_COUNT) {
            as->failed = true;
            break;
        }
        if (op == DFR_OP_NEXT && fold_count) {
            dfr_emit_next(&e, folds[--fold_count]);
            continue;
        }
        if (dfr_op_info(op)->operand == DFR_OPERAND_NONE) {
            dfr_emit(&e, (enum dfr_op)op, 0);
            continue;
        }
        asm_word(&line, v, sizeof v);
        if (op == DFR_OP_FOLD || op == DFR_OP_OF) {
            uint32_t kind = asm_fold(v, &n), number;
            asm_word(&line, v, sizeof v);
            number = (uint32_t)strtoul(v, NULL, 0);
            if (op == DFR_OP_FOLD && fold_count < 8)
                folds[fold_count++] = dfr_emit_fold(&e, (enum dfr_fold)kind, number, n);
            else
                dfr_emit_of(&e, (enum dfr_fold)kind, n, number);
        } else if ((op == DFR_OP_AND_SKIP || op == DFR_OP_OR_SKIP) && labels < 16) {
            snprintf(label[labels].name, sizeof label[0].name, "%.15s", v);
            label[labels++].skip = dfr_emit_skip(&e, (enum dfr_op)op);
        } else {
            dfr_emit(&e, (enum dfr_op)op, asm_operand(as, dfr_op_info(op)->operand, v));
        }
    }
    return dfr_emit_end(&e, args, slots, rule);
}

enum { ASM_SLOTS = 4 };

/* Lines of declarations; lets belong to rule 0, which is made for them. */
static MAYBE_UNUSED void assemble_program(struct assembler *as, const char *text)
{
    struct dfr_program *p = as->p;
    while (text && *text) {
        char w[128], v[128];
        asm_word(&text, w, sizeof w);
        if (strcmp(w, "list:") == 0 || strcmp(w, "records:") == 0) {
            uint32_t columns = 1, n = 0;
            if (w[0] == 'r') {
                asm_word(&text, v, sizeof v);
                columns = (uint32_t)strtoul(v, NULL, 0);
            }
            struct dfr_plist l = {
                .columns = columns, .first_column = p->column_names.n, .first_cell = p->cells.n};
            for (uint32_t i = 0; i < columns; i++)
                *DFR_PUSH(as->a, &p->column_names) = (struct dfr_ptext){0};
            for (; asm_word(&text, v, sizeof v); n++) {
                uint32_t c = strcmp(v, "-") == 0 ? DFR_NONE : asm_const(as, v);
                *DFR_PUSH(as->a, &p->cells) = c;
            }
            l.rows = n / columns;
            *DFR_PUSH(as->a, &p->lists) = l;
        } else if (strcmp(w, "fact:") == 0) {
            uint32_t c = assemble_code(as, text, 0, ASM_SLOTS, DFR_NONE);
            *DFR_PUSH(as->a, &p->facts) = (struct dfr_pfact){.chunk = c};
        } else if (strcmp(w, "fn:") == 0) {
            asm_word(&text, v, sizeof v);
            uint32_t args = (uint32_t)strtoul(v, NULL, 0);
            uint32_t c = assemble_code(as, text, args, ASM_SLOTS, DFR_NONE);
            *DFR_PUSH(as->a, &p->fns) = (struct dfr_pfn){.chunk = c, .args = args};
        } else if (strcmp(w, "let:") == 0) {
            if (!p->rules.n)
                *DFR_PUSH(as->a, &p->rules) = (struct dfr_prule){.each_list = DFR_NONE,
                                                                 .unless = DFR_NONE,
                                                                 .cause = DFR_NONE,
                                                                 .subject = DFR_NONE,
                                                                 .source.file = DFR_NONE};
            uint32_t c = assemble_code(as, text, 0, ASM_SLOTS, 0);
            *DFR_PUSH(as->a, &p->let_chunks) = c;
            p->rules.v[0].let_count++;
        } else {
            as->failed = true;
        }
        while (*text && *text != '\n')
            text++;
        text += *text == '\n';
    }
}

/* Lines of facts to givens of one test. */
static MAYBE_UNUSED void assemble_facts(struct assembler *as, const char *text)
{
    struct dfr_program *p = as->p;
    struct dfr_ptest test = {.given = p->givens.n, .source.file = DFR_NONE};
    uint32_t rows[DFR_T_COUNT] = {0};
    while (text && *text) {
        char w[128], v[128], c[128];
        asm_word(&text, w, sizeof w);
        asm_word(&text, v, sizeof v);
        struct dfr_pgiven g = {.field = dfr_field_find(dfr_str_from(v)), .source.file = DFR_NONE};
        as->failed = as->failed || g.field == DFR_F_COUNT;
        if (strcmp(w, "set") == 0) {
            asm_word(&text, c, sizeof c);
            g.constant = asm_const(as, c);
            *DFR_PUSH(as->a, &p->givens) = g;
        } else if (strcmp(w, "row") == 0 && g.field < DFR_F_COUNT) {
            g.row = rows[dfr_field_info(g.field)->table]++;
            uint32_t table = dfr_field_info(g.field)->table;
            while (asm_word(&text, c, sizeof c)) {
                char *equals = strchr(c, '=');
                *equals = 0;
                g.field = dfr_column_find(table, dfr_str_from(c));
                as->failed = as->failed || g.field == DFR_F_COUNT;
                g.what = strcmp(equals + 1, "unknown") == 0  ? 1
                         : strcmp(equals + 1, "absent") == 0 ? 2
                                                             : 0;
                g.constant = g.what ? 0 : asm_const(as, equals + 1);
                *DFR_PUSH(as->a, &p->givens) = g;
            }
        } else {
            g.what = strcmp(w, "unknown") == 0    ? 1
                     : strcmp(w, "absent") == 0   ? 2
                     : strcmp(w, "complete") == 0 ? 3
                                                  : 4;
            *DFR_PUSH(as->a, &p->givens) = g;
        }
        while (*text && *text != '\n')
            text++;
        text += *text == '\n';
    }
    test.given_count = p->givens.n - test.given;
    *DFR_PUSH(as->a, &p->tests) = test;
}

#endif
