#!/usr/bin/env bash
# For scripts that count what aarch64 programs execute; to be sourced, with native/ as the current folder.

# Unpacks packages of the distribution into folder $1, not installing them; $2 is a file that they bring.
unpack_packages() {
    local folder=$1 brought=$2
    shift 2
    [[ ! -e $folder/$brought ]] || return 0
    mkdir -p "$folder/packages"
    (
        cd "$folder/packages"
        apt-get download "$@"
        for package in ./*.deb; do
            dpkg-deb -x "$package" ..
        done
    ) > "$folder/packages.log" 2>&1 || { cat "$folder/packages.log" >&2; return 1; }
    rm -rf "$folder/packages"
}

# Sets `emulator` to a QEMU that takes plugins: the dynamically linked qemu-aarch64 of Debian's package qemu-user, which
# QEMU_AARCH64 names or which is unpacked below build/.
find_emulator() {
    emulator=${QEMU_AARCH64:-}
    if [[ -z $emulator ]]; then
        unpack_packages build/qemu usr/bin/qemu-aarch64 qemu-user libcapstone4 liburing2
        emulator=$PWD/build/qemu/usr/bin/qemu-aarch64
    fi
    add_libraries build/qemu
}

# Lets programs find the libraries below folder $1.
add_libraries() {
    local libraries
    for libraries in "$PWD/$1"/usr/lib/*-linux-gnu; do
        export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    done
}
