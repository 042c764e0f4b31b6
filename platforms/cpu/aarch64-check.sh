#!/usr/bin/env bash
# Finds objects with the whole of Shrike on an emulated Cortex-A72 and compares with what this machine finds: the same
# picture, weights and size, small and on one thread, as emulation takes a hundred times as long; the same objects,
# boxes within half a pixel and scores within 0.005. Objects within 0.02 of the confidence threshold, where the last
# digit decides whether they are reported, need no partner.
# needs: mvn, cmake, make, gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user-static, jq, and what
# native/arm64-root.sh needs.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
options=(detect --imgsz 160 --threads 1 --json --exist-ok)

version() {
    sed -nE "s#.*<$1\.version>([^<\$]*)(\\$\{javacpp\.version\})?</.*#\1#p" pom.xml
}

echo 'aarch64-check: here' >&2
./shrike "${options[@]}" --project "$work/samples" >"$work/samples.jsonl"
picture=$(jq -rn 'input.source' "$work/samples.jsonl")
./shrike "${options[@]}" --project "$work/here" "$picture" >"$work/here.jsonl"

echo 'aarch64-check: gathering what an arm64 machine needs' >&2
tree=$(native/arm64-root.sh)
native/build.sh linux-aarch64
app=deploy/app/target/app
mkdir "$work/lib"
find "$app/lib" -name '*.jar' ! -name '*linux-x86_64.jar' -exec cp -t "$work/lib" {} +
javacpp=$(version javacpp)
for artifact in "javacpp:$javacpp" "opencv:$(version opencv)$javacpp" "openblas:$(version openblas)$javacpp"; do
    mvn -B -ntp -q -N org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        -Dartifact="org.bytedeco:$artifact:jar:linux-arm64" -DoutputDirectory="$work/lib"
done

echo 'aarch64-check: there' >&2
# The first tier only: compiling well costs more than it gains under emulation.
qemu-aarch64-static -cpu cortex-a72 -L "$tree" "$tree/usr/lib/jvm/java-25-openjdk-arm64/bin/java" \
    -XX:TieredStopAtLevel=1 -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
    -Dshrike.library.path="$root/native/build/linux-aarch64/lib" -cp "$work/lib/*" \
    dev.shrike.app.Main "${options[@]}" --project "$work/there" "$picture" >"$work/there.jsonl"

jq -rn --slurpfile here "$work/here.jsonl" --slurpfile there "$work/there.jsonl" '
    def far($a; $b): [$a.box, $b.box] | transpose | map(.[0] - .[1] | fabs) | max;
    def same($a; $b): $a.class_id == $b.class_id and (($a.score - $b.score) | fabs) < 0.005 and far($a; $b) < 0.5;
    def sure: map(select(.score > 0.27));
    def alone($a; $b): [$a | sure[] | . as $x | select([$b[] | select(same($x; .))] == [])];
    if ($here | length) == 0 or ($here | length) != ($there | length) then
        error("pictures: \($here | length) here, \($there | length) there")
    else
        range($here | length) as $i | $here[$i].detections as $a | $there[$i].detections as $b
        | alone($a; $b) as $lost | alone($b; $a) as $new
        | if $lost + $new != [] then
            error("\($here[$i].source): only here \($lost | tojson), only there \($new | tojson)")
        else
            "\($here[$i].source | split("/") | last): the same \($a | sure | length) objects"
        end
    end'
jq -en --slurpfile there "$work/there.jsonl" '[$there[].detections[]] | length > 0' >/dev/null \
    || { echo 'aarch64-check: no picture shows anything' >&2; exit 1; }
