Forging crashes out of recipes.

  $ dfrule forge corpus/recipes/d1_null_field.yaml -o $T/a.dmp; dfrule forge corpus/recipes/d1_null_field.yaml > $T/b.dmp; cmp $T/a.dmp $T/b.dmp && echo the same bytes
  the same bytes
  $ for k in full bitmap kernel rdmp summary triage-kernel header; do dfrule forge --kind $k corpus/recipes/d1_null_field.yaml -o $T/$k.dmp; dfrule facts $T/$k.dmp | grep -m1 dump.kind; done
    dump.kind              full                                       offset 0xf98
    dump.kind              bitmap                                     offset 0xf98
    dump.kind              bitmap                                     offset 0xf98
    dump.kind              ranges                                     offset 0xf98
    dump.kind              summary                                    offset 0xf98
    dump.kind              triage                                     offset 0xf98
    dump.kind              header                                     offset 0xf98
  $ dfrule check $T/full.dmp | sed -n 6,7p
    most likely: A driver misbehaved (kestrelnet.sys): strong, not settled;
    suspect: kestrelnet.sys
  $ dfrule forge --text corpus/recipes/d1_null_field.yaml | sed -n '/^STACK_TEXT/,/^$/p' | tail -3
  ffffce0a`1ab36f00 fffff800`22001bee     : 00000000`00000000 00000000`00000000 00000000`00000000 00000000`00000000 : nt!KiRetireDpcList+0x1f4
  ffffce0a`1ab36f60 00000000`00000000     : 00000000`00000000 00000000`00000000 00000000`00000000 00000000`00000000 : nt!KiIdleLoop+0x9e
  $ dfrule forge --kind rdmp corpus/recipes/0a_x86.yaml -o $T/x.dmp
  corpus/recipes/0a_x86.yaml:2:1: error[DFR6503]: dumps of this kind are 64-bit only
     2 | title: wavesnd reads paged memory in a DPC
       | ^
  dfrule: the recipe has 1 error
  [2]

An 8 GiB dump takes no more room than what stands in it.

  $ { cat corpus/recipes/d1_null_field.yaml; echo "ram: 8G"; } > $T/big.yaml
  $ dfrule forge --kind bitmap $T/big.yaml -o $T/big.dmp; stat -c %s $T/big.dmp; test $(du -k $T/big.dmp | cut -f1) -lt 4096 && echo small
  8590204928
  small
  $ dfrule check $T/big.dmp | sed -n 6,7p
    most likely: A driver misbehaved (kestrelnet.sys): strong, not settled;
    suspect: kestrelnet.sys

The images of its modules, for small dumps, which hold none.

  $ dfrule forge corpus/recipes/d1_null_field.yaml --images $T/images; (cd $T/images && find . -type f | sort)
  ./kestrelnet.sys/672A25632c000/kestrelnet.sys
  ./ndis.sys/3D1F77AA16f000/ndis.sys
  ./ntoskrnl.exe/8C4AD5F11046000/ntoskrnl.exe
  $ test $(du -sk $T/images | cut -f1) -lt 256 && echo small
  small
  $ dfrule facts $T/a.dmp --symbols $T/images | grep -c 'method unwound\|^ *unwound$'
  9
  $ { sed 's/name: kestrelnet$/name: kestrelnet\n    file: ..\/..\/kestrelnet.sys/' corpus/recipes/d1_null_field.yaml; } > $T/out.yaml
  $ dfrule forge $T/out.yaml --images $T/images 2>&1 | sed 's/^.*out.yaml/out.yaml/'; find $T -name kestrelnet.sys -type f | wc -l
  out.yaml:13:5: error[DFR6503]: `../../kestrelnet.sys` is no name for a file of an image store
    13 |   - name: kestrelnet
       |     ^
  dfrule: the recipe has 1 error
  1

A crashing processor that seems frozen: the field stands elsewhere, or another one crashed, so that nobody's state is told.

  $ dfrule forge corpus/recipes/101_hung_processor.yaml -o $T/hung.dmp; dfrule facts $T/hung.dmp | grep -c 'state Frozen'
  2
  $ sed 's/number: 2, ipi: target-freeze/number: 0, ipi: frozen/' corpus/recipes/101_hung_processor.yaml > $T/odd.yaml
  $ dfrule forge $T/odd.yaml -o $T/odd.dmp; dfrule facts $T/odd.dmp | grep -c 'state Frozen'
  0
  [1]

Damage.

  $ { cat corpus/recipes/d1_null_field.yaml; echo "damage: {cut: 0x5000}"; } > $T/cut.yaml
  $ dfrule forge --kind full $T/cut.yaml -o $T/cut.dmp; stat -c %s $T/cut.dmp
  20480
  $ dfrule facts $T/cut.dmp | grep dump.complete
    dump.complete          false                                        offset 0x0

Mistakes, each with its place.

  $ dfrule forge tests/cli/data/broken.yaml -o $T/x.dmp
  tests/cli/data/broken.yaml:3:1: error[DFR6502]: a recipe has no field `procesors`
     3 | procesors: {count: 2}
       | ^^^^^^^^^
       = did you mean `processors`?
  tests/cli/data/broken.yaml:4:7: error[DFR6503]: `time` is a time such as 2026-03-14T09:26:53Z
     4 | time: tomorrow
       |       ^^^^^^^^
  tests/cli/data/broken.yaml:6:22: error[DFR6503]: `size` is a number such as 31, 0x1F or 64K
     6 |   - {name: nt, size: big}
       |                      ^^^
  tests/cli/data/broken.yaml:7:5: error[DFR6502]: a module needs `name`
     7 |   - {file: kestrelnet.sys}
       |     ^^^^^^^^^^^^^^^^^^^^^^
  dfrule: the recipe has 4 errors
  [2]
  $ dfrule forge tests/cli/data/names.yaml -o $T/x.dmp
  tests/cli/data/names.yaml:3:5: error[DFR6503]: `nt` needs a size of 0xc000 at least
     3 |   - {name: nt, size: 0x1000}
       |     ^^^^^^^^^^^^^^^^^^^^^^^^
  tests/cli/data/names.yaml:4:5: error[DFR6503]: `kestrelnet` does not begin at a page that has room for it
     4 |   - {name: kestrelnet, base: 0xfffff80022000800}
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  tests/cli/data/names.yaml:4:5: error[DFR6503]: `kestrelnet` overlaps `nt`
     4 |   - {name: kestrelnet, base: 0xfffff80022000800}
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  dfrule: the recipe has 3 errors
  [2]
  $ dfrule forge tests/cli/data/no_yaml.yaml -o $T/x.dmp
  tests/cli/data/no_yaml.yaml:2:6: error[DFR6501]: did not find expected ',' or '}'
     2 | stack: [
       |      ^
  dfrule: the recipe has 1 error
  [2]
  $ dfrule forge tests/cli/data/prolog.yaml -o $T/x.dmp
  tests/cli/data/prolog.yaml:5:5: error[DFR6503]: +0x2 lies in the prolog and the call behind it, which take 0xc bytes
     5 |   - nt!KiBugCheckDispatch+0x2
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^
  tests/cli/data/prolog.yaml:1:34: error[DFR6504]: nothing in this recipe is called `trap`
     1 | bugcheck: {code: 0xD1, args: [1, trap]}
       |                                  ^^^^
  dfrule: the recipe has 2 errors
  [2]
  $ dfrule forge $T/nothing.yaml -o $T/x.dmp
  dfrule: */nothing.yaml: No such file or directory (glob)
  [4]
  $ dfrule forge
  dfrule: forge needs one recipe, such as `dfrule forge crash.yaml -o crash.dmp`
  [3]
  $ dfrule forge tests/cli/data/anchors.yaml -o $T/x.dmp
  tests/cli/data/anchors.yaml:2:6: error[DFR6501]: anchors and aliases are no part of recipes
     2 | lab: &lab 19041.1.amd64fre
       |      ^
  dfrule: the recipe has 1 error
  [2]
