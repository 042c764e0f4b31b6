#!/usr/bin/env bash
# Runs inside the booted Debian of tools/package-check.sh, as root: inside.sh STEPS; what holds is told on the output as
# "ok: …", what does not as "FAIL: …". Files: /check/*.deb, /check/model.shrike. More steps are in faults.sh.
set -uo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
readonly config=/etc/shrike/config.yaml
readonly kept=/var/cache/shrike/engines-of-the-check

ok() { echo "ok: $*"; }
bad() {
    echo "FAIL: $*"
    journalctl --no-pager -n 12 -u shrike.service 2>&1 | cut -c1-300 | sed 's/^/    /'
}

# holds WHAT COMMAND...
holds() {
    local what=$1
    shift
    if "$@"; then
        ok "$what"
    else
        bad "$what"
        return 1
    fi
}

# within SECONDS COMMAND...: whether it succeeds in time.
within() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < until)) || return 1
        sleep 0.1
    done
}

value() { systemctl show -P "$1" shrike.service; }
state_is() { [[ $(value ActiveState) == "$1" ]]; }
active() { state_is active; }
other_process() { active && [[ $(value MainPID) != "$1" && $(value MainPID) != 0 ]]; }
journal_has() { journalctl -u shrike.service | grep -- "$1" >/dev/null; }
milliseconds() { echo $((($2 - $1) / 1000)); }
now() { echo $(($(date +%s%N) / 1000)); }

apt_install() {
    # A question would find nobody.
    apt-get -qq install -y --allow-downgrades "$1" </dev/null >/check/apt.log 2>&1 || {
        cat /check/apt.log
        return 1
    }
}

# Every path outside what changes by itself and what dpkg and apt write about any package.
paths() {
    find / -xdev \( -path /check -o -path /proc -o -path /sys -o -path /run -o -path /dev -o -path /tmp \
        -o -path /var/log -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache/apt \
        -o -path /var/cache/debconf -o -path /var/lib/systemd -o -path /var/tmp -o -path /var/lib/mosquitto \
        -o -path /var/cache/ldconfig \
        -o -name '*.pyc' -o -path '/etc/*-' -o -path /etc/.pwd.lock \) -prune -o -print | sort
}

write_config() {
    cat >"$config" <<END
model:
  weights: /check/model.shrike
cameras:
  street:
    source: rtsp://127.0.0.1:8554/live
outputs:
  mqtt:
    broker: mqtt://127.0.0.1:1883
    frames: true
# changed by the administrator
END
}

# arrives SECONDS TOPIC TEXT: whether a message with that text comes to the broker in time.
arrives() {
    grep -m 1 -- "$3" < <(mosquitto_sub -h 127.0.0.1 -R -W "$1" -t "$2" 2>/dev/null) >/dev/null
}

# Whether a frame with something on it comes to the broker within the seconds given.
detections() { arrives "$1" shrike/street/frame '"label":'; }

# camera on|off|frozen: has the camera become that, by the script outside.
camera() {
    echo "$1" >/check/camera.wanted
    within 60 grep -qsx "$1" /check/camera || bad "the camera cannot be switched $1"
}

# board COMPATIBLE WANTED: which profile is chosen where the device tree says COMPATIBLE, and whether it can be used.
board() {
    mkdir -p /tmp/tree
    printf '%b' "$1" >/tmp/tree/compatible
    SHRIKE_DEVICE_TREE=/tmp/tree /usr/lib/shrike/choose-board >/dev/null
    holds "board ${1%%\\*}: $2" test "$(readlink /usr/lib/shrike/board)" = "boards/$2"
    holds "$2: its defaults and options of the JVM can be used" shrike serve --check=config
}

boards() {
    board 'raspberrypi,4-model-b\0brcm,bcm2711\0' raspberry-pi-4b
    board 'nvidia,p3509-0000+p3668-0000\0nvidia,tegra194\0' jetson-xavier-nx
    board 'raspberrypi,5-model-b\0brcm,bcm2712\0' generic
    echo jetson-xavier-nx >/etc/shrike/board
    board 'raspberrypi,4-model-b\0' jetson-xavier-nx
    echo ../generic >/etc/shrike/board
    board 'raspberrypi,4-model-b\0' raspberry-pi-4b
    rm /etc/shrike/board
    /usr/lib/shrike/choose-board unknown 2>/dev/null && bad 'an unknown board is refused'
    /usr/lib/shrike/choose-board generic
}

step_install() {
    paths >/check/before
    apt_install /check/shrike.deb || bad 'installs'
    holds 'the user is made and is in the groups of cameras and graphics processors' \
        test "$(id -nG shrike | tr ' ' '\n' | sort | xargs)" = 'render shrike video'
    holds 'the service is neither enabled nor started' test "$(systemctl is-enabled shrike.service)" = disabled
    holds 'a start cache is made' compgen -G '/usr/lib/shrike/start-*.aot' \
        || grep -v '\[aot\]' /usr/lib/shrike/start-cache.log | tail -n 5
    holds 'the board is told' test "$(readlink /usr/lib/shrike/board)" = boards/generic
    holds 'nothing is unpacked into the home of root' test ! -e /root/.javacpp -a ! -e /root/.cache
    holds 'the command runs' shrike --version
    holds 'the shipped configuration can be used' shrike serve --check=config
    # Its exit status is 0 whatever it finds; the pages are there, but man is not.
    systemd-analyze verify shrike.service 2>&1 | grep -v "Command 'man " >/check/verify
    cat /check/verify
    holds 'systemd finds nothing in the unit' test ! -s /check/verify
    local exposure
    exposure=$(systemd-analyze security --no-pager shrike.service \
        | sed -n 's/.*Overall exposure level.*: \([0-9.]*\).*/\1/p')
    holds "exposure $exposure, at most 2.5" awk -v e="$exposure" 'BEGIN { exit !(e != "" && e <= 2.5) }'
    boards
    bash -n /usr/share/bash-completion/completions/shrike || bad 'bash reads the completion'
}

step_start() {
    local try began took best=999999 quickest=999999
    write_config
    camera on
    mkdir -p /var/cache/shrike
    date >"$kept"
    for try in 1 2 3; do
        began=$(now)
        timeout 120 systemctl start shrike.service || bad 'starts'
        took=$(milliseconds "$began" "$(now)")
        echo "start $try: READY after $took ms, $(($(value CPUUsageNSec) / 1000000)) ms of a processor"
        ((took >= best)) || best=$took
        active || { bad 'is active'; return; }
        began=$(now)
        systemctl stop shrike.service
        took=$(milliseconds "$began" "$(now)")
        echo "stop $try: ended after $took ms, $(value Result)"
        ((took >= quickest)) || quickest=$took
        holds 'SIGTERM is no failure' test "$(value Result)" = success
    done
    holds "READY in $best ms at best, at most $((READY_SECONDS * 1000))" test "$best" -le "$((READY_SECONDS * 1000))"
    holds "ends in $quickest ms at best, at most $((STOP_SECONDS * 1000))" \
        test "$quickest" -le "$((STOP_SECONDS * 1000))"
    systemctl enable --now shrike.service 2>/dev/null
    holds 'detections of the RTSP clip arrive at the broker' detections 60
    holds 'so does what becomes of objects' arrives 60 shrike/events '"type":"new"'
    holds 'it says how it does' test -n "$(value StatusText)"
}

step_survive() {
    local pid restarts began
    pid=$(value MainPID)
    active || { bad 'the service does not run'; return; }
    printf 'model:\n  weigths: /check/model.shrike\n' >"$config"
    systemctl reload shrike.service
    holds 'a reload with a wrong configuration keeps the process' test "$(value MainPID)" = "$pid"
    holds 'and detections go on' detections 30
    holds 'the journal names the wrong key' within 10 journal_has weigths
    write_config
    holds 'the next reload is taken' systemctl reload shrike.service
    holds 'by the same process' test "$(value MainPID)" = "$pid"

    restarts=$(value NRestarts)
    kill -KILL "$pid"
    holds 'SIGKILL: runs again' within 60 other_process "$pid"
    holds 'and was counted' test "$(value NRestarts)" -gt "$restarts"

    pid=$(value MainPID)
    began=$(now)
    kill -STOP "$pid"
    holds 'frozen: the watchdog starts it again' within 150 other_process "$pid"
    echo "watchdog: $(milliseconds "$began" "$(now)") ms"
    holds 'it was the watchdog' journal_has 'Watchdog timeout'
    holds 'no core was written' test -z "$(find / -xdev -name 'core*' -size +1M -newer /check/before 2>/dev/null)"
    holds 'and detections go on' detections 60

}

# upgraded WHAT DEB VERSION
upgraded() {
    local what=$1 pid
    pid=$(value MainPID)
    active || { bad "$what: the service does not run"; return; }
    apt_install "$2" || bad "$what"
    holds "$what: the version is $3" test "$(dpkg-query -W -f '${Version}' shrike)" = "$3"
    holds "$what: the running service is another process" within 60 other_process "$pid"
    holds "$what: still enabled" test "$(systemctl is-enabled shrike.service)" = enabled
    holds "$what: keeps the configuration" grep -q 'changed by the administrator' "$config"
    holds "$what: keeps the cache of engines" test -s "$kept"
    holds "$what: detections go on" detections 60
}

step_upgrade() {
    upgraded upgrade /check/shrike-newer.deb "$NEWER"
    upgraded downgrade /check/shrike.deb "$(dpkg-deb -f /check/shrike.deb Version)"
}

step_remove() {
    # An administrator's part of the unit, a changed profile, and secrets go as well.
    mkdir -p /etc/systemd/system/shrike.service.d
    printf '[Service]\nNice=5\n' >/etc/systemd/system/shrike.service.d/nice.conf
    echo 'A=b' >/etc/shrike/environment
    apt-get -qq remove -y shrike </dev/null >/check/apt.log 2>&1 || bad 'removes'
    holds 'removing keeps the configuration' test -s "$config"
    holds 'removing ends the service' test -z "$(pgrep -u shrike 2>/dev/null)"
    apt-get -qq purge -y shrike </dev/null >/check/apt.log 2>&1 || bad 'purges'
    paths >/check/after
    diff /check/before /check/after >/check/left
    grep -E '^>' /check/left
    holds 'purging leaves nothing' test -z "$(grep -E '^>' /check/left)"
    holds 'no user either' test -z "$(getent passwd shrike)"
    holds 'no unit that failed' test -z "$(systemctl list-units --all --no-legend 'shrike*')"
}

# The second boot: / is read-only and /var is empty memory.
step_readonly() {
    camera on
    holds 'the root is read-only' eval '! touch /usr/x 2>/dev/null'
    holds 'read-only root: starts at boot' within 90 active
    holds 'read-only root: detections arrive' detections 60
    holds 'read-only root: no failure' test "$(value NRestarts)" = 0
}

# shellcheck source=tools/package-check/faults.sh
source "${BASH_SOURCE[0]%/*}/faults.sh"
for step in $1; do
    echo "== $step"
    began=$SECONDS
    "step_$step"
    echo "-- $step: $((SECONDS - began)) s"
done
echo "== end"
