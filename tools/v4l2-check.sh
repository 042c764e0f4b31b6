#!/usr/bin/env bash
# Reads frames of a V4L2 camera that the kernel plays (driver vivid): formats, sizes, time stamps, by-path, unplugging.
#   tools/v4l2-check.sh
# Boots Debian's kernel in an emulated machine (no KVM needed) whose root is this machine's, read-only. Some minutes and
# 700 MB of disk on the first run. Needs root for apt-get, or its packages: qemu-system-x86 busybox-static cpio kmod.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[[ $(uname -m) == x86_64 ]] || { echo 'v4l2-check: for x86_64 only' >&2; exit 2; }
work=deploy/sources/target/v4l2-check
mkdir -p "$work"
work=$(cd "$work" && pwd)

packages=()
command -v qemu-system-x86_64 >/dev/null || packages+=(qemu-system-x86)
[[ -x /bin/busybox ]] || packages+=(busybox-static)
command -v cpio >/dev/null || packages+=(cpio)
command -v modinfo >/dev/null || packages+=(kmod)
((${#packages[@]} == 0)) || apt-get install -y --no-install-recommends "${packages[@]}" >&2

if [[ ! -d $work/kernel ]]; then
    image=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\).*/\1/p' | head -n 1)
    (cd "$work" && apt-get download "$image" >&2 && dpkg-deb -x linux-image-*.deb kernel.part && mv kernel.part kernel)
fi
kernel=$(echo "$work"/kernel/boot/vmlinuz-*)
modules=$(echo "$work"/kernel/lib/modules/*)

mvn -q -pl deploy/sources -am -DskipTests test-compile \
    dependency:build-classpath -Dmdep.outputFile=target/test.classpath >&2
java=$(for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release" && echo "${release%/release}/bin/java"
done | sed -n 1p)
[[ -n $java ]] || { echo 'v4l2-check: no JDK 25 or later in JAVA_HOME or /usr/lib/jvm' >&2; exit 1; }
classes=$root/deploy/sources/target/test-classes:$root/deploy/sources/target/classes:$root/runtime-java/target/classes
classes+=:$(<deploy/sources/target/test.classpath)

# A first root of busybox and the modules, in the order in which they are loaded.
initial=$work/initial
rm -rf "$initial"
mkdir -p "$initial"/{bin,modules,proc,sys,dev,host}
cp /bin/busybox "$initial/bin/"
for applet in sh mount insmod chroot poweroff mkdir ln cat echo ls; do
    ln -s busybox "$initial/bin/$applet"
done
depmod_order() {
    # The modules that $1 needs, before it.
    local file
    file=$(cd "$modules" && find . -name "$1.ko*" | head -n 1)
    [[ -n $file ]] || return 0
    find_needed "${file#./}"
}
find_needed() {
    local needed
    for needed in $(modinfo -F depends "$modules/$1" 2>/dev/null | tr ',' ' '); do
        needed=$(cd "$modules" && find . -name "${needed//_/[-_]}.ko*" -printf '%f\n' | head -n 1)
        depmod_order "${needed%%.ko*}"
    done
    grep -qxF "$1" "$work/order" || echo "$1" >>"$work/order"
}
: >"$work/order"
for module in virtio_pci 9pnet_virtio 9p vivid; do
    depmod_order "$module"
done
number=100
while read -r module; do
    name=$number-$(basename "${module%%.ko*}").ko
    case $module in
        *.xz) xz -dc "$modules/$module" >"$initial/modules/$name" ;;
        *) cp "$modules/$module" "$initial/modules/$name" ;;
    esac
    number=$((number + 1))
done <"$work/order"

cat >"$initial/init" <<'INIT'
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do
    case $module in
        *-vivid.ko) insmod "$module" n_devs=2 node_types=0x1,0x1 num_inputs=1,1 input_types=0,0 ;;
        *) insmod "$module" ;;
    esac
done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host || poweroff -f
mount -t proc proc /host/proc
mount -t sysfs sys /host/sys
mount -t devtmpfs dev /host/dev
mount -t tmpfs tmp /host/mnt
# What udev would do.
mkdir -p /host/dev/v4l/by-path
ln -s ../../video0 /host/dev/v4l/by-path/platform-vivid.0-video-index0
ln -s ../../video1 /host/dev/v4l/by-path/platform-vivid.1-video-index0
chroot /host /bin/sh "$(cat /command)"
poweroff -f
INIT
chmod +x "$initial/init"
cat >"$work/inside.sh" <<INSIDE
export HOME=/mnt TMPDIR=/mnt
"$java" -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.io.tmpdir=/mnt \\
    -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 \\
    --enable-native-access=ALL-UNNAMED -cp "$classes" dev.shrike.sources.V4l2Check
echo "v4l2-check: status \$?"
INSIDE
echo "$work/inside.sh" >"$initial/command"
(cd "$initial" && find . | cpio --quiet -o -H newc | gzip -1 >"$work/initial.gz")

timeout "${SHRIKE_V4L2_SECONDS:-1800}" qemu-system-x86_64 -machine q35,accel=tcg -cpu max -smp 2 -m 1536 -nographic \
    -no-reboot \
    -kernel "$kernel" -initrd "$work/initial.gz" -append 'console=ttyS0 quiet panic=-1' \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap </dev/null |
    sed -u 's/\r$//' | tee "$work/output"
grep -qx 'v4l2-check: status 0' "$work/output"
