#!/usr/bin/env bash
# Runs "shrike serve" as it will be run and does to it what happens to services: hostile clients, broken
# configurations, a full disk, signals. Prints what held, and fails if something did not.
#
#   tools/service-check.sh [MODEL]   MODEL is a file or name (default: yolov5s, fetched if need be)
#
#   SHRIKE_CHECK_FUZZED    damaged requests to send (default: 100000)
#   SHRIKE_CHECK_SECONDS   longest time for them (default: 60)
#   SHRIKE_CHECK_IMAGE_SIZE  side of the network's input (default: 320)
#   SHRIKE_CHECK_COMMAND   what to run instead of ./shrike
# Functions are called by trap and by other functions that take a command.
# shellcheck disable=SC2317
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
model=${1:-yolov5s}
read -r -a shrike <<<"${SHRIKE_CHECK_COMMAND:-$root/shrike}"
work=$(mktemp -d)
pid=''
mounted=''
failed=0

clean_up() {
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
    [[ -z $mounted ]] || umount "$mounted" || true
    rm -rf "$work"
}
trap clean_up EXIT

held() {
    printf 'ok    %s\n' "$1"
}

bad() {
    printf 'FAILED %s\n' "$1"
    failed=1
}

# expect GOOD BAD COMMAND…: prints GOOD if the command succeeds, else BAD.
expect() {
    local good=$1 wrong=$2
    shift 2
    if "$@"; then held "$good"; else bad "$wrong"; fi
}

# Waits up to $1 seconds until the command after it succeeds.
within() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < until)) || return 1
        sleep 0.1
    done
}

now() {
    local nanos
    nanos=$(date +%s%N)
    echo $((nanos / 1000000))
}

port=$((20000 + RANDOM % 20000))
export CHECK_TOKEN=token-7d1f0c5e9a3b CHECK_PASSWORD=password-4c8e21 CHECK_BROKER=broker-91ab7f
mkdir "$work/state" "$work/out"
config=$work/config.yaml

# Writes the configuration; $1 is appended.
write_config() {
    cat >"$config" <<END
model: {weights: "$model", image_size: ${SHRIKE_CHECK_IMAGE_SIZE:-320}}
cameras:
  front: {source: "test://pattern?size=640x480&fps=15"}
  away: {source: "rtsp://viewer:literal-55aa77@127.0.0.1:9/none"}
  other: {source: "rtsp://127.0.0.1:9/none", user: viewer, password: "{CHECK_PASSWORD}"}
outputs:
  file: {path: $work/out/results.jsonl, rotate_megabytes: 1, keep: 1}
  socket: {path: $work/out/socket}
  mqtt: {broker: "mqtt://127.0.0.1:9", user: box, password: "{CHECK_BROKER}"}
page:
  port: $port
  token: "{CHECK_TOKEN}"
  preview: {fps: 5, width: 320}
limits: {streams: 100}
END
    printf '%s\n' "${1:-}" >>"$config"
}

# Starts the service with what is written to its error output in log $1.
start() {
    STATE_DIRECTORY=$work/state "${shrike[@]}" serve --config "$config" >"$work/out/stdout" 2>"$work/out/$1" &
    pid=$!
    within 120 grep -qs "^ready: " "$work/out/$1" || {
        cat "$work/out/$1"
        bad 'the service does not become ready'
        exit 1
    }
}

stop() {
    local began code=0
    began=$(now)
    kill -TERM "$pid"
    wait "$pid" || code=$?
    pid=''
    if ((code == 0 && $(now) - began <= ${SHRIKE_CHECK_STOP_MILLIS:-1000})); then
        held "SIGTERM: ended after $(($(now) - began)) ms with 0"
    else
        bad "SIGTERM: ended after $(($(now) - began)) ms with $code"
    fi
}

get() {
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n' \
        "$1" "$CHECK_TOKEN" >&3
    cat <&3
    exec 3>&-
}

size_of_results() {
    cat "$work"/out/results.jsonl* 2>/dev/null | wc -c
}

write_config
start err1
expect 'results are written' 'no results are written' within 20 test -s "$work/out/results.jsonl"

# Configurations that cannot be used: each ends a start with 2, and a reload keeps the old one.
# A bomb by its name.
bomb() {
    case $1 in
        brackets) printf '%05000d' 0 | tr 0 '[' ;;
        braces) printf '%05000d' 0 | tr 0 '{' ;;
        self) printf 'a: &a [*a]\n' ;;
        laughs)
            echo 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
            for i in $(seq 1 12); do
                echo "a$i: &a$i [*a$((i - 1)), *a$((i - 1)), *a$((i - 1)), *a$((i - 1)), *a$((i - 1))]"
            done
            ;;
        large) printf '#%0300000d' 0 ;;
        bytes) head -c 3000 /dev/urandom ;;
        key) printf 'page: {prot: 1}\n' ;;
        empty) ;;
    esac
}
for name in brackets braces self laughs large bytes key empty; do
    bomb "$name" >"$work/bomb.yaml"
    code=0
    "${shrike[@]}" serve --config "$work/bomb.yaml" --check >"$work/out/bomb-$name" 2>&1 || code=$?
    if ((code == 2)) && ! grep -q 'at java\.\|StackOverflow' "$work/out/bomb-$name"; then
        held "configuration '$name' ends with 2: $(head -c 120 "$work/out/bomb-$name" | head -n 1 | sed "s#$work/##")"
    else
        bad "configuration '$name' ends with $code"
    fi
    cp "$work/bomb.yaml" "$config"
    before=$(grep -c 'the old configuration stays' "$work/out/err1") || true
    kill -HUP "$pid"
    more() { (($(grep -c 'the old configuration stays' "$work/out/err1") > before)); }
    within 20 more || bad "a reload of configuration '$name' is not refused"
done
size=$(size_of_results)
grown() { (($(size_of_results) != size)); }
expect 'after refused reloads results go on' 'after refused reloads nothing comes' within 20 grown
write_config 'log: {level: debug}'
kill -HUP "$pid"
expect 'a right one is taken' 'a right configuration is not taken' \
    within 20 grep -q 'configuration read again' "$work/out/err1"

# Clients.
"${JAVA_HOME:+$JAVA_HOME/bin/}java" "$root/tools/PageAttacks.java" "$port" front "$CHECK_TOKEN" \
    "${SHRIKE_CHECK_FUZZED:-100000}" "${SHRIKE_CHECK_SECONDS:-60}" || failed=1
expect 'the service lives' 'the service is gone' kill -0 "$pid"
{
    get /api/state
    get /metrics
    get /
} >"$work/out/page"
grep -q '"cameras.other.password":"set"' "$work/out/page" || bad 'the page has no settings'
stop

# A disk that is full: no line is half, and the service goes on when there is room.
mkdir "$work/full"
if mount -t tmpfs -o size=256k tmpfs "$work/full" 2>/dev/null; then
    mounted=$work/full
    write_config
    sed -i "s#path: $work/out/results.jsonl#path: $work/full/results.jsonl#" "$config"
    head -c 200k /dev/zero >"$work/full/other"
    start err2
    full() { get /api/state | grep -q 'results.jsonl","working":false'; }
    expect 'a full disk is told' 'a full disk is not told' within 120 full
    expect 'the service lives on a full disk' 'a full disk ends the service' kill -0 "$pid"
    rm "$work/full/other"
    roomy() { get /api/state | grep -q 'results.jsonl","working":true'; }
    expect 'with room again it writes' 'with room again it does not write' within 30 roomy
    stop
    told=$(grep -c 'No space\|full' "$work/out/err2" || true)
    if ((told >= 1 && told <= 3)); then
        held 'the fault was logged once and counted'
    else
        bad 'the fault fills the log'
    fi
    cp "$work/full/results.jsonl" "$work/out/full.jsonl"
    whole() { jq -c .type "$work/out/full.jsonl" >/dev/null; }
    expect 'no line is half' 'a line is half' whole
else
    echo 'skipped: a full disk (no right to mount)'
fi

# Secrets, in everything that the service has written or said.
for secret in "$CHECK_TOKEN" "$CHECK_PASSWORD" "$CHECK_BROKER" literal-55aa77; do
    if grep -rqF -- "$secret" "$work/out" "$work/state"; then
        grep -rlF -- "$secret" "$work/out" "$work/state"
        bad "a secret is in an output: ${secret%%-*}"
    fi
done
held "secrets looked for in $(find "$work/out" -type f | wc -l) files, $(du -sh "$work/out" | cut -f1)"
exit $failed
