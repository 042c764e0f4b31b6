#!/usr/bin/env bash
# Times of every operation on the layer shapes of YOLOv5n and YOLOv5s:
#     native/bench/run.sh [SHAPES ..]          all files of bench/shapes unless named; KINDS="f32 w8a8" chooses kinds
# On x86_64 or aarch64 itself it prints a table each for floats and codes of several widths, of the median time, the
# quartiles and GMAC/s of each layer and the sums of the network, then the operations around the convolutions and the fitting
# of frames (frames.sh alone).
#     native/bench/run.sh --emulated [SHAPES ..]
# runs the same programs as aarch64 code under QEMU, once or a few times a layer: it shows that they run; the times say
# nothing (for instructions and cycles see instructions.sh and mca.sh).
#
# THREADS (1), TIER (best, avx2 or portable) and MILLISECONDS (100 a layer) come from the environment.
set -euo pipefail

emulated=0
if [[ ${1:-} == --emulated ]]; then
    emulated=1
    shift
fi
shapes=()
for file in "$@"; do
    [[ -r $file ]] || { echo "run.sh: cannot read $file" >&2; exit 2; }
    shapes+=("$(realpath "$file")")
done
cd "$(dirname "$0")/.."
if [[ ${#shapes[@]} -eq 0 ]]; then
    shapes=(bench/shapes/yolov5{n,s}-{320,640}.txt)
fi
read -r -a kinds <<< "${KINDS:-f32 w8a8 w4a8 w4a4 w3a3 w2a2 w1a1}"
tier=${TIER:-best} threads=${THREADS:-1} milliseconds=${MILLISECONDS:-100}

if [[ $emulated == 1 ]]; then
    command -v qemu-aarch64-static > /dev/null || { echo "run.sh: sudo apt-get install qemu-user-static" >&2; exit 1; }
    log=build/bench-aarch64.log
    mkdir -p build
    {
        cmake --preset linux-aarch64 -B build/bench-aarch64 -DSHRIKE_BENCH=ON -DSHRIKE_TESTS=OFF
        cmake --build build/bench-aarch64 -j 2
    } > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
    programs=build/bench-aarch64
    run=(qemu-aarch64-static -cpu cortex-a72)
    milliseconds=0
else
    ./build.sh bench
    programs=build/bench
    run=()
fi

for file in "${shapes[@]}"; do
    for kind in "${kinds[@]}"; do
        printf '\n== %s, %s, %s, %s thread(s)\n' "$(basename "$file" .txt)" "$kind" "$tier" "$threads"
        if [[ $kind == f32 ]]; then
            "${run[@]}" "$programs/conv2d_f32_bench" "$file" "$tier" "$threads" "$milliseconds"
        else
            widths=${kind#w}
            "${run[@]}" "$programs/conv2d_q_bench" "$file" "$tier" "$threads" "$milliseconds" \
                "${widths%a*}" "${widths#*a}"
        fi
    done
done
printf '\n== operations around the convolutions, yolov5s-640, %s, %s thread(s)\n' "$tier" "$threads"
"${run[@]}" "$programs/operations_bench" "$tier" "$threads"
printf '\n== frames of cameras, %s, %s thread(s)\n' "$tier" "$threads"
"${run[@]}" "$programs/letterbox_u8_bench" "$tier" "$threads" "$((emulated ? 1 : 50))"
