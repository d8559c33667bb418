/* Inside report/: paragraphs on a page of so many columns. */
#ifndef DFR_REPORT_PAGE_H
#define DFR_REPORT_PAGE_H

#include "report/report.h"

/* What a run of text is, not how it looks. */
enum dfr_ink {
    DFR_INK_PLAIN,
    DFR_INK_HEADING,
    DFR_INK_STRONG,  /* what to read first */
    DFR_INK_FAINT,   /* quotes, places */
    DFR_INK_FOR,     /* speaks for */
    DFR_INK_AGAINST, /* speaks against */
    DFR_INK_OPEN,    /* not known */
    DFR_INK_COMMAND, /* to be typed */
};

struct dfr_page {
    struct dfr_buf *out;
    bool color, ascii, verbose;
    uint32_t columns;
};

void dfr_page_init(struct dfr_page *p, const struct dfr_report_style *s, struct dfr_buf *out);
/* Columns that a text takes. */
uint32_t dfr_page_width(struct dfr_str s);
/* A line of its own, cut to the page. */
void dfr_page_line(struct dfr_page *p, enum dfr_ink ink, uint32_t indent, struct dfr_str s);
void dfr_page_gap(struct dfr_page *p);
void dfr_page_heading(struct dfr_page *p, const char *z);
/* A wrapped paragraph: `lead` stands before its first line, further lines hang under the text; `tag`
 * (may be empty) stands at the right edge of the first line. Both texts are safe already. */
void dfr_page_para(struct dfr_page *p, enum dfr_ink ink, struct dfr_str lead, enum dfr_ink lead_ink,
                   struct dfr_str text, struct dfr_str tag, enum dfr_ink tag_ink);
/* The same with `indent` blanks as lead. */
void dfr_page_text(struct dfr_page *p, enum dfr_ink ink, uint32_t indent, struct dfr_str text);
/* "line 12: quoted text", cut to one line; nothing without a place. */
void dfr_page_quote(struct dfr_page *p, uint32_t indent, const struct dfr_facts *f, uint32_t place);
/* "line 12", or "line 1, byte 2817" where lines are very long. */
void dfr_page_where(const struct dfr_facts *f, uint32_t place, struct dfr_buf *out);

#endif
