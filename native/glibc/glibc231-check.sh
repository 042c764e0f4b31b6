#!/usr/bin/env bash
# Loads libshrike.so on a system with glibc 2.31 (Debian 11, as old as JetPack 5) and runs load_check.c there:
# native/glibc/glibc231-check.sh [x86_64] [aarch64]; both unless named. The trees are made on the first call and kept
# in the cache; nothing of them is needed to build the library.
# needs: mmdebstrap arch-test debian-archive-keyring and a Debian mirror among apt's sources (or SHRIKE_DEBIAN_MIRROR),
# a compiler, and for aarch64 gcc-aarch64-linux-gnu and qemu-user-static.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check() {
    local arch=$1 compiler=$2 tree folder run=() start
    case $arch in
        aarch64) tree=$(./arm64-root.sh --suite bullseye arm64 libc6-dev,libgcc-10-dev) start=ld-linux-aarch64.so.1 ;;
        x86_64) tree=$(./arm64-root.sh --suite bullseye amd64 libc6-dev,libgcc-10-dev) start=ld-linux-x86-64.so.2 ;;
    esac
    ./build.sh "linux-$arch"
    folder=$arch-linux-gnu
    # The start files and libraries of the old system, so the program itself asks for nothing newer.
    "$compiler" -O2 -Iinclude -nostdlib -nostartfiles -no-pie -o "$work/$arch" \
        "$tree/usr/lib/$folder/crt1.o" "$tree/usr/lib/$folder/crti.o" glibc/load_check.c \
        "build/linux-$arch/lib/libshrike.so" "$tree/lib/$folder/libm.so.6" "$tree/lib/$folder/libc.so.6" \
        "$tree/usr/lib/$folder/libc_nonshared.a" -lgcc "$tree/usr/lib/$folder/crtn.o" -Wl,--allow-shlib-undefined
    if [[ $(uname -m) != "$arch" ]]; then
        run=(qemu-aarch64-static -cpu cortex-a72)
    fi
    LC_ALL=C "${run[@]}" "$tree/lib/$folder/$start" --library-path "$PWD/build/linux-$arch/lib:$tree/lib/$folder" \
        "$work/$arch"
    echo "$arch: $(basename "$(readlink -f "$tree/lib/$folder/libc.so.6")")"
}

for arch in "${@:-x86_64 aarch64}"; do
    for name in $arch; do
        case $name in
            "$(uname -m)") check "$name" gcc ;;
            aarch64) check "$name" aarch64-linux-gnu-gcc ;;
            *)
                echo "glibc231-check.sh: $name is neither aarch64 nor this machine's $(uname -m)" >&2
                exit 2
                ;;
        esac
    done
done
