#!/usr/bin/env bash
# Size, memory and load time of built models, by width, against the float network they were built from:
#   deploy/app/bench.sh [--rounds N] [--images N] [--bits 'LIST'] --data FOLDER MODEL.onnx ...
# FOLDER holds images, of which --images measure the ranges (8; 'shrike build' by itself takes 64). Each model takes
# 640x640 pixels. Every figure comes from a process of its own; memory and times are medians of N (default: 3).
#
#   share     bytes of the file / bytes of the ONNX file
#   RSS       peak of the resident memory of 'shrike detect' on one image, less that of a JVM that does nothing
#   build     ms in the process to make the file from ONNX with that many images, until it is on the disk
#   open      ms in the process until the detector is ready; x of build; and with the start cache (see the launcher)
#   detect    ms of the whole 'shrike detect' on one image, with the start cache
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

die() {
    echo "bench.sh: $*" >&2
    exit 2
}
rounds=3 images=8 widths='float w8a8 w4a8 w4a4 w3a3 w2a2 w1a1' data='' models=()
while (($# > 0)); do
    case $1 in
        --rounds) rounds=$2 && shift ;;
        --data) data=$2 && shift ;;
        --images) images=$2 && shift ;;
        --bits) widths=$2 && shift ;;
        *) models+=("$1") ;;
    esac
    shift
done
[[ -d $data ]] || die "--data names no folder of images"
((${#models[@]} > 0)) || die "no model.onnx given"
[[ -x /usr/bin/time ]] || die "GNU time is missing: sudo apt-get install time"

app=deploy/app/target/app
work=deploy/app/target/bench
mkdir -p "$work"
./shrike --version >/dev/null
./shrike --make-start-cache
if [[ ! -e $work/classpath || pom.xml -nt $work/classpath || deploy/app/pom.xml -nt $work/classpath ]]; then
    mvn -q -pl deploy/app -am -DskipTests package dependency:build-classpath \
        -Dmdep.outputFile="$PWD/$work/classpath.made" -Dmdep.includeArtifactIds=onnxruntime >&2
    mv "$work/classpath.made" "$work/classpath"
fi
jdk=$(for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release" && echo "${release%/release}"
done | sed -n 1p)
[[ -n $jdk ]] || die "no JDK 25 or later found"
"$jdk/bin/jar" cf "$work/bench.jar" -C deploy/app/target/test-classes dev/shrike/app/start
java=("$jdk/bin/java" -XX:+UseSerialGC -Xms32m --enable-native-access=ALL-UNNAMED
    --sun-misc-unsafe-memory-access=allow "-Dshrike.library.path=$app/lib/linux-$(uname -m)"
    -cp "$(printf '%s:' "$app"/lib/*.jar)$(<"$work/classpath"):$work/bench.jar")
bench=dev.shrike.app.start.StartBench
image=$(find "$data" -name '*.jpg' | sort | sed -n 1p)

median() {
    sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
# Milliseconds that the bench prints, with the JVM options in $1 (split).
inside() {
    local options
    read -r -a options <<<"$1"
    shift
    for ((i = 0; i < rounds; i++)); do
        "${java[0]}" "${options[@]}" "${java[@]:1}" "$bench" "$@"
    done | median
}
# KiB of resident memory at most, or seconds, of a whole process: the format of time in $1.
whole() {
    local format=$1
    shift
    for ((i = 0; i < rounds; i++)); do
        /usr/bin/time -o "$work/time" -f "$format" "$@" >/dev/null
        cat "$work/time"
    done | median
}

floor=$(whole %M "${java[@]}" "$bench" nothing)
for model in "${models[@]}"; do
    onnx=$(stat -c %s "$model")
    printf '\n%s: %d bytes; a JVM that does nothing: %d KiB\n' "$(basename "$model")" "$onnx" "$floor"
    printf '%-8s %10s %7s %9s %9s %8s %7s %10s %7s %10s\n' bits bytes share 'RSS MiB' 'build ms' 'open ms' 'x build' \
        'cached ms' 'x build' 'detect ms'
    for bits in $widths; do
        file=$work/$(basename "$model" .onnx)-$bits.shrike
        quantise=()
        [[ $bits == float ]] || quantise=(--bits "$bits" --data "$data" --images "$images")
        build=$(inside '' build "$model" -o "$file" --quiet "${quantise[@]}")
        if [[ ! -e $work/start.aot ]]; then
            "${java[0]}" "-XX:AOTCacheOutput=$work/start.aot" "${java[@]:1}" "$bench" detect "$file" "$image" \
                >"$work/start.log" 2>&1
        fi
        open=$(inside '' open "$file")
        cached=$(inside "-Xlog:disable -XX:AOTCache=$work/start.aot" open "$file")
        rss=$(whole %M ./shrike detect --weights "$file" --nosave --quiet "$image")
        wall=$(whole %e ./shrike detect --weights "$file" --nosave --quiet "$image")
        awk -v OFS=' ' -v bits="$bits" -v bytes="$(stat -c %s "$file")" -v onnx="$onnx" -v rss="$rss" \
            -v floor="$floor" -v build="$build" -v open="$open" -v cached="$cached" -v wall="$wall" 'BEGIN {
                printf "%-8s %10d  1/%-4.1f %9.1f %9.0f %8.0f %7.3f %10.0f %7.3f %10.0f\n", bits, bytes, onnx / bytes,
                    (rss - floor) / 1024, build, open, open / build, cached, cached / build, 1000 * wall }'
    done
    awk -v rss="$(whole %M ./shrike detect --weights "$model" --nosave --quiet "$image")" -v floor="$floor" \
        'BEGIN { printf "%-28s %9.1f\n", "shrike detect of the ONNX", (rss - floor) / 1024 }'
    awk -v rss="$(whole %M "${java[@]}" "$bench" onnxruntime "$model")" -v floor="$floor" \
        'BEGIN { printf "%-28s %9.1f\n", "ONNX Runtime, one run", (rss - floor) / 1024 }'
done
