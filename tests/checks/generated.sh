#!/bin/sh
# The committed reference pages, manual page and completions are what the tables give now.
set -eu
cd "${ROOT:-$(dirname "$0")/../..}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/generated" "$tmp/man" "$tmp/completions"
for tool in gentables genman; do
    [ ! -x "${BUILD:-build/release}/tools/$tool" ] || "${BUILD:-build/release}/tools/$tool" "$tmp"
done
status=0
for folder in generated man completions; do
    for file in "$tmp/$folder"/*; do
        [ -f "$file" ] || continue
        name=docs/$folder/${file##*/}
        if cmp -s "$file" "$name"; then
            echo "ok - generated: $name"
        else
            diff -u "$name" "$file" 2>&1 | head -20 | sed 's/^/# /'
            echo "not ok - generated: $name is stale: run make docs"
            status=1
        fi
    done
done
exit $status
