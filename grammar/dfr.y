/* The grammar of .dfr files. Actions build the tree of lang/ast.h and nothing else; what things
 * mean is checked in lang/. LALR(1) without conflicts. After an error the parser goes on at the
 * next `;` or `}` (see dfr_yylex in lang/parse.c), so that a run reports several errors. */

%require "3.8"
%define api.pure full
%define api.prefix {dfr_yy}
%define api.token.prefix {TOK_}
%define api.location.type {struct dfr_loc}
%define parse.error custom
%define parse.lac full
%define parse.lac.es-capacity-initial {DFR_PARSE_DEPTH}
%locations
%expect 0
%param {struct dfr_parser *p}

%code requires {
#include "lang/parser.h"
}

%code provides {
/* The scanner as flex writes it, and with resynchronising as the grammar calls it. */
int dfr_scan(DFR_YYSTYPE *value, struct dfr_loc *loc, void *scanner);
int dfr_yylex(DFR_YYSTYPE *value, struct dfr_loc *loc, struct dfr_parser *p);
void dfr_yyerror(const struct dfr_loc *loc, struct dfr_parser *p, const char *message);
/* Called with the unexpected token (negative: none) and the tokens that could stand there. */
void dfr_parser_unexpected(struct dfr_parser *p, struct dfr_loc loc, int token,
                           const int *expected, int n);
}

%code top {
/* The stacks lie on the C stack with a fixed depth, so parsing allocates nothing but the tree. */
#define DFR_PARSE_DEPTH 6000
#define YYINITDEPTH DFR_PARSE_DEPTH
#define YYMAXDEPTH DFR_PARSE_DEPTH
#define YYLLOC_DEFAULT(now, rhs, n)                                                                \
    do {                                                                                           \
        if (n) {                                                                                   \
            (now).begin = YYRHSLOC(rhs, 1).begin;                                                  \
            (now).end = YYRHSLOC(rhs, n).end;                                                      \
        } else {                                                                                   \
            (now).begin = (now).end = YYRHSLOC(rhs, 0).end;                                        \
        }                                                                                          \
    } while (0)
}

%code {
static struct dfr_loc span(struct dfr_loc a, struct dfr_loc b)
{
    return (struct dfr_loc){a.begin, b.end};
}
#define WORD(text, loc) ((struct dfr_word){(text), (loc)})
}

%union {
    struct dfr_str text;
    struct { uint64_t num; bool negative; } num;
    struct { struct dfr_str text; bool fold_case; } regex;
    struct dfr_word *word;
    struct dfr_expr *expr;
    struct { struct dfr_expr *first, *last; } exprs;
    struct dfr_entry *entry;
    struct dfr_weight *weight;
    struct dfr_param *param;
    struct { struct dfr_param *list; bool given; } params;
    struct dfr_type_name *type;
    struct dfr_tag *tag;
    struct dfr_section *section;
    struct dfr_evidence *evidence;
    struct dfr_given *given;
    struct dfr_step *step;
    struct { int kind; uint32_t n; } quant;
}

/* Words that are keywords only where the grammar wants one. */
%token <text> PACK "pack" IMPORT "import" AS "as" RULE "rule" FACT "fact" FN "fn" LIST "list"
%token <text> CAUSE "cause" ACTION "action" TEST "test" OVERRIDE "override" SUPPRESS "suppress"
%token <text> META "meta" WHEN "when" UNLESS "unless" LET "let" EVIDENCE "evidence"
%token <text> CONCLUDE "conclude" RECOMMEND "recommend" COLLECT "collect" GROUP "group"
%token <text> REQUIRES "requires" WHERE "where" UNTIL "until" REASON "reason" EXPECT "expect"
%token <text> GIVEN "given" LOAD "load" SUBJECT "subject" FOR "for" AGAINST "against" NOTE "note"
%token <text> WEIGHT "weight" IF "if" WITHIN "within" FRAMES "frames" OPEN "open" EACH "each"
/* Reserved words. */
%token AND "and" OR "or" NOT "not" IN "in" HAS "has" SEQ "seq" MATCHES "matches"
%token CONTAINS "contains" ANY "any" ALL "all" NONE "none" FIRST "first" OF "of" KNOWN "known"
%token ABSENT "absent" COUNT "count" TRUE "true" FALSE "false" UNKNOWN "unknown"

%token <text> IDENT "a name" STRING "a text in quotes" VERSION "a version" SYMPAT "a symbol pattern"
%token <num> INT "a number" HEX "a hex number" DURATION "a duration" DATE "a date"
%token <regex> REGEX "a regular expression"
%token EQ "==" NE "!=" LE "<=" GE ">=" SHL "<<" SHR ">>" DOTDOT ".." COALESCE "??"
%token START_FILE START_EXPR

%left OR
%left AND
%precedence NOT
%nonassoc EQ NE '<' '>' LE GE IN MATCHES CONTAINS HAS
%right COALESCE
%left '|'
%left '^'
%left '&'
%left SHL SHR
%left '+' '-'
%left '*' '/' '%'
%precedence SIGN '~'

%type <text> name
%type <word> qname alias
%type <expr> val lit list record expr primary ref literal pattern if_cond where_subject label
%type <expr> given_value
%type <exprs> vals exprs exprs_some args patterns
%type <entry> metas meta meta_block record_entries overrides override_line
%type <weight> wt conclude_weight
%type <num> snum
%type <param> params params_some param
%type <params> param_list
%type <type> type
%type <tag> tags tags_some
%type <section> sections section rule_body
%type <evidence> evs ev ev_block
%type <given> givens given_line given_block
%type <step> steps step step_block
%type <quant> quant
%type <num> within until open

%start start
%%

start
    : START_FILE items
    | START_EXPR expr                   { p->expr = $2; }
    ;

items
    : %empty
    | items item
    ;

item
    : PACK STRING meta_block            { struct dfr_node *n = dfr_node_new(p, DFR_NODE_PACK, @$, WORD($2, @2));
                                          n->fields = $3; dfr_node_add(p, n); }
    | IMPORT STRING alias ';'           { struct dfr_node *n = dfr_node_new(p, DFR_NODE_IMPORT, @$, WORD($2, @2));
                                          if ($3) n->alias = *$3;
                                          dfr_node_add(p, n); }
    | CAUSE qname meta_block            { struct dfr_node *n = dfr_node_new(p, DFR_NODE_CAUSE, @$, *$2);
                                          n->fields = $3; dfr_node_add(p, n); }
    | open LIST name '=' list ';'       { struct dfr_node *n = dfr_node_new(p, DFR_NODE_LIST, @$, WORD($3, @3));
                                          n->open = $1.num != 0; n->expr = $5; dfr_node_add(p, n); }
    | ACTION name param_list meta_block { struct dfr_node *n = dfr_node_new(p, DFR_NODE_ACTION, @$, WORD($2, @2));
                                          n->has_params = $3.given; n->params = $3.list;
                                          n->fields = $4; dfr_node_add(p, n); }
    | FN name '(' params ')' '=' expr ';' { struct dfr_node *n = dfr_node_new(p, DFR_NODE_FN, @$, WORD($2, @2));
                                          n->has_params = true; n->params = $4; n->expr = $7;
                                          dfr_node_add(p, n); }
    | FACT qname param_list ':' type '=' expr ';' { struct dfr_node *n = dfr_node_new(p, DFR_NODE_FACT, @$, *$2);
                                          n->has_params = $3.given; n->params = $3.list; n->type = *$5;
                                          n->expr = $7; dfr_node_add(p, n); }
    | RULE name tags rule_body          { struct dfr_node *n = dfr_node_new(p, DFR_NODE_RULE, @$, WORD($2, @2));
                                          n->tags = $3; n->sections = $4; dfr_node_add(p, n); }
    | OVERRIDE qname '{' overrides '}'  { struct dfr_node *n = dfr_node_new(p, DFR_NODE_OVERRIDE, @$, *$2);
                                          DFR_REVERSE($4); n->fields = $4; dfr_node_add(p, n); }
    | OVERRIDE qname '{' overrides error '}' { yyerrok; }
    | SUPPRESS qname WHERE expr until REASON STRING ';'
                                        { struct dfr_node *n = dfr_node_new(p, DFR_NODE_SUPPRESS, @$, *$2);
                                          n->expr = $4; n->has_until = $5.negative;
                                          n->until = (int64_t)$5.num; n->reason = WORD($7, @7);
                                          dfr_node_add(p, n); }
    | TEST STRING step_block            { struct dfr_node *n = dfr_node_new(p, DFR_NODE_TEST, @$, WORD($2, @2));
                                          n->steps = $3; dfr_node_add(p, n); }
    | error ';'                         { yyerrok; }
    | error '}'                         { yyerrok; }
    ;

open
    : %empty                            { $$.num = 0; $$.negative = false; }
    | OPEN                              { $$.num = 1; $$.negative = false; }
    ;

until
    : %empty                            { $$.num = 0; $$.negative = false; }
    | UNTIL DATE                        { $$.num = $2.num; $$.negative = true; }
    ;

alias
    : %empty                            { $$ = NULL; }
    | AS name                           { $$ = DFR_NEW(p->arena, struct dfr_word); *$$ = WORD($2, @2); }
    ;

name
    : IDENT | PACK | IMPORT | AS | RULE | FACT | FN | LIST | CAUSE | ACTION | TEST | OVERRIDE
    | SUPPRESS | META | WHEN | UNLESS | LET | EVIDENCE | CONCLUDE | RECOMMEND | COLLECT | GROUP
    | REQUIRES | WHERE | UNTIL | REASON | EXPECT | GIVEN | LOAD | SUBJECT | FOR | AGAINST | NOTE
    | WEIGHT | IF | WITHIN | FRAMES | OPEN | EACH
    ;

qname
    : name                              { $$ = DFR_NEW(p->arena, struct dfr_word); *$$ = WORD($1, @1); }
    | qname '.' IDENT                   { *$1 = dfr_word_join(p, *$1, WORD($3, @3)); $$ = $1; }
    ;

param_list
    : %empty                            { $$.list = NULL; $$.given = false; }
    | '(' params ')'                    { $$.list = $2; $$.given = true; }
    ;
params
    : %empty                            { $$ = NULL; }
    | params_some                       { DFR_REVERSE($1); $$ = $1; }
    ;
params_some
    : param
    | params_some ',' param             { $3->next = $1; $$ = $3; }
    ;
param
    : name ':' type                     { $$ = DFR_NEW(p->arena, struct dfr_param);
                                          $$->name = WORD($1, @1); $$->type = *$3; }
    ;
type
    : name                              { $$ = DFR_NEW(p->arena, struct dfr_type_name); $$->name = WORD($1, @1); }
    | name '<' name '>'                 { $$ = DFR_NEW(p->arena, struct dfr_type_name);
                                          $$->name = WORD($1, span(@1, @4)); $$->of = WORD($3, @3); }
    ;

/* Values and metadata */

meta_block
    : '{' metas '}'                     { DFR_REVERSE($2); $$ = $2; }
    | '{' metas error '}'               { DFR_REVERSE($2); $$ = $2; yyerrok; }
    ;
metas
    : %empty                            { $$ = NULL; }
    | metas meta                        { $2->next = $1; $$ = $2; }
    | metas error ';'                   { $$ = $1; yyerrok; }
    ;
meta
    : name '=' val ';'                  { $$ = dfr_entry_new(p, @$, WORD($1, @1), $3, NULL); }
    | REQUIRES STRING STRING ';'        { $$ = dfr_entry_new(p, @$, WORD($2, @2),
                                              dfr_expr_text(p, DFR_EXPR_STRING, @3, $3), NULL);
                                          $$->requires = true; }
    ;

val
    : literal
    | '-' INT                           { $$ = dfr_expr_negative(p, @$, dfr_expr_num(p, DFR_EXPR_INT, @2, $2.num)); }
    | list
    | record
    ;
list
    : '[' ']'                           { $$ = dfr_expr_node(p, DFR_EXPR_LIST, 0, @$, NULL); }
    | '[' vals ']'                      { $$ = dfr_expr_node(p, DFR_EXPR_LIST, 0, @$, $2.first); }
    | '[' vals ',' ']'                  { $$ = dfr_expr_node(p, DFR_EXPR_LIST, 0, @$, $2.first); }
    ;
vals
    : val                               { $$.first = $$.last = $1; }
    | vals ',' val                      { $1.last->next = $3; $$.first = $1.first; $$.last = $3; }
    ;
record
    : '{' record_entries '}'            { $$ = dfr_expr_record(p, @$, $2); }
    | '{' record_entries error '}'      { $$ = dfr_expr_record(p, @$, $2); yyerrok; }
    ;
record_entries
    : %empty                            { $$ = NULL; }
    | record_entries name '=' val ';'   { $$ = dfr_entry_new(p, span(@2, @5), WORD($2, @2), $4, $1); }
    | record_entries error ';'          { $$ = $1; yyerrok; }
    ;

literal
    : lit
    | TRUE                              { $$ = dfr_expr_num(p, DFR_EXPR_BOOL, @$, 1); }
    | FALSE                             { $$ = dfr_expr_num(p, DFR_EXPR_BOOL, @$, 0); }
    | INT                               { $$ = dfr_expr_num(p, DFR_EXPR_INT, @$, $1.num); }
    ;
lit
    : HEX                               { $$ = dfr_expr_num(p, DFR_EXPR_INT, @$, $1.num); $$->op = 1; }
    | STRING                            { $$ = dfr_expr_text(p, DFR_EXPR_STRING, @$, $1); }
    | DURATION                          { $$ = dfr_expr_num(p, DFR_EXPR_DURATION, @$, $1.num); }
    | DATE                              { $$ = dfr_expr_num(p, DFR_EXPR_TIME, @$, $1.num); }
    | VERSION                           { $$ = dfr_expr_text(p, DFR_EXPR_VERSION, @$, $1); }
    | REGEX                             { $$ = dfr_expr_text(p, DFR_EXPR_REGEX, @$, $1.text); $$->op = $1.fold_case; }
    | SYMPAT                            { $$ = dfr_expr_text(p, DFR_EXPR_SYMPAT, @$, $1); }
    ;

/* Rules */

tags
    : %empty                            { $$ = NULL; }
    | ':' tags_some                     { DFR_REVERSE($2); $$ = $2; }
    ;
tags_some
    : name                              { $$ = DFR_NEW(p->arena, struct dfr_tag); $$->name = WORD($1, @1); }
    | tags_some ',' name                { $$ = DFR_NEW(p->arena, struct dfr_tag); $$->name = WORD($3, @3); $$->next = $1; }
    ;

rule_body
    : '{' sections '}'                  { DFR_REVERSE($2); $$ = $2; }
    | '{' sections error '}'            { DFR_REVERSE($2); $$ = dfr_section_new(p, DFR_SEC_BROKEN, @3, @3);
                                          $$->next = $2; yyerrok; }
    ;
sections
    : %empty                            { $$ = NULL; }
    | sections section                  { $2->next = $1; $$ = $2; }
    | sections error ';'                { $$ = dfr_section_new(p, DFR_SEC_BROKEN, @2, @2); $$->next = $1; yyerrok; }
    ;
section
    : META meta_block                   { $$ = dfr_section_new(p, DFR_SEC_META, @$, @1); $$->fields = $2; }
    | LET name '=' expr ';'             { $$ = dfr_section_new(p, DFR_SEC_LET, @$, @1);
                                          $$->name = WORD($2, @2); $$->expr = $4; }
    | EACH IDENT IN primary ':' '(' expr ')' ';'
                                        { $$ = dfr_section_new(p, DFR_SEC_EACH, @$, @1);
                                          $$->name = WORD($2, @2); $$->expr = $4; $$->cond = $7; }
    | WHEN expr ';'                     { $$ = dfr_section_new(p, DFR_SEC_WHEN, @$, @1); $$->expr = $2; }
    | UNLESS expr ';'                   { $$ = dfr_section_new(p, DFR_SEC_UNLESS, @$, @1); $$->expr = $2; }
    | EVIDENCE ev_block                 { $$ = dfr_section_new(p, DFR_SEC_EVIDENCE, @$, @1); $$->evidence = $2; }
    | CONCLUDE qname where_subject conclude_weight ';'
                                        { $$ = dfr_section_new(p, DFR_SEC_CONCLUDE, @$, @1);
                                          $$->name = *$2; $$->expr = $3; $$->weight = $4; }
    | RECOMMEND STRING if_cond ';'      { $$ = dfr_section_new(p, DFR_SEC_RECOMMEND, @$, @1);
                                          $$->text = dfr_expr_text(p, DFR_EXPR_STRING, @2, $2); $$->cond = $3; }
    | RECOMMEND qname '(' args ')' if_cond ';'
                                        { $$ = dfr_section_new(p, DFR_SEC_RECOMMEND, @$, @1);
                                          $$->name = *$2; $$->args = $4.first; $$->cond = $6; }
    | COLLECT STRING if_cond ';'        { $$ = dfr_section_new(p, DFR_SEC_COLLECT, @$, @1);
                                          $$->text = dfr_expr_text(p, DFR_EXPR_STRING, @2, $2); $$->cond = $3; }
    ;

if_cond
    : %empty                            { $$ = NULL; }
    | IF expr                           { $$ = $2; }
    ;
where_subject
    : %empty                            { $$ = NULL; }
    | SUBJECT expr                      { $$ = $2; }
    ;
conclude_weight
    : %empty                            { $$ = NULL; }
    | WEIGHT IDENT                      { $$ = DFR_NEW(p->arena, struct dfr_weight);
                                          $$->name = WORD($2, @2); $$->loc = @2; }
    | WEIGHT '(' snum ')'               { $$ = DFR_NEW(p->arena, struct dfr_weight);
                                          $$->a = (int64_t)$3.num; $$->numbers = 1; $$->loc = @$; }
    ;

ev_block
    : '{' evs '}'                       { DFR_REVERSE($2); $$ = $2; }
    | '{' evs error '}'                 { DFR_REVERSE($2); $$ = $2; yyerrok; }
    ;
evs
    : %empty                            { $$ = NULL; }
    | evs ev                            { $2->next = $1; $$ = $2; }
    | evs error ';'                     { $$ = $1; yyerrok; }
    ;
ev
    : FOR wt label ':' expr ';'         { $$ = dfr_evidence_new(p, DFR_EV_FOR, @$, $2, $3, $5); }
    | AGAINST wt label ':' expr ';'     { $$ = dfr_evidence_new(p, DFR_EV_AGAINST, @$, $2, $3, $5); }
    | NOTE STRING ':' expr ';'          { $$ = dfr_evidence_new(p, DFR_EV_NOTE, @$, NULL,
                                              dfr_expr_text(p, DFR_EXPR_STRING, @2, $2), $4); }
    | GROUP name ev_block               { $$ = dfr_evidence_new(p, DFR_EV_GROUP, @$, NULL, NULL, NULL);
                                          $$->group = WORD($2, @2); $$->items = $3; }
    ;
label
    : %empty                            { $$ = NULL; }
    | STRING                            { $$ = dfr_expr_text(p, DFR_EXPR_STRING, @1, $1); }
    ;
wt
    : IDENT                             { $$ = DFR_NEW(p->arena, struct dfr_weight);
                                          $$->name = WORD($1, @1); $$->loc = @1; }
    | WEIGHT '(' snum ')'               { $$ = DFR_NEW(p->arena, struct dfr_weight);
                                          $$->a = (int64_t)$3.num; $$->numbers = 1; $$->loc = @$; }
    | WEIGHT '(' snum ',' snum ')'      { $$ = DFR_NEW(p->arena, struct dfr_weight);
                                          $$->a = (int64_t)$3.num; $$->b = (int64_t)$5.num;
                                          $$->numbers = 2; $$->loc = @$; }
    ;
snum
    : INT                               { $$.num = dfr_parser_small(p, @1, $1.num, "a weight"); $$.negative = false; }
    | '-' INT                           { $$.num = 0u - (uint64_t)dfr_parser_small(p, @2, $2.num, "a weight");
                                          $$.negative = true; }
    ;

/* Overrides and tests */

overrides
    : %empty                            { $$ = NULL; }
    | overrides override_line           { $2->next = $1; $$ = $2; }
    | overrides error ';'               { $$ = $1; yyerrok; }
    ;
override_line
    : name '=' val ';'                  { $$ = dfr_entry_new(p, @$, WORD($1, @1), $3, NULL); }
    | WEIGHT STRING '=' wt ';'          { $$ = dfr_entry_new(p, @$, WORD($2, @2), NULL, NULL); $$->weight = $4; }
    ;

step_block
    : '{' steps '}'                     { DFR_REVERSE($2); $$ = $2; }
    | '{' steps error '}'               { DFR_REVERSE($2); $$ = $2; yyerrok; }
    ;
steps
    : %empty                            { $$ = NULL; }
    | steps step                        { $2->next = $1; $$ = $2; }
    | steps error ';'                   { $$ = $1; yyerrok; }
    ;
step
    : LOAD STRING ';'                   { $$ = DFR_NEW(p->arena, struct dfr_step); $$->kind = DFR_STEP_LOAD;
                                          $$->loc = @$; $$->path = WORD($2, @2); }
    | GIVEN given_block                 { $$ = DFR_NEW(p->arena, struct dfr_step); $$->kind = DFR_STEP_GIVEN;
                                          $$->loc = @$; $$->given = $2; }
    | EXPECT expr ';'                   { $$ = DFR_NEW(p->arena, struct dfr_step); $$->kind = DFR_STEP_EXPECT;
                                          $$->loc = @$; $$->expect = $2; }
    ;
given_block
    : '{' givens '}'                    { DFR_REVERSE($2); $$ = $2; }
    | '{' givens error '}'              { DFR_REVERSE($2); $$ = $2; yyerrok; }
    ;
givens
    : %empty                            { $$ = NULL; }
    | givens given_line                 { $2->next = $1; $$ = $2; }
    | givens error ';'                  { $$ = $1; yyerrok; }
    ;
given_line
    : ref '=' given_value ';'           { $$ = DFR_NEW(p->arena, struct dfr_given);
                                          $$->ref = $1; $$->value = $3; $$->loc = @$; }
    ;
given_value
    : val
    | UNKNOWN                           { $$ = dfr_expr_leaf(p, DFR_EXPR_STATE_WORD, @$); $$->op = DFR_X_UNKNOWN; }
    | ABSENT                            { $$ = dfr_expr_leaf(p, DFR_EXPR_STATE_WORD, @$); $$->op = DFR_X_ABSENT; }
    ;

/* Expressions */

expr
    : expr OR expr                      { $$ = dfr_expr_join(p, DFR_EXPR_ANY_OF, @$, $1, $3); }
    | expr AND expr                     { $$ = dfr_expr_join(p, DFR_EXPR_ALL_OF, @$, $1, $3); }
    | NOT expr                          { $$ = dfr_expr_node(p, DFR_EXPR_UNARY, DFR_X_NOT, @$, $2); }
    | expr EQ expr                      { $$ = dfr_expr_binary(p, DFR_X_EQ, @$, $1, $3); }
    | expr NE expr                      { $$ = dfr_expr_binary(p, DFR_X_NE, @$, $1, $3); }
    | expr '<' expr                     { $$ = dfr_expr_binary(p, DFR_X_LT, @$, $1, $3); }
    | expr '>' expr                     { $$ = dfr_expr_binary(p, DFR_X_GT, @$, $1, $3); }
    | expr LE expr                      { $$ = dfr_expr_binary(p, DFR_X_LE, @$, $1, $3); }
    | expr GE expr                      { $$ = dfr_expr_binary(p, DFR_X_GE, @$, $1, $3); }
    | expr IN expr                      { $$ = dfr_expr_binary(p, DFR_X_IN, @$, $1, $3); }
    | expr MATCHES primary              { $$ = dfr_expr_binary(p, DFR_X_MATCHES, @$, $1, $3); }
    | expr CONTAINS expr                { $$ = dfr_expr_binary(p, DFR_X_CONTAINS, @$, $1, $3); }
    | expr HAS pattern within           { $1->next = $3;
                                          $$ = dfr_expr_node(p, DFR_EXPR_HAS, 0, @$, $1);
                                          $$->n = (uint32_t)$4.num; }
    | expr HAS SEQ '[' patterns ']' within
                                        { $1->next = $5.first;
                                          $$ = dfr_expr_node(p, DFR_EXPR_HAS_SEQ, 0, @$, $1);
                                          $$->n = (uint32_t)$7.num; }
    | expr COALESCE expr                { $$ = dfr_expr_binary(p, DFR_X_COALESCE, @$, $1, $3); }
    | expr '|' expr                     { $$ = dfr_expr_binary(p, DFR_X_BOR, @$, $1, $3); }
    | expr '^' expr                     { $$ = dfr_expr_binary(p, DFR_X_BXOR, @$, $1, $3); }
    | expr '&' expr                     { $$ = dfr_expr_binary(p, DFR_X_BAND, @$, $1, $3); }
    | expr SHL expr                     { $$ = dfr_expr_binary(p, DFR_X_SHL, @$, $1, $3); }
    | expr SHR expr                     { $$ = dfr_expr_binary(p, DFR_X_SHR, @$, $1, $3); }
    | expr '+' expr                     { $$ = dfr_expr_binary(p, DFR_X_ADD, @$, $1, $3); }
    | expr '-' expr                     { $$ = dfr_expr_binary(p, DFR_X_SUB, @$, $1, $3); }
    | expr '*' expr                     { $$ = dfr_expr_binary(p, DFR_X_MUL, @$, $1, $3); }
    | expr '/' expr                     { $$ = dfr_expr_binary(p, DFR_X_DIV, @$, $1, $3); }
    | expr '%' expr                     { $$ = dfr_expr_binary(p, DFR_X_MOD, @$, $1, $3); }
    | '-' expr %prec SIGN               { $$ = dfr_expr_negative(p, @$, $2); }
    | '~' expr                          { $$ = dfr_expr_node(p, DFR_EXPR_UNARY, DFR_X_BNOT, @$, $2); }
    | primary
    ;

pattern
    : REGEX                             { $$ = dfr_expr_text(p, DFR_EXPR_REGEX, @$, $1.text); $$->op = $1.fold_case; }
    | SYMPAT                            { $$ = dfr_expr_text(p, DFR_EXPR_SYMPAT, @$, $1); }
    | STRING                            { $$ = dfr_expr_text(p, DFR_EXPR_STRING, @$, $1); }
    ;
patterns
    : pattern                           { $$.first = $$.last = $1; }
    | patterns ',' pattern              { $1.last->next = $3; $$.first = $1.first; $$.last = $3; }
    ;
within
    : %empty                            { $$.num = 0; $$.negative = false; }
    | WITHIN INT FRAMES                 { $$.num = dfr_parser_small(p, @2, $2.num, "a number of frames");
                                          $$.negative = false; }
    ;

primary
    : lit
    | TRUE                              { $$ = dfr_expr_num(p, DFR_EXPR_BOOL, @$, 1); }
    | FALSE                             { $$ = dfr_expr_num(p, DFR_EXPR_BOOL, @$, 0); }
    | INT                               { $$ = dfr_expr_num(p, DFR_EXPR_INT, @$, $1.num); }
    | ref
    | '[' exprs ']'                     { $$ = dfr_expr_node(p, DFR_EXPR_LIST, 0, @$, $2.first); }
    | '[' expr DOTDOT expr ']'          { $2->next = $4; $$ = dfr_expr_node(p, DFR_EXPR_RANGE, 0, @$, $2); }
    | KNOWN '(' expr ')'                { $$ = dfr_expr_node(p, DFR_EXPR_STATE, DFR_X_KNOWN, @$, $3); }
    | ABSENT '(' expr ')'               { $$ = dfr_expr_node(p, DFR_EXPR_STATE, DFR_X_ABSENT, @$, $3); }
    | UNKNOWN '(' expr ')'              { $$ = dfr_expr_node(p, DFR_EXPR_STATE, DFR_X_UNKNOWN, @$, $3); }
    | quant IDENT IN primary ':' '(' expr ')'
                                        { $4->next = $7;
                                          $$ = dfr_expr_node(p, DFR_EXPR_FOLD, $1.kind, @$, $4);
                                          $$->as.text = $2; $$->n = $1.n; }
    | quant OF '(' exprs_some ')'       { $$ = dfr_expr_node(p, DFR_EXPR_FOLD_OF, $1.kind, @$, $4.first);
                                          $$->n = $1.n; }
    ;

quant
    : ANY                               { $$.kind = DFR_X_ANY; $$.n = 1; }
    | ALL                               { $$.kind = DFR_X_ALL; $$.n = 0; }
    | NONE                              { $$.kind = DFR_X_NONE; $$.n = 0; }
    | COUNT                             { $$.kind = DFR_X_COUNT; $$.n = 0; }
    | FIRST                             { $$.kind = DFR_X_FIRST; $$.n = 0; }
    | INT                               { $$.kind = DFR_X_AT_LEAST;
                                          $$.n = dfr_parser_small(p, @1, $1.num, "a number of rows"); }
    ;

ref
    : name                              { $$ = dfr_expr_text(p, DFR_EXPR_NAME, @$, $1); }
    | ref '.' IDENT                     { $$ = dfr_expr_node(p, DFR_EXPR_FIELD, 0, @$, $1); $$->as.text = $3; }
    | ref '(' args ')'                  { $1->next = $3.first; $$ = dfr_expr_node(p, DFR_EXPR_CALL, 0, @$, $1); }
    | ref '[' expr ']'                  { $1->next = $3; $$ = dfr_expr_node(p, DFR_EXPR_INDEX, 0, @$, $1); }
    | '(' expr ')'                      { $$ = $2; }
    ;

args
    : exprs
    ;
exprs
    : %empty                            { $$.first = $$.last = NULL; }
    | exprs_some
    ;
exprs_some
    : expr                              { $$.first = $$.last = $1; }
    | exprs_some ',' expr               { $1.last->next = $3; $$.first = $1.first; $$.last = $3; }
    ;

%%

static int yyreport_syntax_error(const yypcontext_t *context, struct dfr_parser *p)
{
    enum { MOST = 128 };
    yysymbol_kind_t kinds[MOST];
    int expected[MOST], n = yypcontext_expected_tokens(context, kinds, MOST), found = -1;
    if (n < 0)
        return n;
    /* Report token numbers as the scanner returns them: the table of symbols is private here. */
    yysymbol_kind_t symbol = yypcontext_token(context);
    for (int i = 0; i < n; i++)
        expected[i] = -1;
    for (int token = 0; token <= YYMAXUTOK; token++) {
        yysymbol_kind_t kind = YYTRANSLATE(token);
        if (kind == YYSYMBOL_YYUNDEF || kind == YYSYMBOL_YYerror)
            continue;
        if (kind == symbol)
            found = token;
        for (int i = 0; i < n; i++)
            if (kinds[i] == kind)
                expected[i] = token;
    }
    dfr_parser_unexpected(p, *yypcontext_location(context), found, expected, n);
    return 0;
}

void dfr_yyerror(const struct dfr_loc *loc, struct dfr_parser *p, const char *message)
{
    (void)message; /* the stack is exhausted: the only thing that comes this way */
    if (!p->too_deep)
        dfr_parser_diag(p, DFR_D_TOO_DEEP, *loc, "expressions and blocks are nested too deeply");
    p->too_deep = true;
}
