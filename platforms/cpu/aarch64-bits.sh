#!/usr/bin/env bash
# Holds the engine on an emulated Cortex-A72 to the bits of the scalar integer evaluation, which this machine computes:
#   platforms/cpu/aarch64-bits.sh [SIDE [MODEL.onnx [RANDOM]]]
# A detector at w8a8, w4a8, w4a4, w3a3, w2a2 and w1a1, at w8a8 and w4a8 with dynamic ranges as well, built here for
# images of SIDE pixels (160), and RANDOM (200) random networks each with static and with dynamic ranges, which are
# evaluated there. Without MODEL: yolov5n where SHRIKE_SHARED names a folder with
# it, else yolov5s from the catalogue.
# needs: mvn, cmake, make, gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user-static, and what
# native/arm64-root.sh needs.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
side=${1:-160} model=${2:-} random=${3:-200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [[ -z $model && -r ${SHRIKE_SHARED:-/none}/models/yolov5n-dynamic.onnx ]]; then
    model=$SHRIKE_SHARED/models/yolov5n-dynamic.onnx
elif [[ -z $model ]]; then
    # Fetches and makes the model for that size.
    ./shrike detect --imgsz "$side" --nosave >/dev/null
    model=${XDG_CACHE_HOME:-$HOME/.cache}/shrike/models/yolov5s$([[ $side == 640 ]] || echo "-$side").onnx
fi

mvn -q -B -ntp -pl platforms/cpu -am -DskipTests test-compile \
    dependency:build-classpath -Dmdep.outputFile=target/test.classpath >&2
classes=platforms/cpu/target/test-classes:platforms/cpu/target/classes:$(<platforms/cpu/target/test.classpath)
java=$(for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release" && echo "${release%/release}/bin/java"
done | sed -n 1p)
options=(-XX:+UseSerialGC --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -cp "$classes")

echo "aarch64-bits: evaluating $model at $side here" >&2
began=$SECONDS
"${java:?no JDK 25 or later found}" "${options[@]}" dev.shrike.cpu.EmulatedBits write "$model" "$side" "$work"
echo "aarch64-bits: $((SECONDS - began)) s" >&2

tree=$(native/arm64-root.sh)
native/build.sh linux-aarch64
there() {
    # The first tier only: compiling well costs more than it gains under emulation.
    qemu-aarch64-static -cpu cortex-a72 -L "$tree" "$tree/usr/lib/jvm/java-25-openjdk-arm64/bin/java" \
        -XX:TieredStopAtLevel=1 -Dshrike.library.path="$root/native/build/linux-aarch64/lib" "${options[@]}" \
        dev.shrike.cpu.EmulatedBits "$@"
}
echo 'aarch64-bits: comparing there' >&2
began=$SECONDS
there check "$work"
echo "aarch64-bits: $((SECONDS - began)) s" >&2
began=$SECONDS
there random "$random" 1
echo "aarch64-bits: $((SECONDS - began)) s" >&2
