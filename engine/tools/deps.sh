#!/bin/sh
# Makes sure that what a build or a test needs is installed.
#   engine/tools/deps.sh build         what `make` needs
#   engine/tools/deps.sh build test    what `make test` needs
# Missing Debian packages are installed through apt-get when run as root; otherwise the command that
# installs them is printed and the exit status is 1. Nothing is fetched when nothing is missing.
set -eu

# One row a package: when it is needed, its Debian name, and how to see that it is there.
packages='
build gcc               cmd gcc
build libc6-dev         header stdio.h
build binutils          cmd ar
build bison             cmd bison
build flex              cmd flex
build pkg-config        cmd pkg-config
build libpcre2-dev      lib libpcre2-8
build libjansson-dev    lib jansson
build libsodium-dev     lib libsodium
build libxxhash-dev     lib libxxhash
build libutf8proc-dev   lib libutf8proc
build libyaml-dev       lib yaml-0.1
build libcapstone-dev   lib capstone
build libmspack-dev     lib libmspack
build libcurl4-openssl-dev lib libcurl
test  libcriterion-dev  lib criterion
test  python3           cmd python3
test  python3-jsonschema python jsonschema
'

present() {
    case $1 in
    cmd) command -v "$2" >/dev/null 2>&1 ;;
    lib) pkg-config --exists "$2" 2>/dev/null ;;
    header) echo "#include <$2>" | gcc -E - >/dev/null 2>&1 ;;
    python) python3 -c "import $2" 2>/dev/null || /usr/bin/python3 -c "import $2" 2>/dev/null ;;
    esac
}

missing=$(echo "$packages" | while read -r when name kind what; do
    [ -n "$when" ] || continue
    case " $* " in
    *" $when "*) present "$kind" "$what" || echo "$name" ;;
    esac
done | sort -u | tr '\n' ' ')

[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing: $missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # a list of words
    apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing >/dev/null
    exit
fi
echo "Missing packages. On Debian or Ubuntu, install them with" >&2
echo "    sudo apt-get install --no-install-recommends $missing" >&2
exit 1
