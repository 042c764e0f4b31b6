#!/usr/bin/env bash
# Reads a video over and over at full speed and prints what the process holds: tools/steady-run.sh CLIP [SECONDS]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ -f ${1:-} ]] || { sed -n '2s/^# //p' "${BASH_SOURCE[0]}" >&2; exit 2; }
clip=$(realpath "$1")
cd "$root"
mvn -q -pl deploy/sources -am -DskipTests test-compile \
    dependency:build-classpath -Dmdep.outputFile=target/test.classpath >&2
java=$(for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release" && echo "${release%/release}/bin/java"
done | sed -n 1p)
[[ -n $java ]] || { echo 'steady-run: no JDK 25 or later in JAVA_HOME or /usr/lib/jvm' >&2; exit 1; }
classes=deploy/sources/target/test-classes:deploy/sources/target/classes:runtime-java/target/classes
"$java" -Xmx64m -XX:+UseSerialGC -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 --enable-native-access=ALL-UNNAMED \
    -cp "$classes:$(<deploy/sources/target/test.classpath)" dev.shrike.sources.SteadyRun "$clip" "${2:-1800}"
