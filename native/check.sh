#!/usr/bin/env bash
# Tests the native library: native/check.sh [native] [sanitizers] [aarch64]; without arguments all three.
#   native      on this machine's CPU, every tier it has
#   sanitizers  the same under the address and undefined-behaviour sanitizers
#   aarch64     cross-compiled for the Cortex-A72, under qemu
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
for part in "${@:-native sanitizers aarch64}"; do
    for name in $part; do
        case $name in
            native) check "linux-$(uname -m)" || failed=1 ;;
            sanitizers) check asan || failed=1 ;;
            aarch64) check linux-aarch64 || failed=1 ;;
            *)
                echo "native/check.sh: unknown part $name; there are native, sanitizers and aarch64" >&2
                exit 2
                ;;
        esac
    done
done
exit $failed
