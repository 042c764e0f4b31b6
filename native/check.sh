#!/usr/bin/env bash
# Tests the native library: native/check.sh [native] [sanitizers] [aarch64] [glibc231]; without arguments all four.
#   native      on this machine's CPU, every tier it has
#   sanitizers  the same under the address and undefined-behaviour sanitizers
#   aarch64     cross-compiled for the Cortex-A72, under qemu; with ARM Compute Library from the tree of arm64-root.sh
#   glibc231    loads and runs the library on Debian 11, whose glibc is JetPack 5's
set -euo pipefail
cd "$(dirname "$0")"

check() {
    local preset=$1 log
    mkdir -p build
    log=build/$preset-test.log
    echo "== $preset"
    if ./build.sh "$preset" ctest > "$log" 2>&1; then
        grep -E '(Passed|tests passed|Total Test time)' "$log"
    else
        cat "$log"
        return 1
    fi
}

failed=0
mkdir -p build
for part in "${@:-native sanitizers aarch64 glibc231}"; do
    for name in $part; do
        case $name in
            native) check "linux-$(uname -m)" || failed=1 ;;
            sanitizers) check asan || failed=1 ;;
            aarch64)
                # On an arm64 machine it is the machine itself that has ARM Compute Library, or not.
                [[ $(uname -m) == aarch64 ]] || ./arm64-root.sh > build/arm64-root.log || failed=1
                check linux-aarch64 || failed=1
                ;;
            glibc231)
                echo '== glibc 2.31'
                glibc/glibc231-check.sh > build/glibc231.log 2>&1 || { cat build/glibc231.log; failed=1; }
                grep -E '^(x86_64|aarch64): ' build/glibc231.log || true
                ;;
            *)
                echo "native/check.sh: unknown part $name; there are native, sanitizers, aarch64 and glibc231" >&2
                exit 2
                ;;
        esac
    done
done
exit $failed
