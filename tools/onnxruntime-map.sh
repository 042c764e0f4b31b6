#!/usr/bin/env bash
# What ONNX Runtime makes of a file: 'shrike val' with ONNX Runtime (the version of the tests) in place of our engine.
# Letterbox, decoding and metrics are ours, so that two lines differ by the network alone.
#
#   tools/onnxruntime-map.sh COCO.json MODEL.onnx …
#
# Prints a line for each file: COCO's mAP50-95 and mAP50 by ONNX Runtime and by our engine.
# needs: mvn, a JDK 25, jq.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
    echo "onnxruntime-map: $*" >&2
    exit 2
}

(($# > 1)) || die "say COCO.json MODEL.onnx …"
for file in "$@"; do
    [[ -f $file ]] || die "$file: no such file"
done
data=$(realpath "$1")
shift
java=''
for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    if [[ -z $java ]] && grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release"; then
        java=${release%/release}/bin/java
    fi
done
: "${java:?no JDK 25 or later found}"

app=$root/deploy/app/target/app/lib
backend=dev/shrike/app/val/OnnxRuntimeBackend
if [[ ! -d $app || ! -e $root/deploy/app/target/test-classes/$backend.class ]]; then
    (cd "$root" && mvn -q -B -ntp -DskipTests package) >&2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -nE 's#.*<onnxruntime\.version>(.*)</.*#\1#p' "$root/pom.xml")
(cd "$root" && mvn -B -ntp -q -o -N org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact="com.microsoft.onnxruntime:onnxruntime:$version" -DoutputDirectory="$work") >&2
mkdir -p "$work/classes/META-INF/services" "$work/classes/${backend%/*}"
cp "$root/deploy/app/target/test-classes/$backend"*.class "$work/classes/${backend%/*}/"
echo "${backend//\//.}" >"$work/classes/META-INF/services/dev.shrike.spi.Backend"

# val ENGINE MODEL: mAP50-95 and mAP50
val() {
    "$java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
        -Dshrike.library.path="$app/linux-$(uname -m)" -Donnxruntime.model="$2" \
        -cp "$work/classes:$work/*:$app/*" dev.shrike.app.Main val --json --nosave --engine "$1" --data "$data" \
        --weights "$2" | jq -r '"mAP50-95 \(.coco.AP), mAP50 \(.coco.AP50)"'
}

for model in "$@"; do
    model=$(realpath "$model")
    printf '%s: ONNX Runtime %s: %s; our engine: %s\n' "${model##*/}" "$version" "$(val onnxruntime "$model")" \
        "$(val cpu "$model")"
done
