#!/bin/sh
# C files are as clang-format 14 writes them.
tool=$(command -v clang-format-14 || command -v clang-format) || tool=
case $($tool --version 2>/dev/null) in
*"version 14."*) ;;
*) echo "ok - format # SKIP clang-format 14 is not installed"; exit 0 ;;
esac
if out=$(make -s --no-print-directory -C "${ROOT:-.}" format-check FORMAT="$tool" 2>&1); then
    echo "ok - format: clang-format agrees"
else
    echo "$out" | grep -E 'error:' | cut -d: -f1 | sort | uniq -c | sed 's/^/# /'
    echo "not ok - format: run make format"
fi
