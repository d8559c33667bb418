#!/bin/bash
# The shell completions parse, and bash's offers verbs, options and choices.
cd "${ROOT:-$(dirname "$0")/../..}" || exit 1
file=docs/completions/dfrule.bash
if [ ! -f $file ]; then
    echo "ok - completions # SKIP $file is not there"
    exit 0
fi
# shellcheck disable=SC1090
source $file || echo "not ok - completions: bash cannot read $file"
# offers WORDS... ANSWER: what TAB gives behind these words begins with this.
offers() {
    local answer=${*: -1}
    COMP_WORDS=("${@:1:$#-1}")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _dfrule
    case " ${COMPREPLY[*]} " in
    *" $answer "*) echo "ok - completions: ${COMP_WORDS[*]} -> $answer" ;;
    *) echo "not ok - completions: ${COMP_WORDS[*]} gives ${COMPREPLY[*]}, not $answer" ;;
    esac
}
offers dfrule "" check
offers dfrule why why-not
offers dfrule check --co --color
offers dfrule cor corpus
offers dfrule corpus "" eval
offers dfrule corpus eval -o "" md
offers dfrule corpus eval --ag --against
offers dfrule check -o "" ndjson
offers dfrule check --color = al always
offers dfrule --color ne never
offers dfrule facts READ README.md
for shell in zsh fish; do
    case $shell in
    zsh) file=docs/completions/_dfrule ;;
    fish) file=docs/completions/dfrule.fish ;;
    esac
    if ! command -v $shell >/dev/null; then
        echo "ok - completions # SKIP $shell is not installed"
    elif $shell -n $file; then
        echo "ok - completions: $shell reads $file"
    else
        echo "not ok - completions: $shell cannot read $file"
    fi
done
