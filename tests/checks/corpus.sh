#!/bin/bash
# The labelled cases of corpus/: no case may fall behind the figures that are kept beside them, every
# transcript has a label and a line in the manifest, and both agree.
cd "${ROOT:-$(dirname "$0")/../..}" || exit 1
dfrule=${DFRULE:-build/release/dfrule}
if [ ! -x "$dfrule" ]; then
    echo "ok - corpus # SKIP $dfrule is not built"
    exit 0
fi
if changes=$("$dfrule" corpus eval -q corpus --against corpus/FIGURES); then
    echo "ok - corpus: ${changes##*$'\n'}"
else
    while read -r line; do echo "# $line"; done <<<"$changes"
    echo "# if that is meant, \`make bless\` writes corpus/FIGURES anew: the diff then says so"
    echo "not ok - corpus: a case fell behind corpus/FIGURES"
fi
grep '^better' <<<"$changes" | sed 's/^/# /; $a # `make bless` keeps these figures'
# file, bug check and culprit of each table
manifest=$(grep -v '^#\|^recipes/' corpus/MANIFEST | cut -f1,4,5 | LC_ALL=C sort)
labels=$(grep -v '^#\|^file' corpus/labels.tsv | cut -f1-3 | LC_ALL=C sort)
if [ "$manifest" = "$labels" ]; then
    echo "ok - corpus: manifest and labels agree"
else
    diff <(echo "$manifest") <(echo "$labels") | sed 's/^/# /'
    echo "not ok - corpus: manifest and labels differ"
fi
unlabelled=$(comm -23 <(cd corpus && find transcripts -name '*.txt' | LC_ALL=C sort) \
    <(cut -f1 <<<"$labels" | LC_ALL=C sort))
if [ -z "$unlabelled" ]; then
    echo "ok - corpus: every transcript has a label"
else
    echo "not ok - corpus: no label: ${unlabelled//$'\n'/ }"
fi
