#!/usr/bin/env bash
# Latency of the CPU engine against ONNX Runtime and OpenCV, all contestants in turn in one run:
#   platforms/cpu/bench.sh [--rounds N] [--threads 1,2] [--layers] MODEL.onnx[@SIZE] ...
#   platforms/cpu/bench.sh quantized [--rounds N] [--threads 1,2] [--bits 8x8,2x2] [--tiers best,avx2] [--layers]
#       MODEL.onnx
#   platforms/cpu/bench.sh tuning [--rounds N] [--threads 1,2] [--bits 8x8,2x2] [--layers] MODEL.onnx
#   platforms/cpu/bench.sh frames [--rounds N] [--threads N]
# The first compares float networks, the second quantised ones with both in float and in int8, the third tuned plans
# with untuned ones, the fourth the fitting of frames with OpenCV's; --layers adds a row a layer. Without models:
# yolov5s from the catalogue at 640 and 320, and yolov5n where SHRIKE_SHARED names a folder with it.
#
# --isa avx2 makes it the contest of a processor with AVX2 only: neither we nor ONNX Runtime nor OpenCV see AVX-512, AMX
# or AVX-VNNI (native/bench/avx2_only.c; needs gcc). Where the processor lacks the flag cpuid_fault, ONNX Runtime is
# held back by a copy of its library (needs binutils, unzip, python3), the others by their own options. --tiers avx2
# holds back us alone, --isa everybody.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

bench=FloatBench
case ${1:-} in
    quantized) bench=QuantizedBench && shift ;;
    tuning) bench=TuningBench && shift ;;
    frames) bench=LetterboxBench && shift ;;
esac
options=() models=() isa=best
unset AVX2_ONLY_REPLACED
while (($# > 0)); do
    case $1 in
        --rounds | --threads | --bits | --tiers) options+=("$1" "$2") && shift ;;
        --layers) options+=("$1") ;;
        --isa) isa=$2 && shift ;;
        *) models+=("$1") ;;
    esac
    shift
done
case $isa in
    best) ;;
    avx2)
        hide=native/build/avx2_only.so
        mkdir -p "${hide%/*}"
        gcc -std=gnu11 -D_GNU_SOURCE -O2 -fvisibility=hidden -shared -fPIC -o "$hide" native/bench/avx2_only.c -ldl
        grep -qw cpuid_fault /proc/cpuinfo || export AVX2_ONLY_REPLACED=1
        env LD_PRELOAD="$PWD/$hide" true
        ;;
    *) echo "bench.sh: --isa takes best or avx2, not $isa" >&2 && exit 2 ;;
esac
if ((${#models[@]} == 0)) && [[ $bench != LetterboxBench ]]; then
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/shrike/models
    ./shrike detect --imgsz 320 --nosave >/dev/null
    ./shrike detect --nosave >/dev/null
    models=("$cache/yolov5s.onnx@640" "$cache/yolov5s-320.onnx@320")
    if [[ $bench != FloatBench ]]; then
        models=("$cache/yolov5s.onnx")
    elif [[ -n ${SHRIKE_SHARED:-} ]]; then
        models=("$SHRIKE_SHARED/models/yolov5n-640.onnx@640" "$SHRIKE_SHARED/models/yolov5n-dynamic.onnx@320"
            "${models[@]}")
    fi
fi

mvn -q -pl platforms/cpu -am -DskipTests test-compile \
    dependency:build-classpath -Dmdep.outputFile=target/test.classpath >&2
java=$(for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release" && echo "${release%/release}/bin/java"
done | sed -n 1p)
classpath=$(<platforms/cpu/target/test.classpath)
held=()
if [[ -n ${AVX2_ONLY_REPLACED:-} ]]; then
    rival=native/build/avx2-only
    mkdir -p "$rival"
    jar=$(tr : '\n' <<<"$classpath" | grep -E '/onnxruntime-[0-9.]+\.jar$') ||
        { echo "bench.sh: no onnxruntime jar on the class path" >&2 && exit 1; }
    for library in libonnxruntime.so libonnxruntime4j_jni.so; do
        unzip -qojd "$rival/whole" "$jar" "ai/onnxruntime/native/linux-x64/$library"
    done
    native/bench/hide-avx512.sh "$rival/whole/libonnxruntime.so" "$rival/libonnxruntime.so"
    cp "$rival/whole/libonnxruntime4j_jni.so" "$rival"
    export OPENCV_CPU_DISABLE=AVX512_SKX
    held=(-XX:UseAVX=2 -Dshrike.cpu.features=1f "-Donnxruntime.native.path=$PWD/$rival")
fi
if [[ $isa == avx2 ]]; then # glibc looks at the processor before any library can hide something
    export LD_PRELOAD=$PWD/$hide GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW
fi
exec "${java:?no JDK 25 or later found}" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    "${held[@]}" -cp "platforms/cpu/target/test-classes:platforms/cpu/target/classes:$classpath" \
    dev.shrike.cpu.$bench "${options[@]}" "${models[@]}"
