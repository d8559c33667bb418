/* The cases of a corpus: its labels, and the facts of each case while it is looked at. */
#ifndef DFR_API_CASES_H
#define DFR_API_CASES_H

#include "api/handle.h"
#include "measure/measure.h"

struct dfr_cases {
    struct dfr_labels labels;
    const dfr_memory *memory; /* for the crashes that are opened */
    struct dfr_str folder;    /* that the labels' paths start from */
    bool plain;               /* no labels: the files of a folder */
};

/* `path` is a table of labels, or a folder that holds labels.tsv or ANSWERS.tsv. With `plain_too` a
 * folder without labels gives a case for each file in it. */
enum dfr_status dfr_cases_open(struct dfr_arena *a, const dfr_memory *memory, struct dfr_str path,
                               bool plain_too, struct dfr_cases *ret, struct dfr_err *err);
/* Facts of a case, of the crash that its label means. They live in `work`. NULL and one line in
 * *ret_error, which lives in `a`, when it cannot be read. */
const struct dfr_facts *dfr_case_facts(const struct dfr_cases *c, const struct dfr_label *label,
                                       struct dfr_arena *a, struct dfr_arena *work,
                                       struct dfr_str *ret_error);

#endif
