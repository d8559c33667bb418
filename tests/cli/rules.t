Rule sets: which are used, what is wrong with them, tests, mutation, compiling. Exit codes 1, 2, 3.

  $ tiny() { v=$1; shift; dfrule $v --no-default-rules -r tests/cli/data/tiny.dfr "$@"; }; declare -f tiny > $T/sh

The default rules are those of $DFRULE_RULES, else those that belong to the command; -r adds to them.

  $ dfrule compile | grep -c ' rules, '
  1
  $ DFRULE_RULES=tests/cli/data/tiny.dfr dfrule compile
  2 rules, 1 causes, 0 actions, 3 tests, \d+ words of code (re)
  $ DFRULE_RULES=$T/nowhere dfrule check tests/cli/data/irql.txt 2>&1 | sed 's,/.*/,,'
  dfrule: nowhere: No such file or directory
  $ dfrule check --no-default-rules tests/cli/data/irql.txt
  dfrule: there are no rules: name some with -r, or set DFRULE_RULES
  [3]
  $ dfrule check -r $T/nowhere.dfr tests/cli/data/irql.txt 2>&1 >/dev/null | sed 's,/.*/,,'; echo ${PIPESTATUS[0]}
  dfrule: nowhere.dfr: No such file or directory
  3
  $ cp tests/cli/data/tiny.dfr $T/own.dfr; dfrule why-not -r $T/own.dfr needs_the_limit tests/cli/data/irql.txt | head -1
  needs_the_limit waits: its condition is open, facts are missing

Rules with errors: file, line and column, the line itself, what was meant.

  $ printf 'rule r {\n  when bugcheck.cod == 1;\n  recommend "Do it.";\n}\n' > $T/bad.dfr; cd $T; dfrule compile --no-default-rules bad.dfr
  bad.dfr:2:\d+: error\[DFR\d+\]: .*`bugcheck.cod`.* (re)
     2 |   when bugcheck.cod == 1;
  .*\^+ (re)
  .* did you mean `bugcheck.code`\? (re)
  dfrule: 1 error in the rules
  [2]
  $ cd $T; dfrule check --no-default-rules -r bad.dfr /dev/null >/dev/null 2>&1
  [2]
  $ cd $T; dfrule lint --no-default-rules bad.dfr | tail -1
  1 error, 0 warnings
  $ cd $T; dfrule lint --no-default-rules bad.dfr >/dev/null
  [2]
  $ cd $T; dfrule lint --no-default-rules bad.dfr -o ndjson | grep -o '"errors":1\|"line":2\|"severity":"error"'
  "errors":1
  "severity":"error"
  "line":2
  $ . $T/sh; tiny lint
  0 errors, 0 warnings

Tests.

  $ . $T/sh; tiny test
  3 passed, 0 failed
  $ . $T/sh; tiny test -v -k fetch
  ok    tests/cli/data/tiny.dfr:27:6: an instruction fetch speaks against it
  1 passed, 0 failed
  $ sed 's/== 10;/== 11;/' tests/cli/data/tiny.dfr > $T/wrong.dfr; cd $T; dfrule test --no-default-rules wrong.dfr
  FAIL  wrong.dfr:22:6: a read at high level
      wrong.dfr:24:10: is false: score(paged_at_high_irql) == 11
      the answer was: bad_access +10 in [+10, +22]
      first to collect: .* (re)
  FAIL  wrong.dfr:27:6: an instruction fetch speaks against it
      wrong.dfr:29:10: is false: score(paged_at_high_irql) == 11
      the answer was: bad_access +16 in [+16, +16]
  1 passed, 2 failed
  [1]
  $ cd $T; dfrule test --no-default-rules wrong.dfr -o ndjson | grep -o '"passed":[0-9]*,"failed":[0-9]*'
  "passed":1,"failed":2
  $ mkdir $T/sub && printf 'test "loads" { load "crash.txt"; expect bugcheck.code == 0xD1; }\n' > $T/sub/load.dfr; cd $T; dfrule test --no-default-rules sub
  FAIL  sub/load.dfr:1:6: loads
      crash.txt: not found beside the rule file, above it, or in a --root
  0 passed, 1 failed
  [1]
  $ mkdir $T/cases && cp tests/cli/data/irql.txt $T/cases/crash.txt; cd $T; dfrule test --no-default-rules sub --root cases
  1 passed, 0 failed

Only the tests below the named paths run, though the pack around them is loaded.

  $ mkdir $T/pack && cd $T/pack && printf 'pack "made.up" { version = 1.0.0; facts = 1; license = "CC0-1.0"; }\n' > pack.dfr
  $ printf 'test "a" { given { bugcheck.code = 1; } expect bugcheck.code == 1; }\n' > $T/pack/a.dfr; sed 's/"a"/"b"/' $T/pack/a.dfr > $T/pack/b.dfr
  $ cd $T; dfrule test --no-default-rules pack; dfrule test --no-default-rules -v pack/b.dfr
  2 passed, 0 failed
  ok    pack/b.dfr:1:6: b
  1 passed, 0 failed

Mutation: a change that no test notices is named; exit code 1.

  $ . $T/sh; tiny test --mutate
  10 killed, 0 survived
  $ grep -v 'speaks against\|0x1000; }\|== 10;\|== 6;\|fires(needs' tests/cli/data/tiny.dfr | sed '/^test "another/,$d; /^test/,$d' > $T/blunt.dfr
  $ echo 'test "blunt" { given { bugcheck.code = 0xD1; bugcheck.arg2 = 2; } expect fires(paged_at_high_irql); }' >> $T/blunt.dfr
  $ cd $T; dfrule test --mutate --no-default-rules blunt.dfr -k paged
  blunt.dfr:7:\d+: no test notices: >= turned to < in `bugcheck.arg2 >= 2` of paged_at_high_irql (re)
  blunt.dfr:7:\d+: no test notices: weight \+10 turned to -10 in `bugcheck.arg2 >= 2` of paged_at_high_irql (re)
  blunt.dfr:8:\d+: no test notices: == turned to != in .* (re)
  blunt.dfr:8:\d+: no test notices: weight \+6 turned to -6 in .* (re)
  blunt.dfr:9:\d+: no test notices: == turned to != in .* (re)
  blunt.dfr:9:\d+: no test notices: weight -6 turned to \+6 in .* (re)
  1 killed, 6 survived
  [1]

Compiling. The compiled form answers the same; it stands alone and is refused when damaged.

  $ . $T/sh; tiny compile -o $T/tiny.dfrc
  2 rules, 1 causes, 0 actions, 3 tests, \d+ words of code (re)
  $ . $T/sh; tiny check -o ndjson tests/cli/data/irql.txt | cmp - <(dfrule check --no-default-rules -r $T/tiny.dfrc -o ndjson tests/cli/data/irql.txt)
  $ . $T/sh; tiny compile -q -o $T/no/such/folder/x
  dfrule: .*no/such/folder/x: No such file or directory (re)
  [3]
  $ cd $T; dfrule compile -r tiny.dfrc
  dfrule: tiny.dfrc: a compiled rule set stands alone; use --no-default-rules, or name its sources
  [3]
  $ cd $T; head -c 300 tiny.dfrc > torn.dfrc; dfrule compile --no-default-rules -r torn.dfrc 2>&1 | wc -l; dfrule compile --no-default-rules -r torn.dfrc 2>/dev/null
  1
  [2]
  $ . $T/sh; tiny disasm needs_the_limit | head -3
  rule 0  needs_the_limit  [tests/cli/data/tiny.dfr:16]
    keys: bug check 0xD1; cost \d+ (re)
    when  bugcheck.code == 0xD1  [tests/cli/data/tiny.dfr:17]
  $ . $T/sh; tiny disasm nobody_knows_this_rule
  dfrule: nobody_knows_this_rule: no such rule
  [3]

With the index or without it, the answer is the same.

  $ for f in tests/cli/data/irql.txt corpus/transcripts/*.txt; do dfrule check -o ndjson $f | cmp - <(dfrule check --no-index -o ndjson $f); done
