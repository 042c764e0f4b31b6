#!/usr/bin/env bash
# Damages small models at random, opens and runs them in one process: nothing but a ShrikeException may come out.
#   platforms/cpu/fuzz.sh [--cases N] [--first N] [--seconds N] [--seed N] [--sanitize] [shrike|onnx] ...
#   platforms/cpu/fuzz.sh [--seed N] [--sanitize] --case N shrike|onnx
# Without a format both in turn, each with N cases (100000) or for so many seconds, whichever ends first. --sanitize
# runs the native library under the address and undefined-behaviour sanitizers. --case repeats one case and keeps its
# file. A failure names the seed and the case; if the process dies, the case under way is told and the rest goes on.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

usage() {
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

cases=100000 first=0 seconds=0 seed=1 sanitize='' case='' formats=()
while (($# > 0)); do
    case $1 in
        --cases | --first | --seconds | --seed | --case)
            [[ ${2:-} =~ ^[0-9]+$ ]] || usage
            declare "${1#--}=$2"
            shift
            ;;
        --sanitize) sanitize=1 ;;
        --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
        shrike | onnx) formats+=("$1") ;;
        *) usage ;;
    esac
    shift
done
((${#formats[@]} > 0)) || formats=(shrike onnx)
[[ -z $case ]] || ((${#formats[@]} == 1)) || usage

mvn -q -pl platforms/cpu -am -DskipTests test-compile \
    dependency:build-classpath -Dmdep.outputFile=target/test.classpath >&2
java=$(for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release" && echo "${release%/release}/bin/java"
done | sed -n 1p)
[[ -n $java ]] || { echo 'fuzz.sh: no JDK 25 or later in JAVA_HOME or /usr/lib/jvm' >&2; exit 1; }
classes=platforms/cpu/target/test-classes:platforms/cpu/target/classes:runtime-java/target/classes
classes+=:native/target/classes:$(<platforms/cpu/target/test.classpath)

folder=platforms/cpu/target/fuzz/${sanitize:+sanitized-}$seed
mkdir -p "$folder"
# Little memory, so that a model which wants much is refused rather than slow.
options=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Xmx512m -XX:+UseSerialGC
    "-XX:ErrorFile=$folder/hs_err_%p.log" "-Dshrike.fuzz.seed=$seed" "-Dshrike.fuzz.folder=$folder")
preload=()
if [[ $sanitize ]]; then
    native/build.sh asan
    options+=("-Dshrike.library.path=$PWD/native/build/asan/lib/libshrike.so")
    # The JVM has its own use for SIGSEGV, and what it keeps until its end is no leak.
    preload=(env "LD_PRELOAD=$(gcc -print-file-name=libasan.so)"
        ASAN_OPTIONS=handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:detect_leaks=0:abort_on_error=1
        UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1)
fi

fuzz() {
    "${preload[@]}" "$java" "${options[@]}" "$@"
}

if [[ $case ]]; then
    fuzz -cp "$classes" dev.shrike.cpu.ModelFuzzer "${formats[0]}" "$case"
    echo "the file is $folder/case.${formats[0]}"
    exit
fi

failed=0
for format in "${formats[@]}"; do
    next=$first end=$((first + cases)) deadline=$((SECONDS + seconds))
    while ((next < end)); do
        bounds=("-Dshrike.fuzz.first=$next" "-Dshrike.fuzz.cases=$((end - next))")
        ((seconds == 0)) || bounds+=("-Dshrike.fuzz.seconds=$((deadline > SECONDS ? deadline - SECONDS : 0))")
        status=0
        fuzz "${bounds[@]}" -cp "$classes" dev.shrike.cpu.ModelFuzzer "$format" || status=$?
        ((status == 0)) || failed=1
        ((status > 1)) || break
        at=$(sed -n 's/.* case \([0-9]*\).*/\1/p' "$folder/case-under-way-$format.txt")
        echo "DIED with status $status: seed $seed, case $at of $format"
        next=$((at + 1))
    done
done
exit $failed
