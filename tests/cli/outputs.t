Formats, files, colour.

  $ check() { dfrule check --no-default-rules -r tests/cli/data/tiny.dfr "$@"; }; declare -f check > $T/sh

Each -o is one output; files appear whole or not at all.

  $ . $T/sh; check -o json=$T/a.json -o ndjson=$T/a.ndjson -o text tests/cli/data/irql.txt | head -1
  tests/cli/data/irql.txt
  $ ls $T; wc -l < $T/a.ndjson; python3 -c 'import json,sys; a=json.load(open(sys.argv[1])); b=json.load(open(sys.argv[2])); print(a==b, a["schema"], a["strength"])' $T/a.json $T/a.ndjson
  a.json
  a.ndjson
  sh
  1
  True dfrule/result/1 strong
  $ . $T/sh; check -o json=$T/no/such/folder tests/cli/data/irql.txt | sed 's,/.*/no/,no/,'
  dfrule: .*no/such/folder: No such file or directory (re)
  $ . $T/sh; check -o json=$T tests/cli/data/irql.txt 2>&1 | sed 's,/.*,,'; echo ${PIPESTATUS[0]}
  dfrule:
  3
  $ . $T/sh; check -o json=$T/a.json -o text=$T/a.json tests/cli/data/irql.txt >/dev/null 2>&1
  [3]
  $ . $T/sh; check -o text=/dev/full tests/cli/data/irql.txt
  dfrule: /dev/full: No space left on device
  [3]
  $ . $T/sh; check tests/cli/data/irql.txt > /dev/full
  dfrule: standard output: could not be written
  [3]

Several inputs as JSON are an array, one input is an object; so is a folder with one file.

  $ keys() { python3 -c 'import json,sys; o=json.load(sys.stdin); print(o["schema"], [r["schema"] for r in o.get("results",[])])'; }; declare -f keys >> $T/sh
  $ . $T/sh; check -o json tests/cli/data/irql.txt | keys
  dfrule/result/1 []
  $ . $T/sh; check -q -o json tests/cli/data/irql.txt tests/cli/data/irql.txt $T/nowhere 2>/dev/null | keys
  dfrule/results/1 ['dfrule/result/1', 'dfrule/result/1', 'dfrule/error/1']
  $ . $T/sh; mkdir $T/f; check -q -o json $T/f 2>/dev/null | keys
  dfrule/results/1 []
  $ . $T/sh; cp tests/cli/data/irql.txt $T/f; check -o json $T/f | keys
  dfrule/results/1 ['dfrule/result/1']

JSON holds one object an input: several crashes in one text stand inside the first one's.

  $ . $T/sh; cat tests/cli/data/irql.txt corpus/transcripts/e2_keyboard.txt > $T/two.txt
  $ . $T/sh; for v in check facts; do dfrule $v -o ndjson $T/two.txt tests/cli/data/irql.txt | python3 -c 'import json,sys; print([len(json.loads(l)["other_crashes"]) for l in sys.stdin])'; done
  [1, 0]
  [1, 0]

A pipe gets no colour; --color and NO_COLOR decide, TERM=dumb counts as no terminal.

  $ esc() { if grep -q $'\033'; then echo colour; else echo plain; fi; }; declare -f esc >> $T/sh
  $ . $T/sh; check tests/cli/data/irql.txt | esc
  plain
  $ . $T/sh; check --color=always tests/cli/data/irql.txt | esc
  colour
  $ . $T/sh; NO_COLOR=1 check --color=always tests/cli/data/irql.txt | esc
  colour
  $ . $T/sh; check --color=always -o text=$T/t.txt tests/cli/data/irql.txt; esc < $T/t.txt
  colour
  $ tty() { python3 tests/cli/data/on_terminal.py "$@" dfrule check --no-default-rules -r tests/cli/data/tiny.dfr tests/cli/data/irql.txt; }; declare -f tty >> $T/sh
  $ . $T/sh; tty TERM=xterm | esc
  colour
  $ . $T/sh; tty TERM=dumb | esc
  plain
  $ . $T/sh; tty TERM=xterm NO_COLOR=1 | esc
  plain
  $ . $T/sh; tty TERM=xterm NO_COLOR= | esc
  colour
  $ . $T/sh; check --ascii tests/cli/data/irql.txt | LC_ALL=C grep -c '[^ -~]'
  0
  [1]
  $ . $T/sh; check --columns 60 tests/cli/data/irql.txt | awk 'length > 62' | wc -l
  0

A reader that leaves early ends the command quietly.

  $ . $T/sh; check -o json tests/cli/data/irql.txt | head -1
  {

Progress stands on a terminal's standard error, past a second, and is wiped out again.

  $ mkfifo $T/slow; (sleep 1.3; cat tests/cli/data/irql.txt) > $T/slow & python3 tests/cli/data/on_terminal.py TERM=xterm dfrule facts -j1 $T/slow tests/cli/data/irql.txt | grep -o 'dfrule: 1 of 2 inputs, [0-9]* s left'
  dfrule: 1 of 2 inputs, 1 s left
  $ (sleep 1.3; cat tests/cli/data/irql.txt) > $T/slow & dfrule facts -j1 $T/slow tests/cli/data/irql.txt 2>&1 >/dev/null
  $ (sleep 1.3; cat tests/cli/data/irql.txt) > $T/slow & python3 tests/cli/data/on_terminal.py TERM=xterm dfrule facts -q -j1 $T/slow tests/cli/data/irql.txt | grep -c 'of 2 inputs'
  0
  [1]
