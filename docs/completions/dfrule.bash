# Written by engine/tools/genman.c from engine/cli/options.def; `make docs` refreshes it.
# shellcheck shell=bash disable=SC2207
_dfrule() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} word verb='' options
    COMPREPLY=()
    # `--color=al` comes as three words.
    if [[ $cur == = ]]; then cur=; elif [[ $prev == = && $COMP_CWORD -gt 1 ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case ${verb:+${verb}_}$word in
        check | facts | info | symbols | explain | why-not | what-if | test | lint | compile | disasm | corpus | forge | version | help | corpus_eval | corpus_calibrate | corpus_coverage | corpus_diff) verb=${verb:+${verb}_}$word ;;
        esac
    done
    case $verb:$prev in
    check:-o | check:--output | facts:-o | facts:--output | info:-o | info:--output | symbols:-o | symbols:--output | explain:-o | explain:--output | why-not:-o | why-not:--output | what-if:-o | what-if:--output | test:-o | test:--output | lint:-o | lint:--output | corpus_coverage:-o | corpus_coverage:--output | corpus_diff:-o | corpus_diff:--output) COMPREPLY=($(compgen -W "text json ndjson" -- "$cur")); return ;;
    corpus_eval:-o | corpus_eval:--output) COMPREPLY=($(compgen -W "text json ndjson md tsv" -- "$cur")); return ;;
    *:--color) COMPREPLY=($(compgen -W "auto always never" -- "$cur")); return ;;
    *:--columns) return ;;
    check:--fail-on | what-if:--fail-on) COMPREPLY=($(compgen -W "possible likely strong near-certain" -- "$cur")); return ;;
    check:-r | check:--rules | explain:-r | explain:--rules | why-not:-r | why-not:--rules | what-if:-r | what-if:--rules | test:-r | test:--rules | lint:-r | lint:--rules | compile:-r | compile:--rules | disasm:-r | disasm:--rules | corpus_eval:-r | corpus_eval:--rules | corpus_calibrate:-r | corpus_calibrate:--rules | corpus_coverage:-r | corpus_coverage:--rules) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    check:-I | check:--search | explain:-I | explain:--search | why-not:-I | why-not:--search | what-if:-I | what-if:--search | test:-I | test:--search | lint:-I | lint:--search | compile:-I | compile:--search | disasm:-I | disasm:--search | corpus_eval:-I | corpus_eval:--search | corpus_calibrate:-I | corpus_calibrate:--search | corpus_coverage:-I | corpus_coverage:--search | corpus_diff:-I | corpus_diff:--search) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    check:--tier | explain:--tier | why-not:--tier | what-if:--tier | test:--tier | compile:--tier | disasm:--tier | corpus_eval:--tier | corpus_calibrate:--tier | corpus_coverage:--tier | corpus_diff:--tier) COMPREPLY=($(compgen -W "stable test nursery" -- "$cur")); return ;;
    check:-j | check:--jobs | facts:-j | facts:--jobs | info:-j | info:--jobs) return ;;
    check:--crash | facts:--crash | info:--crash | explain:--crash | why-not:--crash | what-if:--crash) return ;;
    check:--max-size | facts:--max-size | info:--max-size | symbols:--max-size | explain:--max-size | why-not:--max-size | what-if:--max-size) return ;;
    check:--symbols | facts:--symbols | info:--symbols | symbols:--symbols | explain:--symbols | why-not:--symbols | what-if:--symbols) return ;;
    symbols:--server) return ;;
    check:--steps | what-if:--steps) return ;;
    corpus_calibrate:-o | corpus_calibrate:--output) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    corpus_calibrate:--report) COMPREPLY=($(compgen -W "text json ndjson" -- "$cur")); return ;;
    compile:-o | compile:--output | forge:-o | forge:--output) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    forge:--kind) COMPREPLY=($(compgen -W "triage triage-kernel full bitmap kernel rdmp rdmp-kernel rdmp-user summary header" -- "$cur")); return ;;
    forge:--images) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    test:-k | test:--only) return ;;
    test:--root) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    corpus_eval:--against) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    esac
    case $verb in
    check) options="--output --color --ascii --columns --verbose --quiet --fail-on --rules --no-default-rules --no-cache --search --tier --jobs --unordered --crash --max-size --symbols --together --steps --no-index --help --version" ;;
    facts) options="--output --color --ascii --columns --verbose --quiet --jobs --unordered --all --crash --max-size --symbols --help --version" ;;
    info) options="--output --color --ascii --columns --verbose --quiet --jobs --unordered --crash --max-size --symbols --help --version" ;;
    symbols) options="--output --color --ascii --columns --verbose --quiet --max-size --symbols --all --server --retry --help --version" ;;
    explain) options="--output --color --ascii --columns --verbose --quiet --rules --no-default-rules --no-cache --search --tier --crash --max-size --symbols --help --version" ;;
    why-not) options="--output --color --ascii --columns --verbose --quiet --rules --no-default-rules --no-cache --search --tier --crash --max-size --symbols --help --version" ;;
    what-if) options="--output --color --ascii --columns --verbose --quiet --fail-on --rules --no-default-rules --no-cache --search --tier --crash --max-size --symbols --steps --no-index --help --version" ;;
    test) options="--output --color --ascii --columns --verbose --quiet --rules --no-default-rules --search --tier --coverage --only --root --mutate --help --version" ;;
    lint) options="--output --color --ascii --columns --verbose --quiet --rules --no-default-rules --search --help --version" ;;
    compile) options="--color --ascii --columns --verbose --quiet --rules --no-default-rules --search --tier --output --help --version" ;;
    disasm) options="--color --ascii --columns --verbose --quiet --rules --no-default-rules --search --tier --help --version" ;;
    corpus_eval) options="--output --color --ascii --columns --verbose --quiet --rules --no-default-rules --search --tier --against --help --version" ;;
    corpus_calibrate) options="--color --ascii --columns --verbose --quiet --rules --no-default-rules --search --tier --output --report --help --version" ;;
    corpus_coverage) options="--output --color --ascii --columns --verbose --quiet --rules --no-default-rules --search --tier --help --version" ;;
    forge) options="--color --ascii --columns --verbose --quiet --output --kind --images --text --help --version" ;;
    corpus_diff) options="--output --color --ascii --columns --verbose --quiet --search --tier --help --version" ;;
    version) options="--color --ascii --columns --verbose --quiet --help --version" ;;
    help) options="--color --ascii --columns --verbose --quiet --help --version" ;;
    *) options="--output --output --color --ascii --columns --verbose --quiet --fail-on --rules --no-default-rules --no-cache --search --tier --jobs --unordered --all --crash --max-size --symbols --together --all --server --retry --steps --no-index --output --report --coverage --output --kind --images --text --only --root --mutate --against --help --version" ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
    elif [[ -z $verb || $verb == help ]]; then
        COMPREPLY=($(compgen -W "check facts info symbols explain why-not what-if test lint compile disasm corpus forge version help" -- "$cur"))
    elif [[ $verb == corpus ]]; then
        COMPREPLY=($(compgen -W "eval calibrate coverage diff" -- "$cur"))
    else
        COMPREPLY=($(compgen -f -- "$cur"))
    fi
}
complete -o filenames -F _dfrule dfrule
