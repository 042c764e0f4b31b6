#!/usr/bin/env bash
# Executed aarch64 instructions of each convolution of a network, and the cycles they would take on a Cortex-A72:
#     native/bench/instructions.sh [SHAPES [KIND ..]]
# SHAPES: a file of bench/shapes, yolov5n-320 unless named. KIND: f32, wXaY, wXaY-int8, wXaY-bits, wXaY-float (SiLU in
# float, not by a table); f32, w8a8 and w2a2 unless named. acl-f32, acl-gemm-f32 and acl-int8 are ARM Compute Library's,
# from the tree that arm64-root.sh makes.
# The bench program runs one call of each different layer under QEMU, and a plugin counts between its
# marks.
#
# After the layers come sums over all of them, and over the network that `shrike build` makes of a width below 8 bits:
# its first layer and the Detect head (layers without activation) stay at w8a8. Then the ratios of both to the others.
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
native=$(cd "$(dirname "$0")/.." && pwd)
shapes=$(realpath -m "${1:-$native/bench/shapes/yolov5n-320.txt}")
cd "$native"
shift || true
kinds=("$@")
if [[ ${#kinds[@]} -eq 0 ]]; then
    kinds=(f32 w8a8 w2a2)
fi
[[ -r $shapes ]] || { echo "instructions.sh: cannot read $shapes" >&2; exit 2; }

work=$PWD/build/instructions
mkdir -p "$work"
# shellcheck source-path=SCRIPTDIR source=emulator.sh
. bench/emulator.sh
find_emulator
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

# Numbers of instructions: kind, then the layer's sizes.
count() {
    local program=(build/bench-aarch64/conv2d_calls_bench) calls=1
    if [[ $1 == acl-* ]]; then
        program=(-L "$tree" build/bench-aarch64/acl/acl_calls_bench) calls=2
    fi
    "$emulator" -cpu cortex-a72 -plugin "$work/plugin.so" -d plugin -D "$work/count" \
        "${program[@]}" "$1" "$calls" "${@:2}" > "$work/kernel"
    sed -n 's/^.*INSTRUCTIONS //p' "$work/count"
}

# Different layers, with how often each comes and what part of a network it is: first, detect or middle.
layers() {
    awk '/^[0-9]/ {
        part = !layers++ ? "first" : $7 == 0 ? "detect" : "middle"
        key = $1 " " $2 " " $3 " " $4 " " $5 " " $6 " " part
        if (!(key in times)) {
            order[++keys] = key
        }
        times[key] += $9
    }
    END {
        for (i = 1; i <= keys; i++) {
            print order[i], times[order[i]]
        }
    }' "$shapes"
}

printf '%-36s %-12s %9s %8s %8s %6s %9s  %s\n' layer kind Minstr Mcycles 'MAC/cyc' inner 'x times' kernel
while read -r channels out_channels size kernel stride pad part times; do
    for kind in "${kinds[@]}"; do
        layer=("$channels" "$out_channels" "$size" "$kernel" "$stride" "$pad")
        counted=$(count "$kind" "${layer[@]}")
        echo "$kind $times $part ${layer[*]} $(cat "$work/kernel") $counted"
    done
done < <(layers) | awk '
    function sum(group, times) {
        if (!(group in instructions)) {
            order[++groups] = group
        }
        instructions[group] += times * n[0]; inner[group] += times * n[7]; time[group] += times * cycles
        mac[group] += times * macs
    }
    {
        kind = $1; times = $2; part = $3; out = int(($6 + 2 * $9 - $7) / $8) + 1
        macs = $4 * $5 * $7 * $7 * out * out
        for (i = 0; i < 8; i++) {
            n[i] = $(11 + i)
        }
        cycles = kind ~ /f32$/ ? (n[1] + n[3]) / 2 + n[2] + n[4] : (n[1] + n[2] + n[3] + n[4]) / 2
        cycles = n[2] > cycles ? n[2] : cycles
        cycles = n[4] > cycles ? n[4] : cycles
        cycles = n[5] > cycles ? n[5] : cycles
        cycles = n[0] / 3 > cycles ? n[0] / 3 : cycles
        printf "%-36s %-12s %9.2f %8.2f %8.2f %5.0f%% %9d  %s\n", \
            sprintf("%dx%d/%d %d -> %d at %d", $7, $7, $8, $4, $5, $6), kind, n[0] / 1e6, cycles / 1e6, \
            macs / cycles, 100 * n[7] / n[0], times, $10
        fflush()
        kinds[kind] = 1
        sum(kind, times)
        if (part != "middle" && kind == "w8a8") {
            sum("edges", times)
        } else if (part == "middle" && kind ~ /^w[1-7]/) {
            sum("middle " kind, times)
        }
    }
    END {
        for (k = 1; k <= groups; k++) {
            group = order[k]
            if (group ~ /^middle/ && "edges" in time) {
                name = substr(group, 8) " net"
                instructions[name] = instructions[group] + instructions["edges"]
                inner[name] = inner[group] + inner["edges"]; time[name] = time[group] + time["edges"]
                mac[name] = mac[group] + mac["edges"]
                order[++groups] = name
            }
        }
        print ""
        for (k = 1; k <= groups; k++) {
            group = order[k]
            if (group !~ /^middle|^edges/) {
                printf "%-36s %-12s %9.2f %8.2f %8.2f %5.0f%%\n", group ~ / net/ ? "first and Detect at w8a8" : "all", \
                    group, instructions[group] / 1e6, time[group] / 1e6, mac[group] / time[group], \
                    100 * inner[group] / instructions[group]
            }
        }
        printf "\n%-21s %-12s %12s %12s %16s\n", "of", "to", "instructions", "cycles", "outside inner"
        for (k = 1; k <= groups; k++) {
            group = order[k]
            for (l = 1; group ~ /^w[1-7]|-float/ && l <= groups; l++) {
                other = order[l]
                if (other ~ /^(w8a8|f32|acl.*)$/) {
                    printf "%-21s %-12s %12.3f %11.2fx %15.1f%%\n", group, other, \
                        instructions[group] / instructions[other], time[other] / time[group], \
                        100 * (1 - inner[group] / instructions[group])
                }
            }
        }
    }'
