/* The property that neither the rule index nor the order of rules changes a result, on random
 * programs and facts. */
#include <stdarg.h>

#include "rule_words.h"

TestSuite(index, .init = open_eval, .fini = close_eval);

static uint64_t seed;
static unsigned labels; /* so that no two have one name */

static uint32_t below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % n;
}

#define PICK(list) (list)[below(sizeof(list) / sizeof *(list))]

static const char *const module_names[] = {"nt", "hal", "iaStor", "tcpip", "ndis", "fox.sys"};
static const char *const func_names[] = {"KeA", "KeB", "KeC", "KeD"};

static char *words(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *words(const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return dfr_arena_copy(&arena, text, strlen(text));
}

/* A random condition: leaves that may be known, missing or absent, joined every way. */
static char *condition(unsigned depth)
{
    if (depth && below(2)) {
        static const char *const joins[] = {"and", "or"};
        const char *join = PICK(joins);
        if (below(5) == 0)
            return words("%s not", condition(depth - 1));
        if (below(3) == 0) {
            unsigned label = ++labels;
            return words("%s %s_skip l%u %s %s l%u:", condition(depth - 1), join, label,
                         condition(depth - 1), join, label);
        }
        return words("%s %s %s", condition(depth - 1), condition(depth - 1), join);
    }
    switch (below(9)) {
    case 0:
        return words("scalar bugcheck.arg%u const a:%u eq", 1 + below(4), below(3));
    case 1:
        return words("table stack has %s!%s", PICK(module_names), PICK(func_names));
    case 2:
        return words("const s:%s builtin module modcell modules.built const t:1300000%03u lt",
                     PICK(module_names), below(1000));
    case 3:
        return words("table stack fold %s 1 var 1 column stack.module const m:%s eq next",
                     below(2) ? "any" : "all", PICK(module_names));
    case 4:
        return words("table modules fold count 1 var 1 column modules.built const t:1300000%03u "
                     "lt next const i:%u ge",
                     below(1000), below(4));
    case 5:
        return words("scalar dump.live");
    case 6:
        return words("table stack has_seq %u:%s!%s,%s!*", below(4), PICK(module_names),
                     PICK(func_names), PICK(module_names));
    case 7:
        return words("fact %u", below(3));
    default:
        return words("scalar cpu.current const i:%u div const i:1 eq", below(3));
    }
}

static struct rule_words random_rule(uint32_t number)
{
    static const uint32_t codes[] = {0x7f, 0x50, 0xd1};
    struct rule_words r = {.name = words("r%03u", number)};
    uint32_t n = 0;
    if (below(4)) {
        r.codes[0] = PICK(codes);
        r.code_count = 1;
        if (below(3) == 0)
            r.codes[r.code_count++] = r.codes[0] == 0x7f ? 0x50 : 0x7f;
        r.when[n++] = r.code_count == 1
                          ? words("scalar bugcheck.code const i:%u eq", r.codes[0])
                          : words("scalar bugcheck.code const i:%u eq scalar bugcheck.code const "
                                  "i:%u eq or",
                                  r.codes[0], r.codes[1]);
    }
    if (below(3) == 0) {
        r.has_arg1 = true;
        r.arg1 = below(3);
        r.when[n++] = words("scalar bugcheck.arg1 const a:%u eq", (unsigned)r.arg1);
    }
    switch (below(3)) {
    case 0:
        r.atom_kind = DFR_ATOM_FRAME;
        r.atom = words("%s!%s", PICK(module_names), PICK(func_names));
        r.when[n++] = words("table stack has %s", r.atom);
        break;
    case 1: {
        const char *name = PICK(module_names);
        r.atom_kind = DFR_ATOM_MODULE;
        r.atom = words("m:%s", name);
        r.when[n++] =
            words("const s:%s builtin module modcell modules.built const t:1300000500 lt", name);
        break;
    }
    default:
        break;
    }
    if (!n || below(2))
        r.when[n++] = condition(2);
    r.evidence[0] = condition(3);
    if (below(4) == 0)
        r.unless = condition(1);
    if (below(6) == 0)
        r.suppress = condition(1);
    if (below(8) == 0) {
        r.each = "table modules";
        r.subject = "var 0 column modules.name builtin module";
    }
    return r;
}

static void random_facts(struct dfr_buf *b)
{
    static const char *const codes[] = {"set bugcheck.code i:0x7f\n", "set bugcheck.code i:0x50\n",
                                        "set bugcheck.code i:0x1\n", "absent bugcheck.code\n", ""};
    dfr_buf_z(b, PICK(codes));
    for (uint32_t i = 1; i <= 4; i++) {
        uint32_t what = below(4);
        if (what < 2)
            dfr_buf_printf(b, "set bugcheck.arg%u a:%u\n", i, below(3));
        else if (what == 2)
            dfr_buf_printf(b, "absent bugcheck.arg%u\n", i);
    }
    if (below(2))
        dfr_buf_printf(b, "set cpu.current i:%u\n", below(3));
    if (below(3) == 0)
        dfr_buf_printf(b, "set dump.live b:%u\n", below(2));
    for (uint32_t i = below(6); i; i--) {
        uint32_t what = below(8);
        if (what == 0)
            dfr_buf_printf(b, "row stack index=i:%u\n", i);
        else if (what == 1)
            dfr_buf_printf(b, "row stack sym=s:0xfffff80012345678\n");
        else if (what == 2)
            dfr_buf_printf(b, "row stack sym=s:%s+0x10\n", PICK(module_names));
        else
            dfr_buf_printf(b, "row stack sym=s:%s!%s+0x1\n", PICK(module_names), PICK(func_names));
    }
    if (below(2))
        dfr_buf_z(b, "complete stack\n");
    for (uint32_t i = below(6); i; i--) {
        const char *name = PICK(module_names);
        if (below(4) == 0)
            dfr_buf_printf(b, "row modules name=s:%s\n", name);
        else
            dfr_buf_printf(b, "row modules name=s:%s built=t:1300000%03u\n", name, below(1000));
    }
    if (below(2))
        dfr_buf_z(b, "complete modules\n");
}

static int by_line(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lines in order of text: how results read when rule numbers do not matter. */
static char *sorted(const char *text)
{
    char *copy = words("%s", ""), *save = NULL, *lines[4096];
    size_t n = 0;
    copy = dfr_arena_copy(&arena, text, strlen(text));
    for (char *l = strtok_r(copy, "\n", &save); l && n < 4096; l = strtok_r(NULL, "\n", &save))
        lines[n++] = l;
    qsort(lines, n, sizeof *lines, by_line);
    struct dfr_buf b;
    dfr_buf_init(&b, &arena);
    for (size_t i = 0; i < n; i++)
        dfr_buf_printf(&b, "%s\n", lines[i]);
    dfr_buf_z(&b, "");
    return b.p;
}

enum { PROPERTY_RULES = 24, PROPERTY_RUNS = 400 };

static const struct dfr_engine *build(struct dfr_program *p, const struct rule_words *rules,
                                      const uint32_t *order, const char *facts)
{
    struct assembler as;
    assembler_init(&as, &arena, p);
    assemble_program(&as, "fact: table stack has nt!KeA\n"
                          "fact: scalar bugcheck.arg2 const a:1 eq fact 0 or\n"
                          "fact: const s:hal builtin module modcell modules.has_symbols\n");
    assemble_facts(&as, facts);
    for (uint32_t i = 0; i < PROPERTY_RULES; i++)
        add_rule(&as, &rules[order ? order[i] : i]);
    cr_assert_not(as.failed);
    return engine_of(p);
}

Test(index, index_and_order_change_nothing)
{
    uint32_t hits = 0, candidates = 0;
    for (uint32_t k = 1; k <= PROPERTY_RUNS; k++) {
        seed = 0x9E3779B97F4A7C15u * k;
        struct rule_words rules[PROPERTY_RULES];
        uint32_t order[PROPERTY_RULES];
        for (uint32_t i = 0; i < PROPERTY_RULES; i++) {
            rules[i] = random_rule(i);
            order[i] = i;
        }
        for (uint32_t i = PROPERTY_RULES; i-- > 1;) {
            uint32_t j = below(i + 1), t = order[i];
            order[i] = order[j];
            order[j] = t;
        }
        struct dfr_buf text;
        dfr_buf_init(&text, &arena);
        random_facts(&text);
        dfr_buf_z(&text, "");
        struct dfr_program p, shuffled;
        struct dfr_facts facts;
        struct dfr_err err = {0};
        const struct dfr_engine *e = build(&p, rules, NULL, text.p);
        cr_assert_eq(dfr_given_apply(&p, 0, NULL, &arena, &facts, &err), DFR_OK, "%s", err.message);
        struct dfr_eval with = run(e, &facts, (struct dfr_eval_options){.only_rule = DFR_NONE});
        struct dfr_eval without =
            run(e, &facts, (struct dfr_eval_options){.only_rule = DFR_NONE, .no_index = true});
        const char *a = show(&with, true), *b = show(&without, true);
        cr_assert_str_eq(a, b, "seed %u: with index\n%swithout\n%sfacts\n%s", k, a, b, text.p);
        cr_assert_eq(with.missing.n, without.missing.n, "seed %u", k);
        cr_assert_eq(with.cells.n, without.cells.n, "seed %u", k);
        const struct dfr_engine *other = build(&shuffled, rules, order, text.p);
        struct dfr_eval again =
            run(other, &facts, (struct dfr_eval_options){.only_rule = DFR_NONE});
        const char *c = sorted(show(&again, true)), *d = sorted(a);
        cr_assert_str_eq(c, d, "seed %u: other order\n%snot\n%s", k, c, d);
        hits += with.hits.n;
        candidates += with.candidates;
        dfr_arena_reset(&arena);
    }
    cr_expect(hits > PROPERTY_RUNS, "the property was hardly tried: %u hits", hits);
    cr_expect(candidates < PROPERTY_RUNS * PROPERTY_RULES * 9 / 10,
              "the index passes over nothing");
}
