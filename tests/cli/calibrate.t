Weights fitted to labelled cases.

A corpus of cases in which one rule is always wrong about hardware and right about nothing else.

  $ cat > $T/r.dfr <<'X'
  > cause bad { title = "Bad"; axis = "contributor"; prior_db = 0; culprit = "hw.disk"; }
  > rule guess {
  >   when bugcheck.code in [0xD1, 0x50];
  >   evidence {
  >     for strong "the code says so {bugcheck.code}": bugcheck.code == 0xD1;
  >     for weak "\"quoted\" {{": bugcheck.code == 0x50;
  >   }
  >   conclude bad;
  > }
  > X
  $ mkdir $T/c; printf 'file\tculprit\n' > $T/c/labels.tsv
  $ for i in $(seq 40); do
  >   if ((i % 2)); then c=D1; w=foo.sys; else c=50; w=hw.disk; fi
  >   echo "BugCheck $c, {fffff8000000$((1000 + i)), 2, 0, fffff80000001234}" > $T/c/$i.txt
  >   printf "$i.txt\t$w\n" >> $T/c/labels.tsv; done
  $ calibrate() { dfrule corpus calibrate --no-default-rules -r $T/r.dfr "$@"; }; declare -f calibrate > $T/sh
  $ . $T/sh; calibrate $T/c -o $T/o.dfr
  40 cases with strong labels, 40 causes that a label can judge, 20 of them true;
  3 weights and priors counted in at least 5 cases.

  Foretelling cases not seen (5 folds)
    may stray (db)   Brier  log loss  gained a case
    author's own    0.4690    1.4021
    1               0.3663    0.9752  +0.4269 +- 0.0722
    2               0.1580    0.4985  +0.9036 +- 0.1324
    4               0.0316    0.1929  +1.2092 +- 0.1534  <- chosen

  How often it was true
                   before                   after, held out
    said               n    meant     true      n    meant     true
    not shown          0        -        -     20     21 %      0 %
    possible           0        -        -      0        -        -
    likely            20     67 %    100 %     20     86 %    100 %
    strong            20     91 %      0 %      0        -        -
    near-certain       0        -        -      0        -        -

  What moves
    bad, before any evidence                                              +0 -> -4
    guess: the code says so {bugcheck.code}                              +10 -> +0
    guess: "quoted" {{                                                   +3 -> +12
  $ cat $T/o.dfr; dfrule compile --no-default-rules $T/r.dfr $T/o.dfr
  // Written by `dfrule corpus calibrate`: weights fitted to 40 labelled cases.
  // Brier score on cases not seen by the fit: 0.0316, with the authors' weights 0.4690.
  override bad {
    prior_db = -4;  // was 0
  }
  override guess {
    weight "the code says so {bugcheck.code}" = weight(0);  // was 10
    weight "\"quoted\" {{" = weight(12);  // was 3
  }
  1 rules, 1 causes, 0 actions, 0 tests, 14 words of code
  $ . $T/sh; calibrate -r $T/o.dfr $T/c | sed -n '/^How often/,/near-certain/p'
  How often it was true
                   before                   after, held out
    said               n    meant     true      n    meant     true
    not shown         20     28 %      0 %     20     15 %      0 %
    possible           0        -        -      0        -        -
    likely            20     86 %    100 %      0        -        -
    strong             0        -        -     20     91 %    100 %
    near-certain       0        -        -      0        -        -
  $ . $T/sh; calibrate $T/c --report json | python3 -c 'import json,sys; o=json.load(sys.stdin); print(o["schema"], o["thin"], [s["sigma_db"] for s in o["settings"] if s["chosen"]], o["moves"][1]["to_db"])'
  dfrule/calibration/1 None [4] 0

Too few cases move nothing, and the file says so.

  $ head -9 $T/c/labels.tsv > $T/c/few.tsv; . $T/sh; calibrate $T/c/few.tsv -o $T/few.dfr | tail -3; cat $T/few.dfr
  What moves
    Nothing. The corpus is too thin to move anything: there are too few cases with
    strong labels.
  // Written by `dfrule corpus calibrate`: weights fitted to 8 labelled cases.
  // Brier score on cases not seen by the fit: 0.4690, with the authors' weights 0.4690.
  // Nothing moves: there are too few cases with strong labels.

Which conditions were ever decided.

  $ cat > $T/t.dfr <<'X'
  > cause bad { title = "Bad"; axis = "mechanism"; }
  > rule guess { when bugcheck.code == 0xD1; evidence { for strong "high": bugcheck.arg1 > 0x1000; for weak "seen": os.build > 7600; } conclude bad; }
  > test "a" { given { bugcheck.code = 0xD1; bugcheck.arg1 = 0x2000; } expect fires(guess); }
  > test "b" { given { bugcheck.code = 0x0A; } expect not fires(guess); }
  > X
  $ dfrule test --coverage $T/t.dfr | sed 's,/.*/,,'
  guess, t.dfr
    2:53 evidence: bugcheck.arg1 > 0x1000             1 true, 0 false, 0 undecided
    2:96 evidence: os.build > 7600                    0 true, 0 false, 1 undecided
         undecided for os.build: the text does not show it (1)
  3 conditions in 1 rules, over 2 tests and 0 cases: 1 were both true and false, 1
  only one of them, 1 never decided.
  $ dfrule corpus coverage --no-default-rules -r $T/t.dfr $T/c | tail -2
  3 conditions in 1 rules, over 2 tests and 40 cases: 1 were both true and false,
  1 only one of them, 1 never decided.
  $ dfrule corpus coverage --no-default-rules -r $T/t.dfr -v $T/c | sed 's,/.*/,,;3q'
  guess, t.dfr
    2:19 when: bugcheck.code == 0xD1                21 true, 21 false, 0 undecided
    2:53 evidence: bugcheck.arg1 > 0x1000            21 true, 0 false, 0 undecided
