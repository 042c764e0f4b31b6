#!/usr/bin/env bash
# Everything that only a GPU can tell about the TensorRT engine, in one command, on a machine that has nothing but the
# driver, CUDA, cuDNN, TensorRT 8.4 to 8.6 and a Java 25.
#
#   platforms/jetson/gpu-suite.sh --pack FOLDER [--arch x86_64|aarch64] --model M.onnx [--model …]
#       --data COCO.json [--images DIR] --calibration IMAGES
#           on a machine with the sources: puts the program, the suite, the models, their quantised forms (shrike
#           quantize, w8a8) and the images into FOLDER, which then goes to the machine with the GPU
#   FOLDER/gpu-suite.sh [--frames N] [--steps TEXT] [--fresh]
#           there: builds engines (fp32, fp16, int8 with entropy and min-max calibration, int8 from the quantised
#           network), measures mAP and times, compares with the float network on the CPU, loads from the cache; decodes
#           on the GPU and on the CPU, bit for bit, and runs batches of 2, 4 and 8, and of 1 to these, timing all; kills
#           a build, lets two processes build at once, runs N frames (default: 10000) and looks at the memory, and runs
#           under compute-sanitizer where that is installed; runs two threads on one engine, INT8 in batches and, where
#           there is one, a DLA. Report: FOLDER/results/report.md. Exit code 1 if something failed, 2 if there is no
#           GPU.
#           A second run keeps the steps that passed and runs the others; --steps runs those whose title has the text
#           again, and only those; --fresh forgets everything
#   platforms/jetson/gpu-suite.sh --fake
#           the same with a small network on a TensorRT that the processor plays: tests the suite, not the engine
# needs, to pack: mvn, cmake, make, gcc, and for aarch64 gcc-aarch64-linux-gnu and g++-aarch64-linux-gnu.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() {
    echo "gpu-suite: $*" >&2
    exit 2
}

# The home of a Java 25 or later.
find_java() {
    local home
    for home in "${JAVA_HOME:-/none}" "$(readlink -f "$(command -v java || echo /none)" | sed 's#/bin/java$##')" \
        /usr/lib/jvm/*; do
        if grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$home/release"; then
            echo "$home/bin/java"
            return
        fi
    done
    die "no Java 25 or later in JAVA_HOME, PATH or /usr/lib/jvm: sudo apt-get install openjdk-25-jre-headless" \
        "(before Debian 13 and on JetPack 5: Temurin from https://adoptium.net)"
}

# run FOLDER ENGINE FRAMES [STEPS]
run() {
    local folder=$1 java
    java=$(find_java)
    [[ -d $folder/app/lib/linux-$(uname -m) ]] \
        || die "$folder was packed for $(cd "$folder/app/lib" && echo linux-*), this is $(uname -m): pack with --arch"
    mkdir -p "$folder/results"
    "$java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
        -Dshrike.library.path="$folder/app/lib/linux-$(uname -m)" -cp "$folder/suite:$folder/app/lib/*" \
        dev.shrike.jetson.GpuSuite "$folder" "$2" "$3" "${4:-}"
}

if [[ -d $here/app && -d $here/suite ]]; then
    frames=10000 steps=''
    while (($# > 0)); do
        case $1 in
            --frames | --steps)
                (($# > 1)) || die "$1 wants a value"
                [[ $1 == --frames ]] && frames=$2 || steps=$2
                shift
                ;;
            --fresh) rm -rf "$here/results" ;;
            *) die "unknown option $1; there are --frames N, --steps TEXT and --fresh" ;;
        esac
        shift
    done
    [[ $frames =~ ^[1-9][0-9]{1,6}$ ]] || die "--frames takes a number from 10"
    run "$here" tensorrt "$frames" "$steps"
    exit
fi

root=$(cd "$here/../.." && pwd)
folder='' arch=$(uname -m) models=() data='' images='' calibration='' played=''
while (($# > 0)); do
    case $1 in
        --fake | --played) played=1 ;; # the latter is its former name
        --pack | --arch | --model | --data | --images | --calibration)
            (($# > 1)) || die "$1 wants a value"
            case $1 in
                --pack) folder=$2 ;;
                --arch) arch=$2 ;;
                --model) models+=("$2") ;;
                --data) data=$2 ;;
                --images) images=$2 ;;
                --calibration) calibration=$2 ;;
            esac
            shift
            ;;
        *) die "unknown option $1; see the head of $0" ;;
    esac
    shift
done

build() {
    echo "gpu-suite: building" >&2
    (cd "$root" && mvn -q -B -ntp -DskipTests package "$@") >&2
}

# A folder that was packed before may go; anything else may not.
new_folder() {
    if [[ -d $folder/suite && -d $folder/app ]]; then
        rm -rf "$folder"
    fi
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    [[ -z $(ls -A "$folder") ]] || die "$folder is not empty"
}

check_arguments() {
    local model name
    [[ $arch == x86_64 || $arch == aarch64 ]] || die "--arch is x86_64 or aarch64"
    ((${#models[@]} > 0)) || die "no --model M.onnx"
    for model in "${models[@]}"; do
        [[ -f $model ]] || die "$model: no such file"
    done
    [[ -f $data ]] || die "--data names no COCO JSON"
    if [[ -z $images ]]; then
        name=${data##*/instances_}
        images=$(dirname "$data")/${name%.json}
    fi
    [[ -d $images ]] || die "$images: is no folder of images; name it with --images"
    [[ -d $calibration ]] || die "--calibration names no folder of images"
}

pack() {
    local app=$root/deploy/app/target/app model name
    new_folder
    if [[ $arch != "$(uname -m)" ]]; then
        [[ $arch == aarch64 ]] || die "only arm64 can be built on another machine"
        build -Paarch64
        app=$root/deploy/app/target/aarch64/app
    fi
    cp -r "$app" "$folder/app"
    rm -f "$folder"/app/start-*
    cp -r "$root/platforms/jetson/target/test-classes" "$folder/suite"
    cp "${BASH_SOURCE[0]}" "$folder/gpu-suite.sh"
    mkdir "$folder/models" "$folder/data"
    for model in "${models[@]}"; do
        name=$(basename "$model" .onnx)
        cp "$model" "$folder/models/$name.onnx"
        echo "gpu-suite: quantising $name" >&2
        "$root/deploy/app/target/app/shrike" quantize --quiet --scheme w8a8 --for tensorrt --data "$calibration" \
            -o "$folder/models/$name-qdq.onnx" "$model" >&2
    done
    cp "$data" "$folder/data/instances.json"
    cp -r "$images" "$folder/data/images"
    cp -r "$calibration" "$folder/calibration"
}

if [[ -n $played ]]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    build
    mkdir "$work/toy"
    java=$(find_java)
    "$java" --enable-native-access=ALL-UNNAMED -cp \
        "$root/deploy/app/target/app/lib/*:$root/deploy/app/target/test-classes" dev.shrike.app.ToyData "$work/toy"
    folder=$work/packed models=("$work/toy/toy.onnx") data=$work/toy/instances_blocks.json
    calibration=$work/toy/blocks
    check_arguments
    pack
    mkdir -p "$folder/suite/META-INF/services"
    echo dev.shrike.jetson.FakeBackend >"$folder/suite/META-INF/services/dev.shrike.spi.Backend"
    run "$folder" played 500
    echo 'gpu-suite: again, with a quantised network that sees nothing, which must be found out' >&2
    cp "$work/toy/blind.onnx" "$folder/models/toy-qdq.onnx"
    rm -rf "$folder/results"
    code=0
    run "$folder" played 50 >"$work/blind.md" || code=$?
    if ((code != 1)) || ! grep -q '^\* FAILED: toy int8-qdq: it loses' "$work/blind.md" \
        || ! grep -q '^\* FAILED: toy int8-qdq: of .* it finds 0\.000' "$work/blind.md"; then
        cat "$work/blind.md"
        die "the blind network was not found out"
    fi
    echo 'gpu-suite: a third time, which goes on where the second one stopped' >&2
    code=0
    run "$folder" played 50 >"$work/again.md" || code=$?
    if ((code != 1)) || ! grep -q 'kept from an earlier run' "$work/again.md" \
        || ! grep -q '^\* FAILED: toy int8-qdq: it loses' "$work/again.md"; then
        cat "$work/again.md"
        die "the suite did not go on where it stopped"
    fi
    if [[ ! -e /dev/nvidiactl && ! -e /dev/nvhost-ctrl ]]; then
        code=0
        bash "$folder/gpu-suite.sh" || code=$?
        ((code == 2)) || die "without a GPU the suite ended with $code instead of 2"
    fi
    exit
fi
[[ -n $folder ]] || die "say --pack FOLDER or --fake; see the head of $0"
check_arguments
build
pack
echo "gpu-suite: copy $folder to the machine with the GPU and run gpu-suite.sh in it" >&2
