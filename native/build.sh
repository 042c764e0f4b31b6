#!/usr/bin/env bash
# Builds the native library: native/build.sh PRESET [ctest]. Presets: linux-x86_64, linux-aarch64, asan, bench.
set -euo pipefail
cd "$(dirname "$0")"
preset=${1:?usage: native/build.sh PRESET [ctest]}

need() {
    command -v "$1" > /dev/null && return
    echo "native: $1 is missing; on Debian and Ubuntu: sudo apt-get install $2" >&2
    exit 1
}
need cmake cmake
need make make
version=$(cmake --version | sed -n '1s/[^0-9]*//p')
if [[ $(printf '%s\n' 3.21 "$version" | sort -V | sed -n 1p) != 3.21 ]]; then
    echo "native: cmake $version is too old, 3.21 or later is needed (python3 -m pip install cmake brings one)" >&2
    exit 1
fi
if [[ $preset == linux-aarch64 && $(uname -m) != aarch64 ]]; then
    need aarch64-linux-gnu-gcc "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
elif [[ -z ${CC:-} ]]; then
    need gcc "gcc libc6-dev"
fi

# The arm64 tree, if there is one (arm64-root.sh), brings ARM Compute Library; its address may change.
options=()
if [[ $preset == linux-aarch64 && $(uname -m) != aarch64 ]]; then
    options=(-USHRIKE_ACL_* -DSHRIKE_ARM64_ROOT="${SHRIKE_ARM64_ROOT-$(./arm64-root.sh --made)}")
fi

log=build/$preset.log
mkdir -p build
if ! { cmake --preset "$preset" "${options[@]}" && cmake --build --preset "$preset"; } > "$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
grep -E 'warning:' "$log" >&2 || true
if [[ ${2:-} == ctest ]]; then
    if [[ $preset == linux-aarch64 && $(uname -m) != aarch64 ]]; then
        need qemu-aarch64-static qemu-user-static
    fi
    ctest --preset "$preset"
fi
