How the command reads its words. Nothing here needs rules or crashes.

  $ dfrule
  dfrule: no verb given; to diagnose a crash, run `dfrule check FILE`; `dfrule -h` tells more
  [3]
  $ dfrule version
  dfrule \d+\.\d+\.\d+ (re)
  $ dfrule --version | grep -c dfrule
  1

A misspelt verb is answered with the nearest; a file where a verb belongs, with what was meant.

  $ dfrule chekc x
  dfrule: unknown verb `chekc`; did you mean `check`?
  [3]
  $ dfrule frobnicate
  dfrule: unknown verb `frobnicate`; `dfrule -h` lists them
  [3]
  $ dfrule tests/cli/data/irql.txt
  dfrule: unknown verb `tests/cli/data/irql.txt`; to diagnose it, run `dfrule check tests/cli/data/irql.txt`
  [3]
  $ dfrule help chek
  dfrule: unknown verb `chek`; did you mean `check`?
  [3]
  $ dfrule help check facts
  dfrule: help takes one verb, or none
  [3]

So are options.

  $ dfrule check --colr=never x
  dfrule: unknown option `--colr`; did you mean `--color`?
  [3]
  $ dfrule check --frobnicate x
  dfrule: unknown option `--frobnicate`; `dfrule check -h` lists them
  [3]
  $ dfrule check -z x
  dfrule: unknown option `-z`; `dfrule check -h` lists them
  [3]
  $ dfrule check --ascii -vz x
  dfrule: unknown option `-z`; `dfrule check -h` lists them
  [3]
  $ dfrule facts --fail-on likely x
  dfrule: `--fail-on` is no option of `dfrule facts`
  [3]
  $ dfrule facts -r x y
  dfrule: `-r` is no option of `dfrule facts`
  [3]
  $ dfrule check --ascii=yes x
  dfrule: --ascii takes no argument
  [3]
  $ dfrule check x --color
  dfrule: --color needs an argument: WHEN
  [3]
  $ dfrule check x -o
  dfrule: --output needs an argument: FORMAT[=FILE]
  [3]
  $ dfrule compile -o
  dfrule: --output needs an argument: FILE
  [3]
  $ dfrule check --color sometimes x
  dfrule: --color: `sometimes` is not one of: auto always never
  [3]
  $ dfrule check --fail-on huge x
  dfrule: --fail-on: `huge` is not one of: possible likely strong near-certain
  [3]
  $ for n in 0 -1 4x 99999999999999999999; do dfrule check --jobs=$n x; echo $?; done
  dfrule: --jobs: `0` is no number in range
  3
  dfrule: --jobs: `-1` is no number in range
  3
  dfrule: --jobs: `4x` is no number in range
  3
  dfrule: --jobs: `99999999999999999999` is no number in range
  3
  $ for n in 3T 18446744073709551615k ''; do dfrule check --max-size "$n" x; echo $?; done
  dfrule: --max-size: `3T` is no size
  3
  dfrule: --max-size: `18446744073709551615k` is no size
  3
  dfrule: --max-size: `` is no size
  3
  $ dfrule check -o xml x
  dfrule: -o xml: no such format; there are text, json and ndjson
  [3]
  $ dfrule check -o result.json x
  dfrule: -o result.json: no such format; did you mean `-o json=result.json`?
  [3]
  $ dfrule check -o json= x
  dfrule: -o json=: the file name is missing
  [3]
  $ dfrule check -o text -o json x
  dfrule: -o: two outputs go to standard output
  [3]

Options stand before or behind the verb, and `--` ends them.

  $ dfrule --color never explain DFR1001 | head -1
  DFR1001
  $ dfrule explain --color=never -- DFR1001 | head -1
  DFR1001
  $ dfrule explain DFR0009
  dfrule: there is no diagnostic DFR0009
  [3]

Verbs say what they need.

  $ dfrule explain some_rule
  dfrule: explain needs a rule and one input, such as `dfrule explain kernel_stack_overflow crash.txt`
  [3]
  $ dfrule why-not
  dfrule: why-not needs a rule and one input, such as `dfrule why-not kernel_stack_overflow crash.txt`
  [3]
  $ dfrule what-if crash.txt
  dfrule: what-if needs assignments and then one input, such as .* (re)
  [3]
  $ dfrule what-if a.b=1 c.d=2
  dfrule: what-if needs assignments and then one input, such as .* (re)
  [3]
  $ dfrule disasm a b
  dfrule: disasm takes one rule, or none for all
  [3]

Help: short with three examples, long with everything, for the command and for each verb.

  $ dfrule -h | head -4
  Usage: dfrule VERB [OPTION]... [OPERAND]...
  Diagnoses Windows kernel crashes by rules: what happened, what to do, how sure,
  and which lines say so.

  $ dfrule -h | grep -c '^  dfrule\|^  xclip'
  3
  $ dfrule -h | wc -l | awk '$1 <= 40 { print "short" }'
  short
  $ dfrule --help | grep -A3 '^Exit codes'
  Exit codes, the same for every verb:
    0     it ran
    1     --fail-on was met, a test or a case failed, or lint found something
    2     a rule or a pack has errors
  $ for v in check facts explain why-not what-if test lint compile disasm version help; do
  >   dfrule $v -h | head -1 | grep -q "^Usage: dfrule $v" && dfrule $v --help | grep -q '^Exit codes' &&
  >   dfrule help $v | cmp - <(dfrule $v --help) || echo "no help for $v"; done
  $ dfrule check --help --columns 60 | awk 'length > 60'
  $ dfrule check -h | grep -- --fail-on
        --fail-on LEVEL         exit with 1 when a first cause is at least this
