Files, folders, standard input; what is no crash; exit codes 0, 1, 3, 4, 5.

  $ mkdir $T/in && cp tests/cli/data/irql.txt $T/in/b.txt && sed 's/1:02:03/1:02:04/' $T/in/b.txt > $T/in/a.txt
  $ check() { dfrule check --no-default-rules -r tests/cli/data/tiny.dfr "$@"; }; declare -f check > $T/sh
  $ . $T/sh; check $T/in/b.txt | head -2
  .*/in/b.txt (re)
  Bug check 0xD1 DRIVER_IRQL_NOT_LESS_OR_EQUAL .* (re)
  $ . $T/sh; check < $T/in/b.txt | head -1
  -
  $ . $T/sh; cat $T/in/b.txt | check - | head -1
  -
  $ . $T/sh; check <(cat $T/in/b.txt) | head -1
  /dev/fd/\d+ (re)
  $ . $T/sh; check - - < $T/in/b.txt
  dfrule: `-` stands twice: standard input can be read once
  [3]

A folder is walked in byte order; what holds no crash is passed over and counted; hidden files and
links to folders are left alone.

  $ mkdir $T/in/sub && cp $T/in/a.txt $T/in/sub/c.log && ln -s .. $T/in/sub/up && cp $T/in/a.txt $T/in/.hidden
  $ echo 'Nothing to see here.' > $T/in/notes.md && : > $T/in/empty
  $ . $T/sh; check -o ndjson $T/in | grep -o '"input":{"path":"[^"]*"' | sed 's,.*/in/,,'
  dfrule: 2 files without a crash passed over; -v names them
  a.txt"
  b.txt"
  sub/c.log"
  $ . $T/sh; check -q -v -o ndjson $T/in 2>&1 >$T/out | sed 's,/.*/in/,,'
  dfrule: empty: is empty (passed over)
  dfrule: notes.md: .* \(passed over\) (re)
  $ . $T/sh; check -q -o ndjson $T/in -j 3 | cmp - $T/out
  $ . $T/sh; check -q -o ndjson $T/in -j 3 --unordered | sort | cmp - <(sort $T/out)
  $ mkdir $T/none; . $T/sh; check $T/none
  dfrule: no files found
  [4]

A folder of many inputs comes out in order, however many threads read it.

  $ mkdir $T/many; for i in $(seq -w 0 299); do cp $T/in/b.txt $T/many/$i.txt; done
  $ for j in 1 2 7; do dfrule facts -j $j -o ndjson $T/many | grep -o '"input":{"path":"[^"]*"' | sed 's,.*/,,' | md5sum; done | uniq | wc -l
  1
  $ dfrule facts -o ndjson $T/many | grep -o '"input":{"path":"[^"]*"' | sort -c && echo sorted
  sorted

An input that is named and cannot be read is an error; the exit code says whether all failed or some.

  $ . $T/sh; check $T/nowhere.txt | sed 's,/.*/,,'
  dfrule: .*nowhere.txt: No such file or directory (re)
  $ . $T/sh; check -q $T/nowhere.txt 2>/dev/null
  [4]
  $ . $T/sh; check -q $T/nowhere.txt $T/in/b.txt -o ndjson 2>/dev/null | sed "s,$T/,,g" | cut -c1-140
  {"schema":"dfrule/error/1","input":{"path":"nowhere.txt"},"error":{"code":"io","message":"nowhere.txt: No such file or directory"}}
  {"schema":"dfrule/result/1","input":{"path":"in/b.txt","kind":"transcript",.* (re)
  $ . $T/sh; check -q $T/nowhere.txt $T/in/b.txt >/dev/null 2>&1
  [5]
  $ . $T/sh; check tests/checks
  dfrule: \d+ files without a crash passed over; -v names them (re)
  [4]

What is no text says what it is and what to do.

  $ cd $T; printf 'PAGEDU64\017\0\0\0' > m.dmp; printf 'PK\003\004\024\0' > m.zip; printf 'MZ\220\0\003\0\0' > m.sys; head -c 3000 /dev/zero > zeros; : > empty
  $ cd $T; for f in m.dmp m.zip m.sys zeros empty; do dfrule facts $f; echo $?; done
  dfrule: m.dmp: is a kernel dump cut off after 12 bytes, inside its header of 8192: copy it again from the crashed system
  4
  dfrule: m.zip: is a zip archive: unpack it and give the dump or the text that is in it
  4
  dfrule: m.sys: is a Windows program or driver
  4
  dfrule: zeros: begins with nothing but zeros: a copy that failed, or a raw memory image: copy the dump again from the crashed system
  4
  dfrule: empty: is empty
  4

In a folder, dumps and archives are errors all the same: they may hold crashes.

  $ mkdir $T/dumps && cp $T/m.dmp $T/m.sys $T/in/b.txt $T/dumps; dfrule facts -o ndjson $T/dumps >/dev/null 2>$T/err; echo $?; wc -l < $T/err
  5
  2

Limits.

  $ dfrule facts --max-size 1k tests/cli/data/irql.txt
  dfrule: tests/cli/data/irql.txt: larger than 1024 bytes
  [4]
  $ dfrule facts --max-size 1k < tests/cli/data/irql.txt
  dfrule: -: larger than 1024 bytes
  [4]
  $ dfrule facts /dev/zero --max-size 1M
  dfrule: /dev/zero: larger than 1048576 bytes
  [4]
  $ head -c 3000000 /dev/zero | tr '\0' 'x' > $T/long; dfrule facts $T/long >/dev/null 2>&1
  [4]
  $ (cat tests/cli/data/irql.txt; head -c 3000000 /dev/zero | tr '\0' 'x') > $T/long; dfrule facts $T/long | grep bugcheck.code | cut -c1-40
    bugcheck.code          0xD1

A file name may hold anything; nothing of it reaches the terminal or forges a line.

  $ cp tests/cli/data/irql.txt "$T/$(printf 'a\n\033[31mdfrule: forged')"; cd $T; dfrule facts $(printf '?')*forged | head -2 | cat -v
  a\x0a\x1b[31mdfrule: forged
  Bug check 0xD1 DRIVER_IRQL_NOT_LESS_OR_EQUAL .* (re)
  $ cd $T; dfrule facts "$(printf 'no\n\033[31msuch\302\233file\377')"
  dfrule: no\x0a\x1b[31msuch\xc2\x9bfile\xff: No such file or directory
  [4]
  $ cd $T; dfrule facts -o ndjson "$(printf 'a\n"\\\033file\377')" 2>/dev/null
  {"schema":"dfrule/error/1","input":{"path":"a\u000a\"\\\u001bfile�"},"error":{"code":"io","message":"a\\x0a\"\\\\x1bfile�: No such file or directory"}}
  [4]

Several crashes in one text are several results.

  $ (cat tests/cli/data/irql.txt; echo; sed 's/D1, {/D2, {/; s/(d1)/(d2)/' tests/cli/data/irql.txt) > $T/two.txt
  $ dfrule facts -o ndjson $T/two.txt | grep -o '"bugcheck.code":{[^}]*"value":[^,]*'
  "bugcheck.code":{"state":"known","value":209
  "bugcheck.code":{"state":"known","value":210
  $ dfrule facts --crash 2 -o ndjson $T/two.txt | grep -c .
  1
  $ dfrule facts --crash 3 $T/two.txt | sed 's,/.*/,,'
  dfrule: .*two.txt: --crash 3: there are only 2 (re)

How strong a first cause must be to count.

  $ . $T/sh; for l in possible likely strong near-certain; do check -q --fail-on $l $T/in/b.txt >/dev/null; echo $l $?; done
  possible 1
  likely 1
  strong 1
  near-certain 0
