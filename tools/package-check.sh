#!/usr/bin/env bash
# Checks the Debian package where it will live: in Debian trixie with systemd as init, booted in a container of
# systemd-nspawn. Installs it, starts the service on a clip that an RTSP server on this side repeats, with a Mosquitto
# beside it, breaks it in several ways, takes camera, broker and disk away, upgrades, downgrades, removes; boots once
# more with a read-only root. tools/package-check/ says what must hold.
#   tools/package-check.sh [--deb FILE] [--program FILE] [--ready SECONDS] [--stop SECONDS] [--away SECONDS]
#           [--events N]
#       --deb      the package; without it, builds it (mvn -Pdeb package), a second time as well to compare the bytes
#       --program  the command that makes the model for the service; ./shrike if it does not say
#       --ready    most seconds from the start to READY, the best of three, 3 if it does not say
#       --stop     most seconds that stopping takes, the best of three, 1 if it does not say
#       --away     seconds that the broker is away at least, 20 if it does not say
#       --events   events that must have been made by then, 2000 if it does not say; 20,000 are about what the default
#                  bound holds
#   tools/package-check.sh --arm64 [--deb FILE]
#       installs and runs the arm64 package once in an emulated arm64 Debian, without the start cache, which takes
#       minutes there; twenty minutes the first time, so not part of .ci/run
# needs: root, what building needs, mmdebstrap, systemd-container, lintian, util-linux, procps, for the camera
# gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-{base,good,bad}; and for --arm64 qemu-user-static and a
# kernel with binfmt_misc. Where nspawn cannot boot anything, it says so and only does what a chroot can.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deb='' program=$root/shrike ready=3 stop=1 away=20 events=2000 arm64=false
while (($#)); do
    case $1 in
        --arm64)
            arm64=true
            shift
            continue
            ;;
        --deb) deb=$(readlink -f "$2") ;;
        --program) program=$2 ;;
        --ready | --stop | --away | --events)
            [[ ${2:-} =~ ^[0-9]+$ ]] || { echo "package-check: $1 needs a number" >&2; exit 2; }
            declare "${1#--}=$2"
            ;;
        *)
            sed -n '2,/^set/{/^set/d;s/^# \?//p;}' "${BASH_SOURCE[0]}"
            exit 2
            ;;
    esac
    shift 2
done

say() { echo "package-check: $*" >&2; }
fail() {
    say "$*"
    exit 1
}
((EUID == 0)) || fail 'needs root: sudo tools/package-check.sh'

work=$(mktemp -d)
emulation='' emulated=() follower=''
# shellcheck disable=SC2317 # by the trap
finish() {
    local mounted
    if [[ -n $follower ]]; then
        kill "$follower" 2>/dev/null || true
        wait "$follower" || true
    fi
    if [[ -n $emulation ]]; then
        echo -1 >"$emulation" || true
    fi
    while read -r mounted; do
        umount "$mounted" || true
    done < <(awk -v w="$work/" 'index($2, w) == 1 { print $2 }' /proc/mounts | sort -r)
    rm -rf "$work"
}
trap finish EXIT

# build OPTIONS...: prints the package.
build() {
    (cd "$root" && mvn -B -ntp -q -DskipTests "$@" package >&2)
}

# tree ARCH PACKAGES: prints an archive of a trixie with these packages, made on the first call and kept in the cache.
tree() {
    local archive fresh address
    archive=${XDG_CACHE_HOME:-$HOME/.cache}/shrike/$1-trixie-$(printf %s "$2" | sha256sum | cut -c1-12).tar
    if [[ ! -s $archive ]]; then
        say "making a Debian trixie for $1"
        # The archive that holds the distribution itself, as apt reads its own sources.
        # shellcheck disable=SC2016 # $(…) are apt's own fields
        address=${SHRIKE_DEBIAN_MIRROR:-$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(COMPONENT)' \
            'Created-By: Packages' | awk '$2 == "main" && $1 ~ /\/debian\/?$/ { print $1; exit }')}
        [[ -n $address ]] || fail 'no Debian mirror among the sources of apt; set SHRIKE_DEBIAN_MIRROR'
        mkdir -p "$(dirname "$archive")"
        fresh=$archive.$$
        mmdebstrap --quiet --mode=root --format=tar --arch="$1" --variant=minbase --include="$2" \
            --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
            trixie "$fresh" "deb $address trixie main" >&2 || fail "cannot make a Debian trixie for $1"
        mv "$fresh" "$archive"
    fi
    echo "$archive"
}

# Emulation of arm64 for as long as this runs: the kernel hands arm64 programs to qemu.
emulate() {
    local handlers=/proc/sys/fs/binfmt_misc
    [[ -e $handlers/register ]] || mount -t binfmt_misc binfmt_misc "$handlers" || fail 'the kernel has no binfmt_misc'
    if ! grep -qls aarch64 "$handlers"/*aarch64*; then
        printf '%s' ':shrike-aarch64:M::\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00' \
            '\x02\x00\xb7\x00:' \
            '\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:' \
            "$(command -v qemu-aarch64-static)" ':OCF' >"$work/handler"
        cat "$work/handler" >"$handlers/register" || fail 'cannot register the emulator'
        emulation=$handlers/shrike-aarch64
    fi
}

# in_chroot COMMAND...: in the tree $work/root, with a home of its own, as what a user caches is no part of the package.
in_chroot() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/check LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        "${emulated[@]}" chroot "$work/root" "$@" </dev/null
}

unpack() {
    mkdir -p "$work/root"
    tar -C "$work/root" -xf "$1"
    mount -t proc proc "$work/root/proc"
    mount -t sysfs -o ro sysfs "$work/root/sys" 2>/dev/null || true
    mkdir -p "$work/root/check"
}

# What a package must do without systemd: install, run, and go.
check_in_chroot() {
    local left
    cp "$deb" "$work/root/check/shrike.deb"
    find "$work/root" -xdev -path "$work/root/check" -prune -o -name '*shrike*' -print | sort >"$work/before"
    in_chroot apt-get -qq install -y /check/shrike.deb >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; return 1; }
    in_chroot shrike --version
    in_chroot id shrike
    [[ -n ${emulated[*]} ]] || compgen -G "$work/root/usr/lib/shrike/start-*.aot" >/dev/null \
        || { say 'no start cache'; return 1; }
    if [[ -d $work/root/check/images ]]; then
        in_chroot shrike detect --weights /check/model.shrike --nosave --json --threads 1 /check/images \
            >"$work/found.jsonl"
        grep -q '"label"' "$work/found.jsonl" || { say 'nothing is found on the images'; return 1; }
        echo "detected: $(grep -o '"label": *"[^"]*"' "$work/found.jsonl" | sort | uniq -c | xargs)"
    fi
    in_chroot apt-get -qq purge -y shrike >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; return 1; }
    left=$(find "$work/root" -xdev \( -path "$work/root/check" -o -path "$work/root/var/lib/dpkg" \
        -o -path "$work/root/var/log" \) -prune -o -name '*shrike*' -print | sort | comm -13 "$work/before" -)
    [[ -z $left ]] || { say "purging leaves $left"; return 1; }
    echo 'installed, run, purged: nothing is left'
}

# What the service detects with, and on what: a model of the registry and photographs.
make_model() {
    local photographs
    mkdir -p "$work/check/images"
    photographs=("${XDG_CACHE_HOME:-$HOME/.cache}"/shrike/samples/*.jpg)
    [[ -e ${photographs[0]} ]] || (cd "$work" && "$program" detect --nosave >/dev/null 2>&1)
    photographs=("${XDG_CACHE_HOME:-$HOME/.cache}"/shrike/samples/*.jpg)
    cp "${photographs[0]}" "$work/check/images/photograph.jpg"
    "$program" build yolov5s --imgsz 320 -o "$work/check/model.shrike" >/dev/null 2>&1 || fail 'no model'
    chmod -R a+rX "$work/check"
}

if [[ $arm64 == true ]]; then
    emulate
    # The compiler that works longest costs more there than it gains.
    emulated=(QEMU_CPU=cortex-a72 SHRIKE_NO_START_CACHE=1 "SHRIKE_JAVA_OPTIONS=-XX:TieredStopAtLevel=1")
    if [[ -z $deb ]]; then
        build -Pdeb,aarch64
        deb=$(echo "$root"/deploy/packaging/target/aarch64/shrike_*_arm64.deb)
    fi
    packages=openjdk-25-jre-headless,systemd-standalone-sysusers,libstdc++6
    unpack "$(tree arm64 "$packages")"
    make_model
    cp -r "$work/check/." "$work/root/check/"
    check_in_chroot
    exit
fi

if [[ -z $deb ]]; then
    say 'building the package twice'
    build -Pdeb
    deb=$(echo "$root"/deploy/packaging/target/shrike_*_"$(dpkg --print-architecture)".deb)
    cp "$deb" "$work/first.deb"
    build -Pdeb
    cmp "$work/first.deb" "$deb" || fail 'two builds give different packages'
    echo 'two builds give the same bytes'
fi
dpkg-deb -c "$deb" >"$work/contents"
grep -q '/usr/share/doc/shrike/sbom.cdx.json$' "$work/contents" \
    || fail 'the package has no list of its parts, which Maven only makes online'
say 'lintian'
lintian --allow-root --fail-on error "$deb" || fail 'lintian finds errors'

/usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' 2>/dev/null \
    || fail 'no RTSP server here: install gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-{base,good,bad}'
make_model
packages=systemd-sysv,dbus,udev,openjdk-25-jre-headless,mosquitto,mosquitto-clients,procps
unpack "$(tree "$(dpkg --print-architecture)" "$packages")"
umount "$work/root/proc" "$work/root/sys" 2>/dev/null || true

# boot SECONDS OPTIONS...: boots the tree; needs a terminal (script), and no machined.
boot() {
    local limit=$1
    shift
    UNIFIED_CGROUP_HIERARCHY=1 timeout "$limit" script -qec "systemd-nspawn -q -D '$work/root' --boot --register=no \
        --keep-unit --private-network --bind='$work/check:/check' $*" /dev/null </dev/null >"$work/console.log" 2>&1 \
        || true
}

# Process 1 of the container.
init_of_container() {
    local candidate
    for candidate in $(pgrep -x systemd-nspawn); do
        if grep -qaF "$work/root" "/proc/$candidate/cmdline"; then
            pgrep -P "$candidate" | head -n 1
        fi
    done
}

# The camera: an RTSP server on the loopback address of the container, as this side has what that needs. It becomes what
# the container writes to check/camera.wanted (on, off, frozen); check/camera says what it is.
follow_camera() {
    local wanted is=off server=''
    trap '[[ -z $server ]] || kill -KILL "$server"' EXIT
    trap exit TERM
    while sleep 0.2; do
        wanted=$(cat "$work/check/camera.wanted" 2>/dev/null || echo off)
        case $is-$wanted in
            on-on | off-off | frozen-frozen | off-frozen) continue ;;
            on-off | frozen-off)
                kill -KILL "$server"
                wait "$server" 2>/dev/null || true
                server=''
                ;;
            on-frozen) kill -STOP "$server" ;;
            frozen-on) kill -CONT "$server" ;;
            off-on)
                : >"$work/camera.log"
                nsenter --net="/proc/$(init_of_container)/ns/net" /usr/bin/python3 \
                    "$root/tools/rtsp-server.py" 8554 --rate 10/1 --photograph "$work/check/images/photograph.jpg" \
                    >"$work/camera.log" 2>&1 &
                server=$!
                until grep -q '^ready' "$work/camera.log"; do
                    kill -0 "$server" || { cat "$work/camera.log" >&2; exit 1; }
                    sleep 0.1
                done
                ;;
            *) continue ;; # half written
        esac
        is=$wanted
        echo "$is" >"$work/check/camera"
    done
}

# A unit that does the steps and ends the machine.
cat >"$work/root/etc/systemd/system/package-check.service" <<END
[Unit]
After=multi-user.target mosquitto.service
[Service]
Type=oneshot
Environment=READY_SECONDS=$ready STOP_SECONDS=$stop AWAY_SECONDS=$away EVENTS=$events NEWER=9.9.9
ExecStart=/bin/sh -c '/bin/bash /check/inside.sh "\$\$(cat /check/steps)" >/check/result 2>&1'
ExecStopPost=/bin/systemctl --no-block poweroff
END
mkdir -p "$work/root/etc/systemd/system/graphical.target.wants"
ln -sf ../package-check.service "$work/root/etc/systemd/system/graphical.target.wants/package-check.service"
cp "$root"/tools/package-check/*.sh "$work/check/"
# The broker keeps all that waits for a listener that is not there, as it keeps 1,000 messages by itself.
echo 'max_queued_messages 0' >"$work/root/etc/mosquitto/conf.d/package-check.conf"
cp "$deb" "$work/check/shrike.deb"
# The next version, of the same files: what an upgrade does, not what it brings.
dpkg-deb -R "$deb" "$work/newer"
sed -i 's/^Version: .*/Version: 9.9.9/' "$work/newer/DEBIAN/control"
dpkg-deb -Znone -b "$work/newer" "$work/check/shrike-newer.deb" >/dev/null
rm -rf "$work/newer"

# run_steps SECONDS STEPS OPTIONS...: boots, prints what held, fails if anything did not or the end was not reached.
run_steps() {
    local limit=$1
    echo "$2" >"$work/check/steps"
    shift 2
    rm -f "$work/check/result" "$work/check/camera"
    echo off >"$work/check/camera.wanted"
    follow_camera &
    follower=$!
    boot "$limit" "$@"
    kill "$follower" 2>/dev/null || true
    wait "$follower" || true
    follower=''
    if [[ ! -s $work/check/result ]]; then
        return 3
    fi
    cat "$work/check/result"
    grep -q '^== end' "$work/check/result" || { tail -n 30 "$work/console.log" >&2; fail 'it did not come to its end'; }
    ! grep -q '^FAIL' "$work/check/result" || fail 'what stands behind FAIL above does not hold'
}

status=0
run_steps 1200 'install start survive camera broker disk upgrade' || status=$?
if ((status == 3)); then
    tail -n 5 "$work/console.log" >&2
    say 'SKIPPED: systemd-nspawn cannot boot anything on this machine (see above); installing in a chroot only'
    mount -t proc proc "$work/root/proc"
    check_in_chroot
    exit
fi
((status == 0)) || exit "$status"
run_steps 480 readonly --volatile=state
run_steps 480 remove
say 'all of it holds'
