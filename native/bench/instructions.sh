#!/usr/bin/env bash
# Executed aarch64 instructions of each convolution of a network, and the cycles they would take on a Cortex-A72:
#     native/bench/instructions.sh [SHAPES [KIND ..]]
# SHAPES: a file of bench/shapes, yolov5n-320 unless named. KIND: f32, wXaY, wXaY-int8, wXaY-bits; f32, w8a8 and w2a2
# unless named. acl-f32, acl-gemm-f32 and acl-int8 are ARM Compute Library's, from the tree that arm64-root.sh makes.
# The bench program runs one call and two calls of a layer under QEMU; the difference is one call.
#
# Cycles are modelled: each of these is a bound, and the largest counts.
#     vector instructions / 2;  multiplies, which one pipe takes;  shifts and long additions, which the other takes;
#     loads and stores;  all instructions / 3
# A vector of floats takes both pipes, so for f32 its instructions count whole.
# "inner" is the share of instructions within inner loops.
#
# Needs a QEMU that takes plugins: the dynamically linked qemu-aarch64 of Debian's package qemu-user. If QEMU_AARCH64
# does not name one, the package is fetched with apt-get download, with two
# libraries it needs, and unpacked below build/, not installed.
set -euo pipefail
cd "$(dirname "$0")/.."

shapes=${1:-bench/shapes/yolov5n-320.txt}
shift || true
kinds=("$@")
if [[ ${#kinds[@]} -eq 0 ]]; then
    kinds=(f32 w8a8 w2a2)
fi
[[ -r $shapes ]] || { echo "instructions.sh: cannot read $shapes" >&2; exit 2; }

work=$PWD/build/instructions
mkdir -p "$work"
emulator=${QEMU_AARCH64:-$work/qemu/usr/bin/qemu-aarch64}
if [[ ! -x $emulator ]]; then
    (
        cd "$work"
        apt-get download qemu-user libcapstone4 liburing2
        for package in ./*.deb; do
            dpkg-deb -x "$package" qemu
        done
    ) > "$work/qemu.log" 2>&1 || { cat "$work/qemu.log" >&2; exit 1; }
fi
for libraries in "$work"/qemu/usr/lib/*-linux-gnu; do
    export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
gcc -O2 -shared -fPIC -Wall -Wextra bench/instructions_plugin.c -o "$work/plugin.so"
targets=(conv2d_calls_bench)
tree=
if [[ " ${kinds[*]}" == *' acl-'* ]]; then
    targets+=(acl_calls_bench)
    tree=$(./arm64-root.sh)
fi
log=build/bench-aarch64.log
{
    cmake --preset linux-aarch64 -B build/bench-aarch64 -DSHRIKE_BENCH=ON -DSHRIKE_TESTS=OFF \
        -DSHRIKE_ARM64_ROOT="$tree" '-USHRIKE_ACL_*'
    cmake --build build/bench-aarch64 --target "${targets[@]}" -j 2
} > "$log" 2>&1 || { cat "$log" >&2; exit 1; }

count() {
    local calls=$1 kind=$2 program=(build/bench-aarch64/conv2d_calls_bench)
    shift 2
    if [[ $kind == acl-* ]]; then
        program=(-L "$tree" build/bench-aarch64/acl/acl_calls_bench)
    fi
    "$emulator" -cpu cortex-a72 -plugin "$work/plugin.so" -d plugin -D "$work/count" \
        "${program[@]}" "$kind" "$calls" "$@" > "$work/kernel"
    grep -o 'INSTRUCTIONS.*' "$work/count"
}

printf '%-36s %-12s %9s %8s %8s %6s %9s  %s\n' layer kind Minstr Mcycles 'MAC/cyc' inner 'x times' kernel
while read -r channels out_channels size kernel stride pad _ _ times; do
    [[ $channels =~ ^[0-9]+$ ]] || continue
    for kind in "${kinds[@]}"; do
        layer=("$channels" "$out_channels" "$size" "$kernel" "$stride" "$pad")
        one=$(count 1 "$kind" "${layer[@]}")
        two=$(count 2 "$kind" "${layer[@]}")
        echo "$kind $times ${layer[*]} $(cat "$work/kernel") $one $two"
    done
done < "$shapes" | awk '
    {
        kind = $1; times = $2; out = int(($5 + 2 * $8 - $6) / $7) + 1
        macs = $3 * $4 * $6 * $6 * out * out
        for (i = 0; i < 8; i++) {
            n[i] = $(20 + i) - $(11 + i)
        }
        cycles = kind ~ /f32$/ ? (n[1] + n[3]) / 2 + n[2] + n[4] : (n[1] + n[2] + n[3] + n[4]) / 2
        cycles = n[2] > cycles ? n[2] : cycles
        cycles = n[4] > cycles ? n[4] : cycles
        cycles = n[5] > cycles ? n[5] : cycles
        cycles = n[0] / 3 > cycles ? n[0] / 3 : cycles
        printf "%-36s %-12s %9.2f %8.2f %8.2f %5.0f%% %9d  %s\n", \
            sprintf("%dx%d/%d %d -> %d at %d", $6, $6, $7, $3, $4, $5), kind, n[0] / 1e6, cycles / 1e6, \
            macs / cycles, 100 * n[7] / n[0], times, $9
        fflush()
        if (!(kind in total)) {
            order[++kinds] = kind
        }
        total[kind] += times * n[0]; inner[kind] += times * n[7]; time[kind] += times * cycles
        mac[kind] += times * macs
    }
    END {
        for (k = 1; k <= kinds; k++) {
            kind = order[k]
            printf "%-36s %-12s %9.2f %8.2f %8.2f %5.0f%%\n", "all", kind, total[kind] / 1e6, time[kind] / 1e6, \
                mac[kind] / time[kind], 100 * inner[kind] / total[kind]
        }
    }'
