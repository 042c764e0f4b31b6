#!/usr/bin/env bash
# What the CUDA part of the TensorRT engine does on any NVIDIA GPU, on a machine that has nothing but the driver: no
# CUDA, no TensorRT, no Java. For x86_64; on a Jetson, gpu-suite.sh covers all of this.
#
#   platforms/jetson/cuda-suite.sh pack FOLDER
#           on a machine with the sources: puts a Java runtime, the CUDA runtime, the kernels in NVIDIA's portable
#           assembly and the tests into FOLDER, at most 60 MiB, which then goes to the machine with the GPU
#   FOLDER/cuda-suite.sh [run] [--steps TEXT] [--fresh]
#           there, in a few minutes: the device, page-locked memory, events, both kernels against the processor's
#           results, graph capture and replay, two threads, errors that pass (no memory, no kernel) and one that does
#           not (an illegal address). Each step is ok, failed or skipped. Report: FOLDER/results/report.md. Exit code 1
#           if a step failed, 2 if there is no GPU.
#           A second run keeps the steps that passed and runs the others; --steps runs those whose title has the text
#           again, and only those; --fresh forgets everything
#   platforms/jetson/cuda-suite.sh check [FOLDER]
#           packs (into FOLDER), then runs the packed suite here: on a GPU that the processor plays, which tests the
#           suite and that nothing is missing from the folder, and without a GPU, which it must say
# needs, to pack: a JDK 25, mvn, gcc, g++, binutils, unzip.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
most_mib=60

die() {
    echo "cuda-suite: $*" >&2
    exit 2
}

# run FOLDER GPU STEPS
run() {
    local folder=$1
    mkdir -p "$folder/results"
    "$folder/runtime/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Xss2m \
        -Dorg.bytedeco.javacpp.cachedir="$folder/results/javacpp" -cp "$(class_path "$folder")" \
        dev.shrike.jetson.CudaSuite "$folder" "$2" "$3"
}

class_path() {
    echo "$1/suite:$1/natives:$1/lib/*"
}

if [[ -d $here/runtime && -d $here/suite ]]; then
    [[ $(uname -m) == x86_64 ]] || die "it was packed for x86_64, this is $(uname -m)"
    gpu=cuda steps=''
    [[ ${1:-} != run ]] || shift
    while (($# > 0)); do
        case $1 in
            --steps)
                (($# > 1)) || die "--steps wants part of a title"
                steps=$2
                shift
                ;;
            --fresh) rm -rf "$here/results" ;;
            --fake) gpu=fake ;; # of the check
            *) die "unknown option $1; there are --steps TEXT and --fresh" ;;
        esac
        shift
    done
    run "$here" "$gpu" "$steps"
    exit
fi

root=$(cd "$here/../.." && pwd)
cd "$root"
folder='' java='' # set below
# shellcheck source=/dev/null
. platforms/jetson/nvidia-libraries.sh

# A folder that was packed before may go; anything else may not.
new_folder() {
    if [[ -d $1/runtime && -d $1/suite ]]; then
        rm -rf "$1"
    fi
    mkdir -p "$1"
    target=$(cd "$1" && pwd)
    [[ -z $(ls -A "$target") ]] || die "$target is not empty"
}

copy_jars() {
    local app=deploy/app/target/app/lib jar
    if [[ ! -d $app ]]; then
        echo 'cuda-suite: building' >&2
        mvn -q -B -ntp -DskipTests package >&2
    fi
    mkdir "$target/lib"
    for jar in shrike-runtime shrike-jetson javacpp cuda tensorrt jackson-annotations jackson-core jackson-databind; do
        # Without a classifier: the native libraries come below, without those that nothing here needs.
        find "$app" -name "$jar-[0-9]*.jar" ! -name '*-linux-*' -exec cp {} "$target/lib/" \;
    done
    (($(find "$target/lib" -name '*.jar' | wc -l) == 8)) || die "$app has not all the jars: $(ls "$target/lib")"
    cp -r platforms/jetson/target/test-classes "$target/suite"
}

# Beside each other, as the JNI library looks for CUDA beside itself.
copy_natives() {
    local natives=$target/natives/org/bytedeco
    mkdir -p "$natives"/{cuda,javacpp}/linux-x86_64
    cp "$folder"/jni/libjni{cudart,nvrtc}.so "$folder/lib/libcudart.so.11.0" "$natives/cuda/linux-x86_64/"
    find deploy/app/target/app/lib -name 'javacpp-*-linux-x86_64.jar' \
        -exec unzip -qjo {} '*/libjnijavacpp.so' -d "$natives/javacpp/linux-x86_64" \;
    [[ -s $natives/javacpp/linux-x86_64/libjnijavacpp.so ]] || die 'the program has no libjnijavacpp.so'
}

# All that the packed libraries need is in the folder or comes with the system; the driver is the machine's.
check_natives() {
    local library missing
    find "$target/natives" "$target/runtime/lib" -name '*.so*' | while read -r library; do
        missing=$(LD_LIBRARY_PATH=$target/runtime/lib:$target/runtime/lib/server ldd "$library" \
            | sed -nE 's/^\s*(\S+) => not found.*/\1/p' | grep -vxE 'libcuda\.so\.1' || true)
        case ${library##*/}:$missing in
            *: | libjninvrtc.so:libnvrtc.so.11.2) ;; # NVRTC is used where the machine has it
            *) die "$library needs $missing" ;;
        esac
    done
}

pack() {
    local size
    [[ $(uname -m) == x86_64 ]] || die 'it is packed on x86_64, for x86_64'
    nvidia_folder
    nvidia_java
    [[ -x ${java%/java}/jlink ]] || die "$java is of no JDK: there is no jlink beside it"
    new_folder "$1"
    copy_jars
    nvidia_fetch cuda libcudart.so.11.0 libnvrtc.so.11.2 libnvrtc-builtins.so.11.8
    nvidia_jni
    nvidia_stubs cudart nvrtc
    copy_natives
    "${java%/java}/jlink" --add-modules java.base,java.logging,jdk.unsupported --strip-debug \
        --no-header-files --no-man-pages --compress zip-9 --output "$target/runtime"
    LD_LIBRARY_PATH=$folder/lib "$java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
        -cp "$target/suite:$root/deploy/app/target/app/lib/*" dev.shrike.jetson.CudaSuiteFolder "$target"
    cp "${BASH_SOURCE[0]}" "$target/cuda-suite.sh"
    check_natives
    size=$(du -s --apparent-size --block-size=1K "$target" | cut -f1)
    ((size <= most_mib * 1024)) || die "$target takes $((size / 1024)) MiB, more than $most_mib"
    echo "cuda-suite: $target takes $((size / 1024)) MiB" >&2
}

check() {
    local code=0 said
    pack "$1"
    "$target/cuda-suite.sh" --fake >"$target/../fake.md" || {
        cat "$target/../fake.md"
        die 'a step failed on a GPU that the processor plays'
    }
    grep -E '^\| ' "$target/../fake.md"
    # What passed is kept; a kernel that has changed since is only seen by a step that runs again.
    "$target/cuda-suite.sh" --fake | grep -q 'kept from an earlier run' || die 'the second run kept nothing'
    sed -i 's/^\(BGR-64x64+0-YOLO-64x64\) ./\1 x/' "$target/letterbox.txt"
    "$target/cuda-suite.sh" --fake --steps 'letterbox kernel' >"$target/../fake.md" || code=$?
    if ((code != 1)) || ! grep -q '^| letterbox kernel | failed |' "$target/../fake.md"; then
        die "a letterbox that differs was not found: exit code $code"
    fi
    if [[ ! -e /dev/nvidiactl && ! -e /dev/nvhost-ctrl ]]; then
        code=0
        said=$("$target/cuda-suite.sh" --fresh 2>&1) || code=$?
        if ((code != 2)) || ! grep -q 'no NVIDIA GPU is here' <<<"$said"; then
            die "without a GPU it ended with $code: $said"
        fi
        # With a driver of nothing, what is packed loads all the same, and CUDA itself says that it has no device.
        mkdir "$target/results/driver"
        cp "$folder/lib/libcuda.so.1" "$target/results/driver/"
        code=0
        said=$(JDK_JAVA_OPTIONS=-Dshrike.tensorrt.real=true LD_LIBRARY_PATH=$target/results/driver \
            "$target/cuda-suite.sh" 2>&1) || code=$?
        if ((code != 2)) || ! grep -q 'CUDA sees no device (error 35' <<<"$said"; then
            die "with an empty driver it ended with $code: $said"
        fi
    fi
    echo 'cuda-suite: packed, played and refused as it should be' >&2
}

case ${1:-} in
    pack)
        (($# == 2)) || die 'pack takes a FOLDER'
        pack "$2"
        echo "cuda-suite: copy $target to the machine with the GPU and run cuda-suite.sh in it" >&2
        ;;
    check)
        (($# <= 2)) || die 'check takes at most a FOLDER'
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        check "${2:-$work/packed}"
        ;;
    *) die "say pack FOLDER or check; see the head of $0" ;;
esac
