#!/usr/bin/env bash
# Finds objects with the whole of Shrike on an emulated Cortex-A72 and compares with what this machine finds: the same
# image, weights and size, small and on one thread, as emulation takes a hundred times as long.
#   real weights, by our kernels and by ARM Compute Library: the same objects, boxes within half a pixel and scores
#       within 0.005; those near the confidence threshold, where the last digit decides whether they are reported, need
#       no partner
#   w4a8 and w2a2, built here, with everything but the head in integers: the same, and scores within 0.0005
# and the test of ARM Compute Library's plans runs there.
# needs: mvn, cmake, make, gcc-aarch64-linux-gnu, g++-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user-static, jq,
# and what native/arm64-root.sh needs.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
options=(detect --imgsz 160 --threads 1 --json --exist-ok)

echo 'aarch64-check: here' >&2
./shrike "${options[@]}" --project "$work/samples" >"$work/samples.jsonl"
image=$(jq -rn 'input.source' "$work/samples.jsonl")
./shrike "${options[@]}" --project "$work/here" "$image" >"$work/here-real.jsonl"

echo 'aarch64-check: building for arm64' >&2
tree=$(native/arm64-root.sh)
export SHRIKE_ARM64_ROOT=$tree
mvn -q -B -ntp -Paarch64 -DskipTests package
app=$root/deploy/app/target/aarch64/app
# A java for Maven too. The first tier only: compiling well costs more than it gains under emulation.
mkdir -p "$work/jdk/bin"
cat >"$work/jdk/bin/java" <<END
#!/bin/sh
exec qemu-aarch64-static -cpu cortex-a72 -L '$tree' '$tree/usr/lib/jvm/java-25-openjdk-arm64/bin/java' \\
    -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "\$@"
END
chmod +x "$work/jdk/bin/java"

there() {
    local name=$1
    shift
    "$work/jdk/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
        -Dshrike.library.path="$app/lib/linux-aarch64" "${properties[@]}" -cp "$app/lib/*" \
        dev.shrike.app.Main "${options[@]}" --project "$work/there" "$@" "$image" >"$work/$name.jsonl"
}

# compare NAME WITHIN CONFIDENCE: the objects of here-NAME.jsonl and there-NAME.jsonl, scores within WITHIN.
compare() {
    jq -rn --arg name "$1" --argjson within "$2" --argjson confidence "$3" \
        --slurpfile here "$work/here-$1.jsonl" --slurpfile there "$work/there-$1.jsonl" '
    def far($a; $b): [$a.box, $b.box] | transpose | map(.[0] - .[1] | fabs) | max;
    def same($a; $b): $a.class_id == $b.class_id and (($a.score - $b.score) | fabs) < $within and far($a; $b) < 0.5;
    def sure: map(select(.score > 1.08 * $confidence));
    def alone($a; $b): [$a | sure[] | . as $x | select([$b[] | select(same($x; .))] == [])];
    if ($here | length) == 0 or ($here | length) != ($there | length) then
        error("images: \($here | length) here, \($there | length) there")
    else
        range($here | length) as $i | $here[$i].detections as $a | $there[$i].detections as $b
        | alone($a; $b) as $lost | alone($b; $a) as $new
        | if $lost + $new != [] then
            error("\($here[$i].source): only here \($lost | tojson), only there \($new | tojson)")
        else
            "\($name) by \($there[$i].engine): the same \($a | sure | length) objects"
        end
    end'
    jq -en --slurpfile there "$work/there-$1.jsonl" '[$there[].detections[]] | length > 0' >/dev/null \
        || { echo "aarch64-check: $1: no image shows anything" >&2; exit 1; }
}

echo 'aarch64-check: real weights' >&2
properties=()
there there-real
compare real 0.005 0.25

echo 'aarch64-check: ARM Compute Library' >&2
properties=(-Dshrike.cpu.convolution=acl)
there there-acl
cp "$work/here-real.jsonl" "$work/here-acl.jsonl"
compare acl 0.005 0.25
jq -e '.engine | contains("ARM Compute Library")' "$work/there-acl.jsonl" >/dev/null \
    || { echo 'aarch64-check: ARM Compute Library was not used' >&2; exit 1; }

properties=()
for bits in w4a8 w2a2; do
    echo "aarch64-check: $bits" >&2
    ./shrike build yolov5s --imgsz 160 --bits "$bits" --data "$(dirname "$image")" -o "$work/$bits.shrike" >&2
    # Plain ranges leave little certainty at these widths.
    confidence=0.001
    quantized=(--weights "$work/$bits.shrike" --conf-thres "$confidence")
    ./shrike "${options[@]}" --project "$work/here" "${quantized[@]}" "$image" >"$work/here-$bits.jsonl"
    there "there-$bits" "${quantized[@]}"
    compare "$bits" 0.0005 "$confidence"
done

echo 'aarch64-check: the test of plans with ARM Compute Library' >&2
mvn -q -B -ntp -Paarch64 -DskipTests=false -Djvm="$work/jdk/bin/java" -Dshrike.native.skipTests=true \
    -Dshrike.test.acl=true -Dtest=AclTest -Dsurefire.failIfNoSpecifiedTests=false -pl platforms/cpu -am test
