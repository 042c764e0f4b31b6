#!/usr/bin/env bash
# Times of fitting frames of every format into the inputs of networks:
#     native/bench/frames.sh                   on this machine; THREADS (1) and TIER (best, avx2, portable) from the
#                                              environment
#     native/bench/frames.sh --instructions    executed aarch64 instructions of 1920x1080 in 640 and 640x480 in 320,
#                                              counted under QEMU as instructions.sh does, and the bound of the
#                                              Cortex-A72's cycles that follows: three instructions a cycle, one load or
#                                              store a cycle, two vector instructions a cycle
set -euo pipefail
native=$(cd "$(dirname "$0")/.." && pwd)
cd "$native"
case ${1:-} in
    "")
        ./build.sh bench
        build/bench/letterbox_u8_bench "${TIER:-best}" "${THREADS:-1}"
        exit
        ;;
    --instructions) ;;
    *)
        echo "usage: native/bench/frames.sh [--instructions]" >&2
        exit 2
        ;;
esac

work=$PWD/build/instructions
mkdir -p "$work"
# shellcheck source-path=SCRIPTDIR source=emulator.sh
. bench/emulator.sh
find_emulator
gcc -O2 -shared -fPIC -Wall -Wextra bench/instructions_plugin.c -o "$work/plugin.so"
log=build/bench-aarch64.log
{
    cmake --preset linux-aarch64 -B build/bench-aarch64 -DSHRIKE_BENCH=ON -DSHRIKE_TESTS=OFF
    cmake --build build/bench-aarch64 --target letterbox_u8_bench -j 2
} > "$log" 2>&1 || { cat "$log" >&2; exit 1; }

printf '%-6s %-16s %10s %10s %22s\n' format frame Minstr Mcycles 'instructions/pixel'
for size in '1920 1080 640' '640 480 320'; do
    read -r width height side <<< "$size"
    for format in 0 1 2 3 4 5 6; do
        "$emulator" -cpu cortex-a72 -plugin "$work/plugin.so" -d plugin -D "$work/count" \
            build/bench-aarch64/letterbox_u8_bench count "$format" "$width" "$height" "$side" > "$work/format"
        sed -n 's/^.*INSTRUCTIONS //p' "$work/count" | awk -v format="$(cat "$work/format")" -v width="$width" \
            -v height="$height" -v side="$side" '{
                cycles = ($2 + $3 + $4 + $5) / 2
                cycles = $3 + $5 > cycles ? $3 + $5 : cycles
                cycles = $6 > cycles ? $6 : cycles
                cycles = $1 / 3 > cycles ? $1 / 3 : cycles
                printf "%-6s %4dx%-4d in %3d %10.2f %10.2f %22.2f\n", format, width, height, side, $1 / 1e6,
                    cycles / 1e6, $1 / (width * height)
            }'
    done
done
