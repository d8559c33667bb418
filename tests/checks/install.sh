#!/bin/sh
# What `make install` puts into an empty DESTDIR suffices to build and run a program.
set -eu
cd "${ROOT:-$(dirname "$0")/../..}"
if [ ! -x "${BUILD:-build/release}/dfrule" ] || [ ! -f docs/man/dfrule.1 ]; then
    echo "ok - install # SKIP the command or its manual page is not there"
    exit 0
fi
case ${MODE:-release} in
release | debug) ;;
*) echo "ok - install # SKIP only release and debug builds are installed"; exit 0 ;;
esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0
# tell NAME COMMAND...: run it, say how it went.
tell() {
    name=$1
    shift
    if "$@" >"$tmp/out" 2>&1; then
        echo "ok - install: $name"
    else
        sed 's/^/# /' "$tmp/out"
        echo "not ok - install: $name"
        status=1
    fi
}
# shellcheck disable=SC2317  # called through tell
make_it() { make --no-print-directory MODE="${MODE:-release}" DESTDIR="$tmp/root" prefix=/usr "$@"; }

tell "make install" make_it install
for file in bin/dfrule include/dfrule.h lib/libdfrule.a lib/libdfrule.so lib/libdfrule.so.0 \
    lib/pkgconfig/dfrule.pc share/man/man1/dfrule.1 share/bash-completion/completions/dfrule \
    share/zsh/site-functions/_dfrule share/fish/vendor_completions.d/dfrule.fish; do
    tell "$file" test -s "$tmp/root/usr/$file"
done

cat >"$tmp/use.c" <<'C'
#include <dfrule.h>
#include <stdio.h>

int main(void)
{
    printf("%s %s\n", DFRULE_VERSION, dfr_version());
    return 0;
}
C
export PKG_CONFIG_PATH="$tmp/root/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$tmp/root"
cflags=$(pkg-config --cflags dfrule)
libs=$(pkg-config --libs dfrule)
# shellcheck disable=SC2086  # lists of words
tell "a program builds with the shared library" \
    gcc -std=c17 -Wall -Wextra -Wpedantic -Werror "$tmp/use.c" $cflags $libs -o "$tmp/use"
tell "it runs" env LD_LIBRARY_PATH="$tmp/root/usr/lib" "$tmp/use"
# The static library's own needs lie in the system, not under DESTDIR.
static=$(env -u PKG_CONFIG_SYSROOT_DIR pkg-config --libs-only-l --static dfrule | sed 's/-ldfrule//')
# shellcheck disable=SC2086
tell "a program builds with the static library" \
    gcc -std=c17 "$tmp/use.c" $cflags "$tmp/root/usr/lib/libdfrule.a" $static -o "$tmp/static"
tell "it runs alone" "$tmp/static"
if command -v g++ >/dev/null; then
    # shellcheck disable=SC2086
    tell "the header is C++ as well" g++ -Wall -Wextra -Werror -fsyntax-only -x c++ $cflags "$tmp/use.c"
fi
tell "the installed command runs" "$tmp/root/usr/bin/dfrule" --version
tell "make uninstall" make_it uninstall
tell "nothing is left" sh -c "! find '$tmp/root' -type f -o -type l | grep ."
exit $status
