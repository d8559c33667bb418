/* Unknown is never false: what a crash shows does not turn into its opposite because less of it is
 * shown. Every line, and every paragraph, of every transcript in corpus/ is left out in turn, and no
 * piece of evidence that spoke for its cause, or was open, may come to speak against it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "dfrule.h"

struct param {
    char path[256];
};

struct text {
    char *p;
    size_t len, cap;
};

static int append(void *user, const char *p, size_t len)
{
    struct text *t = user;
    if (t->len + len + 1 > t->cap) {
        t->cap = 2 * (t->len + len + 1);
        t->p = realloc(t->p, t->cap);
        cr_assert_not_null(t->p);
    }
    memcpy(t->p + t->len, p, len);
    t->len += len;
    t->p[t->len] = 0;
    return 0;
}

/* The answer to `len` bytes as JSON; NULL when they hold no crash. */
static json_t *answer_to(const dfr_rules *rules, const char *path, const char *bytes, size_t len)
{
    dfr_error e;
    dfr_crash *crash = NULL;
    dfr_answer *answer = NULL;
    dfr_input input = {.size = sizeof input, .path = path, .bytes = bytes, .len = len};
    dfr_result r = dfr_crash_open(&input, NULL, &crash, &e);
    if (r == DFR_RESULT_NOT_A_CRASH)
        return NULL;
    cr_assert_eq(r, DFR_RESULT_OK, "%s: %s", path, e.message);
    cr_assert_eq(dfr_check(rules, crash, NULL, &answer, &e), DFR_RESULT_OK, "%s: %s", path,
                 e.message);
    struct text t = {0};
    cr_assert_eq(dfr_answer_write(answer, DFR_FORMAT_NDJSON, NULL, append, &t, &e), DFR_RESULT_OK);
    json_t *ret = json_loadb(t.p, t.len, 0, NULL);
    cr_assert_not_null(ret, "%s: no JSON: %s", path, t.p);
    free(t.p);
    dfr_answer_free(answer);
    dfr_crash_free(crash);
    return ret;
}

static const char *string_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* {"cause(subject) rule: label": decibans that it speaks for (or, negative, against) its cause}. */
static json_t *evidence_of(const json_t *answer)
{
    static const char *const sides[] = {"evidence", "against"};
    json_t *ret = json_object(), *cause, *item;
    size_t i, k;
    json_array_foreach(json_object_get(answer, "causes"), i, cause)
    {
        for (size_t side = 0; side < 2; side++) {
            json_array_foreach(json_object_get(cause, sides[side]), k, item)
            {
                char key[1024];
                snprintf(key, sizeof key, "%s(%s) %s: %s", string_of(cause, "cause"),
                         string_of(cause, "subject"), string_of(item, "rule"),
                         string_of(item, "label"));
                json_object_set(ret, key, json_object_get(item, "own_db"));
            }
        }
    }
    return ret;
}

struct base {
    const dfr_rules *rules;
    const char *path;
    json_t *evidence;
    unsigned turned; /* pieces of evidence that came to speak against */
};

/* Leave out bytes [from, to) and compare. */
static void without(struct base *b, const char *bytes, size_t len, size_t from, size_t to)
{
    char *rest = malloc(len + 1);
    cr_assert_not_null(rest);
    memcpy(rest, bytes, from);
    memcpy(rest + from, bytes + to, len - to);
    json_t *answer = answer_to(b->rules, b->path, rest, len - (to - from));
    free(rest);
    if (!answer)
        return;
    json_t *evidence = evidence_of(answer), *was;
    const char *key;
    json_object_foreach(b->evidence, key, was)
    {
        if (json_integer_value(was) >= 0 &&
            json_integer_value(json_object_get(evidence, key)) < 0) {
            cr_log_error("%s: without bytes %zu to %zu, %.60s...: now speaks against: %s", b->path,
                         from, to, bytes + from, key);
            b->turned++;
        }
    }
    json_decref(evidence);
    json_decref(answer);
}

ParameterizedTestParameters(removal, never_turns_evidence_around)
{
    glob_t found;
    if (glob("corpus/transcripts/*.txt", 0, NULL, &found) != 0)
        return cr_make_param_array(struct param, NULL, 0);
    struct param *params = cr_calloc(found.gl_pathc, sizeof *params);
    for (size_t i = 0; i < found.gl_pathc; i++)
        snprintf(params[i].path, sizeof params[i].path, "%s", found.gl_pathv[i]);
    size_t n = found.gl_pathc;
    globfree(&found);
    return cr_make_param_array(struct param, params, n);
}

ParameterizedTest(struct param *p, removal, never_turns_evidence_around)
{
    dfr_error e;
    dfr_rules *rules = NULL;
    dfr_text where = {"rules", 5};
    cr_assert_eq(dfr_rules_load(&where, 1, NULL, &rules, NULL, &e), DFR_RESULT_OK, "%s", e.message);
    FILE *f = fopen(p->path, "rb");
    cr_assert_not_null(f, "%s", p->path);
    struct text t = {0};
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;)
        append(&t, block, n);
    fclose(f);

    struct base b = {.rules = rules, .path = p->path};
    json_t *answer = answer_to(rules, p->path, t.p, t.len);
    cr_assert_not_null(answer, "%s: no crash", p->path);
    b.evidence = evidence_of(answer);
    for (size_t from = 0, paragraph = 0; from < t.len;) {
        const char *nl = memchr(t.p + from, '\n', t.len - from);
        size_t to = nl ? (size_t)(nl - t.p) + 1 : t.len;
        without(&b, t.p, t.len, from, to);
        if (to - from <= 2 || to == t.len) { /* an empty line ends a paragraph */
            without(&b, t.p, t.len, paragraph, to);
            paragraph = to;
        }
        from = to;
    }
    cr_expect_eq(b.turned, 0, "%s: %u pieces of evidence turned around", p->path, b.turned);
    json_decref(answer);
    json_decref(b.evidence);
    free(t.p);
    dfr_rules_free(rules);
}
