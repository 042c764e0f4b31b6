#!/usr/bin/env bash
# Modelled Cortex-A72 cycles of whole networks, ours and ONNX Runtime's, on any machine:
#     native/bench/a72.sh [--columns C,..] [--json FILE] [--hot N] [MODEL[@SIZE] ..]
#     native/bench/a72.sh --self-test
#
# MODEL: an ONNX file, or a .shrike file, which runs as it was built. SIZE: side of its input, 320 unless given.
# --columns  float, wXaY, onnxruntime-float, onnxruntime-int8; all but the last two are ours.
#            float,w8a8,w4a8,w2a2,onnxruntime-float,onnxruntime-int8 unless given; "own" for a .shrike file
# --json     where the same figures go; build/a72/a72.json unless given
# --hot      how many functions each column lists, 12 unless given
# --self-test  whether the model tells what it must of loops that are known; a minute
#
# One thread runs the network from its input to its decoded boxes, under QEMU. blocks_plugin.c writes down what it
# executes, and llvm-mca says how many cycles the linked blocks take (see bench/a72/model). docs/bench.md tells what
# that is worth: ratios, no milliseconds. Ends with 1 if sampled windows and linked blocks disagree by more than 2 %.
#
# Needs a JDK 25, cmake, make, gcc, gcc-aarch64-linux-gnu, what arm64-root.sh needs, and llvm-mca 19: LLVM_BIN names a
# folder with it, else Debian's packages are unpacked below build/, as QEMU's are. SHRIKE_APP is the lib/ folder of the
# built program, that of the source tree unless given; SHRIKE_ONNXRUNTIME the jar of ONNX Runtime 1.24.2.
set -euo pipefail

fail() {
    echo "a72: $1" >&2
    exit "${2:-1}"
}

usage() {
    (($1 == 0)) || exec >&2
    sed -n '2,/^set/s/^# \{0,1\}//p' "$here"
    exit "$1"
}

here=$(realpath "${BASH_SOURCE[0]}")
columns='' json='' hot=12 self_test=
models=()
while (($# > 0)); do
    case $1 in
        --self-test) self_test=1 ;;
        --help) usage 0 ;;
        --columns | --json | --hot)
            (($# > 1)) || fail "$1 wants a value" 2
            printf -v "${1#--}" %s "$2"
            shift
            ;;
        -*) usage 2 ;;
        *) models+=("$1") ;;
    esac
    shift
done
[[ $hot =~ ^[0-9]{1,3}$ ]] || fail "--hot wants a number, not '$hot'" 2
[[ -n $self_test || ${#models[@]} -gt 0 ]] || usage 2
for column in ${columns//,/ }; do
    [[ $column =~ ^(float|w[1-8]a[1-8]|onnxruntime-(float|int8))$ ]] || fail "'$column' is no column, see --help" 2
done
for i in "${!models[@]}"; do
    file=${models[i]%@*} size=320
    [[ ${models[i]} != *@* ]] || size=${models[i]##*@}
    [[ $size =~ ^[1-9][0-9]{0,3}$ ]] || fail "${models[i]}: the size is a number of pixels" 2
    [[ -r $file && $file == *.@(onnx|shrike) ]] || fail "$file: is no readable ONNX or .shrike file" 2
    models[i]=$(realpath "$file")@$size
done
[[ -z $json ]] || json=$(realpath -m "$json")

cd "$(dirname "$here")/.."
work=$PWD/build/a72
mkdir -p "$work"
# shellcheck source-path=SCRIPTDIR source=emulator.sh
. bench/emulator.sh

# The bin folder of a JDK 25 or later.
find_jdk() {
    local home
    for home in "${JAVA_HOME:-}" "$(dirname "$(dirname "$(readlink -f "$(command -v javac || echo /)")")")" \
        /usr/lib/jvm/*; do
        if [[ -x $home/bin/javac && $("$home/bin/javac" -version 2>&1) =~ ^javac\ (2[5-9]|[3-9][0-9]) ]]; then
            echo "$home/bin"
            return
        fi
    done
    fail 'no JDK 25 or later in JAVA_HOME, PATH or /usr/lib/jvm: sudo apt-get install openjdk-25-jdk-headless'
}

prepare() {
    local program
    for program in gcc aarch64-linux-gnu-gcc; do
        command -v "$program" >/dev/null || fail "$program is missing: sudo apt-get install gcc gcc-aarch64-linux-gnu"
    done
    jdk=$(find_jdk)
    find_emulator
    llvm=${LLVM_BIN:-}
    if [[ -z $llvm ]]; then
        unpack_packages build/llvm usr/lib/llvm-19/bin/llvm-mca llvm-19 libllvm19
        add_libraries build/llvm
        llvm=$PWD/build/llvm/usr/lib/llvm-19/bin
    fi
    for program in llvm-mc llvm-mca llvm-nm; do
        [[ -x $llvm/$program ]] || fail "$llvm/$program is missing: LLVM_BIN is the folder with the programs of LLVM 19"
    done
    gcc -O2 -shared -fPIC -Wall -Wextra bench/blocks_plugin.c -o "$work/blocks_plugin.so"
    rm -rf "$work/model"
    "$jdk/javac" -d "$work/model" bench/a72/model/*.java
}

# emulated DUMP WINDOWS_EACH [QEMU'S OPTIONS] PROGRAM ..
emulated() {
    local dump=$1 each=$2
    shift 2
    rm -f "$dump"
    "$emulator" -cpu cortex-a72 -plugin "$work/blocks_plugin.so,out=$dump.part,period=$each,window=1500,attach=mark" \
        -E LD_LIBRARY_PATH= "$@"
    mv "$dump.part" "$dump"
}

self_test() {
    local loop
    aarch64-linux-gnu-gcc -O2 -funroll-loops -static -Wall -Wextra bench/a72/loops.c -o "$work/loops"
    mkdir -p "$work/loop-dumps"
    for loop in store-back store-apart one-page two-pages few-rounds mixed; do
        emulated "$work/loop-dumps/$loop.blocks" 10000 "$work/loops" "$loop" >/dev/null
    done
    "$jdk/java" -cp "$work/model" A72SelfTest "$llvm" "$work/loop-dumps"
}

# The class path of the program with the rival and MarkedRun, without the jars whose names match the pattern $1.
class_path() {
    local app=${SHRIKE_APP:-$PWD/../deploy/app/target/app/lib} jar
    compgen -G "$app/shrike-app-*.jar" >/dev/null \
        || fail "$app: has no built program: run ./shrike once, or give the lib/ of one as SHRIKE_APP"
    [[ -r $rival_jar ]] || fail "$rival_jar is missing: 'mvn dependency:get \
-Dartifact=com.microsoft.onnxruntime:onnxruntime:1.24.2' brings it, or SHRIKE_ONNXRUNTIME names it"
    printf %s "$work/classes:$rival_jar"
    for jar in "$app"/*.jar; do
        [[ ${jar##*/} =~ $1 ]] || printf ':%s' "$jar"
    done
}

prepare_networks() {
    local repository=$HOME/.m2/repository/com/microsoft/onnxruntime/onnxruntime
    rival_jar=${SHRIKE_ONNXRUNTIME:-$repository/1.24.2/onnxruntime-1.24.2.jar}
    # Measuring ranges wants this machine's OpenCV; what is emulated opens as few jars as it can.
    here_classes=$(class_path shrike-jetson)
    there_classes=$(class_path 'shrike-jetson|-linux-|^(netty|rxjava|hivemq|jenetics|prometheus|tensorrt|cuda)')
    app_natives=${SHRIKE_APP:-$PWD/../deploy/app/target/app/lib}/linux-$(uname -m)
    tree=$(./arm64-root.sh)
    ./build.sh linux-aarch64
    aarch64-linux-gnu-gcc -O2 -shared -fPIC -nostdlib bench/marks.c -o "$work/libmarks.so"
    rm -rf "$work/classes"
    "$jdk/javac" -nowarn -d "$work/classes" -cp "$here_classes" bench/a72/MarkedRun.java
    options=(--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC)
    files=$work/files
    mkdir -p "$files"
    : >"$work/list"
}

# Counts one column of a network and adds it to the list.
count() {
    local model=$1 size=$2 column=$3 name title file dump library
    name=$(basename "$model") name=${name%.*} title="$name $size"
    [[ $column != own ]] || title=$name
    dump=$work/$name-$size-$column
    echo "a72: $title, $column" >&2
    file=$("$jdk/java" "${options[@]}" -cp "$here_classes" -Dshrike.library.path="$app_natives" \
        dev.shrike.app.bench.MarkedRun file "$model" "$size" "$column" "$files")
    emulated "$dump.blocks" 400000 -L "$tree" "$tree/usr/lib/jvm/java-25-openjdk-arm64/bin/java" \
        -XX:TieredStopAtLevel=1 -Dshrike.cpu.convolution=native \
        -Dshrike.library.path="$PWD/build/linux-aarch64/lib" "${options[@]}" -cp "$there_classes" \
        dev.shrike.app.bench.MarkedRun run "$file" "$size" "$column" 2 "$work/libmarks.so" "$dump.maps" >&2
    library=$PWD/build/linux-aarch64/lib/libshrike.so
    printf '%s\t%s\t%s\t%s\t%s\n' "$title" "$column" "$dump.blocks" "$dump.maps" "$library" >>"$work/list"
}

prepare
if [[ -n $self_test ]]; then
    self_test
    exit
fi
prepare_networks
for model in "${models[@]}"; do
    wanted=${columns:-float,w8a8,w4a8,w2a2,onnxruntime-float,onnxruntime-int8}
    [[ $model != *.shrike@* ]] || wanted=own
    for column in ${wanted//,/ }; do
        count "${model%@*}" "${model##*@}" "$column"
    done
done
"$jdk/java" -cp "$work/model" A72Table "$llvm" "$work/list" "${json:-$work/a72.json}" "$hot"
