#!/usr/bin/env bash
# Prints the folder of a Debian 13 arm64 tree with JDK 25's runtime and ARM Compute Library, made on the first call and
# kept in the cache. With --made it makes nothing: the line is empty where there is no tree yet.
# Nothing in it runs while it is made: packages are only unpacked. Programs run from it with
#   qemu-aarch64-static -cpu cortex-a72 -L TREE TREE/usr/bin/…
# needs: mmdebstrap arch-test debian-archive-keyring, and a Debian mirror among the machine's apt sources
# (or SHRIKE_DEBIAN_MIRROR, the address of one).
set -euo pipefail

# --suite SUITE ARCH PACKAGES prints another tree made in the same way, such as bullseye, arm64.
packages=openjdk-25-jre-headless,libarm-compute43,libarm-compute-dev,libc6,libgcc-s1,libgomp1,libstdc++6,zlib1g
packages=$packages,bash,coreutils
suite=trixie
arch=arm64
if [[ ${1:-} == --suite ]]; then
    suite=$2 arch=$3 packages=$4
fi
# The name holds what went in, so a changed list makes a new tree and an interrupted run leaves none.
tree=${XDG_CACHE_HOME:-$HOME/.cache}/shrike/$arch-$suite-$(printf %s "$packages" | sha256sum | cut -c1-12)

fail() {
    echo "arm64-root: $*" >&2
    exit 1
}

# The archive that holds the distribution itself, not its security updates, as apt reads its own sources files.
mirror() {
    # shellcheck disable=SC2016 # $(…) are apt's own fields
    apt-get indextargets --no-release-info --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' \
        | awk '$2 == "main" && $1 ~ /\/debian\/?$/ { print $1; exit }'
}

# An absolute link would lead out of the tree: the JDK's conf is one.
relative_links() {
    local link target
    find "$1" -xdev -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
        target=$(readlink "$link")
        ln -sfn "$(realpath -m --relative-to="$(dirname "$link")" "$1$target")" "$link"
    done
}

if [[ -d $tree ]]; then
    echo "$tree"
    exit 0
elif [[ ${1:-} == --made ]]; then
    exit 0
fi
command -v mmdebstrap >/dev/null || fail "mmdebstrap is missing: apt-get install mmdebstrap arch-test"
address=${SHRIKE_DEBIAN_MIRROR:-$(mirror)}
[[ -n $address ]] || fail "no Debian mirror among apt's sources; set SHRIKE_DEBIAN_MIRROR"

mkdir -p "$(dirname "$tree")"
fresh=$(mktemp -d "$tree.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
# A mirror frozen at some day serves as well, hence no check of the release file's last day.
mmdebstrap --quiet --arch="$arch" --variant=extract --include="$packages" \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
    "$suite" "$fresh/root" "deb $address $suite main" >&2
relative_links "$fresh/root"
# Another run may have been quicker.
mv -T "$fresh/root" "$tree" 2>/dev/null || [[ -d $tree ]] || fail "cannot write $tree"
echo "$tree"
