Measuring rules on labelled cases.

  $ mkdir $T/c; cp corpus/transcripts/e2_keyboard.txt $T/c; cp tests/cli/data/irql.txt $T/c
  $ printf 'file\tculprit\twrong\ne2_keyboard.txt\tdeliberate\t-\nirql.txt\tunknown\tnt\n' > $T/c/labels.tsv
  $ dfrule corpus eval $T/c | head -1
  2 cases. Named first: 1 of 1; the debugger's own verdict: 0 of 1. Wrong and
  $ dfrule corpus eval $T/c -o json=$T/a.json -o md=$T/a.md -o tsv=$T/a.tsv; head -1 $T/a.md; cut -f1,2 $T/a.tsv
  # Answers against labels
  # 2 cases: first 1 of 1, top three 1, cannot tell 0 of 1, wrong and confident 0; debugger right in 0
  file	outcome
  e2_keyboard.txt	right
  irql.txt	other
  $ python3 -c 'import json,sys; o=json.load(open(sys.argv[1])); print(o["schema"], o["all"]["first"], [c["outcome"] for c in o["cases"]])' $T/a.json
  dfrule/corpus/1 1 ['right', 'other']

Figures that were kept: a case that falls is named, and the exit status tells.

  $ dfrule corpus eval $T/c --against $T/a.tsv
  2 cases, 0 worse, 0 better, 0 new
  $ sed -i 's/e2_keyboard.txt\tdeliberate/e2_keyboard.txt\tsomebody.sys/' $T/c/labels.tsv
  $ dfrule corpus eval $T/c --against $T/a.tsv
  worse   e2_keyboard.txt: was right (deliberate), is other (deliberate)
  2 cases, 1 worse, 0 better, 0 new
  [1]

What cannot be measured says why.

  $ printf 'file\tculprit\ngone.txt\tx.sys\n' > $T/c/labels.tsv; dfrule corpus eval $T/c -o tsv; echo $?
  # 1 cases: first 0 of 0, top three 0, cannot tell 0 of 0, wrong and confident 0; debugger right in 0
  file	outcome	named	strength	first cause
  gone.txt	unreadable	-	-	-
  4
  $ dfrule corpus eval tests/cli/data
  dfrule: tests/cli/data: holds neither labels.tsv nor ANSWERS.tsv
  [3]
  $ dfrule corpus eval; dfrule corpus; dfrule corpus evil
  dfrule: corpus eval takes one corpus: a table of labels, or a folder with labels.tsv
  dfrule: `corpus` needs a second word: .* (re)
  dfrule: unknown verb `corpus evil`; there are: .* (re)
  [3]
  $ dfrule check -o md corpus/transcripts/e2_keyboard.txt
  dfrule: -o md: no such format; there are text, json and ndjson
  [3]

Two rule sets over the same cases; a folder without labels will do.

  $ dfrule corpus diff rules rules corpus
  .* cases: 0 with another first cause, 0 with another subject, 0 with another (re)
  strength; 0 worse, 0 better.
  $ dfrule corpus diff rules rules,tests/cli/data/shy.dfr corpus/transcripts | grep -A2 '^d1_flattened'
  d1_flattened.txt
    [-] driver.fault .tunnelfox., [a-z-]+; suspect tunnelfox, [a-z-]+ (re)
    [+] driver.fault .tunnelfox., [a-z-]+; suspect tunnelfox, [a-z-]+ (re)
  $ dfrule corpus diff rules rules,tests/cli/data/shy.dfr corpus >/dev/null
  [1]
  $ dfrule corpus diff rules corpus
  dfrule: corpus diff takes two rule sets and a corpus, such as `dfrule corpus diff old/rules rules corpus`
  [3]
