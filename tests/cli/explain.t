One rule on one crash, and facts replaced.

  $ tiny() { v=$1; shift; dfrule $v --no-default-rules -r tests/cli/data/tiny.dfr "$@"; }; declare -f tiny > $T/sh
  $ . $T/sh; tiny explain paged_at_high_irql tests/cli/data/irql.txt | head -1
  paged_at_high_irql speaks: its condition holds
  $ . $T/sh; tiny explain paged_at_high_irq tests/cli/data/irql.txt
  dfrule: paged_at_high_irq: no such rule; did you mean `paged_at_high_irql`?
  [3]

Why a rule is silent: the open condition, the missing fact with its reason, the command that shows it.

  $ . $T/sh; tiny why-not needs_the_limit tests/cli/data/irql.txt
  needs_the_limit waits: its condition is open, facts are missing
  tests/cli/data/tiny.dfr:16, on tests/cli/data/irql.txt

  These conditions do not hold:
    ?    thread.stack_limit > 0
           not known: thread.stack_limit (the text does not show it). To see it:
           !thread
  $ . $T/sh; tiny why-not needs_the_limit tests/cli/data/irql.txt -o ndjson | grep -o '"schema":"[^"]*"'
  "schema":"dfrule/explain/1"
  $ . $T/sh; tiny why-not needs_the_limit $T/nowhere | sed 's,/.*/,,'
  dfrule: .*nowhere: No such file or directory (re)
  $ . $T/sh; tiny explain needs_the_limit --crash 2 tests/cli/data/irql.txt
  dfrule: there is no crash 1: the input has 1
  [3]

What if a fact were known, another, unknown or absent?

  $ . $T/sh; tiny what-if thread.stack_limit=0xfffff88003a06000 -o ndjson tests/cli/data/irql.txt | grep -o '"score_db":[0-9]*'
  "score_db":16
  $ . $T/sh; tiny what-if bugcheck.arg2=unknown 'pool.tag="Exn1"' -o ndjson tests/cli/data/irql.txt | grep -o '"score_db":[0-9]*'
  "score_db":6
  $ . $T/sh; tiny what-if bugcheck.code=0x50 -o ndjson tests/cli/data/irql.txt | grep -o '"causes":\[\]'
  "causes":[]
  $ . $T/sh; tiny what-if thread.stck_limit=0 tests/cli/data/irql.txt
  dfrule: thread.stck_limit=0: there is no fact `thread.stck_limit`; did you mean `thread.stack_limit`?
  [3]
  $ . $T/sh; tiny what-if thread.stack_limit=high tests/cli/data/irql.txt
  dfrule: thread.stack_limit=high: .* (re)
  [3]
  $ . $T/sh; tiny what-if bugcheck.code=1 - < tests/cli/data/irql.txt | head -2
  -
  Bug check 0x1 .* (re)
