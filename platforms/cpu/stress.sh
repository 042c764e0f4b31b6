#!/usr/bin/env bash
# Opens, uses, closes and interrupts detectors of the CPU engine at random from eight threads: no crash, no wrong
# result, nothing left behind.
#   platforms/cpu/stress.sh [--sequences N] [--sanitize]
# N sequences (10000), in four rounds; --sanitize runs the native library under the address and undefined-behaviour
# sanitizers.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

usage() {
    sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
}

sequences=10000 sanitize=''
while (($# > 0)); do
    case $1 in
        --sequences)
            [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }
            sequences=$2
            shift
            ;;
        --sanitize) sanitize=1 ;;
        --help) usage && exit ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

mvn -q -pl platforms/cpu -am -DskipTests test-compile \
    dependency:build-classpath -Dmdep.outputFile=target/test.classpath >&2
java=$(for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release" && echo "${release%/release}/bin/java"
done | sed -n 1p)
[[ -n $java ]] || { echo 'stress.sh: no JDK 25 or later in JAVA_HOME or /usr/lib/jvm' >&2; exit 1; }
classes=platforms/cpu/target/test-classes:platforms/cpu/target/classes:runtime-java/target/test-classes
classes+=:runtime-java/target/classes:native/target/classes:$(<platforms/cpu/target/test.classpath)

folder=platforms/cpu/target/stress
mkdir -p "$folder"
options=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Xms256m -Xmx256m -XX:+UseSerialGC
    -Dorg.bytedeco.javacpp.maxPhysicalBytes=0
    "-XX:ErrorFile=$folder/hs_err_%p.log" "-Dshrike.stress.sequences=$(((sequences + 3) / 4))")
preload=() megabytes=64
if [[ $sanitize ]]; then
    native/build.sh asan
    options+=("-Dshrike.library.path=$PWD/native/build/asan/lib/libshrike.so")
    # Memory that was freed is kept for a while; the JVM has its own use for signals, and what it keeps is no leak.
    megabytes=128 signals=handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0
    preload=(env "LD_PRELOAD=$(gcc -print-file-name=libasan.so)"
        "ASAN_OPTIONS=$signals:detect_leaks=0:abort_on_error=1:quarantine_size_mb=16"
        UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1)
fi
"${preload[@]}" "$java" "${options[@]}" -cp "$classes" dev.shrike.DetectorStress "$megabytes"
