#!/usr/bin/env bash
# Runs "shrike serve" for hours on a looping video, watches what the process holds, and says whether that grows.
#
#   tools/soak.sh [--hours H] [--weights MODEL] [--image-size N] [--fps N] [--out FOLDER] [VIDEO]
#
#   --hours H       how long, with decimals (default: 2)
#   --weights       file or name of the network (default: yolov5s)
#   --image-size    side of its input in pixels (default: 320)
#   --fps N         frames a second that are taken of the video (default: 5)
#   --out FOLDER    where samples.tsv and service.log are written (default: a temporary folder, deleted if all held)
#   VIDEO           file or URI (default: test://pattern)
#
#   SHRIKE_CHECK_COMMAND  what to run instead of ./shrike
#
# A sample is taken each minute, or 120 in all if that is more. The first ten minutes, or the first fifth if that is
# less, are for warming up. It holds if
#   * resident memory grows by at most 5 MB/h: least squares over all samples after the warm-up;
#   * the least number of descriptors and of threads in the last quarter is not above the least in the first quarter
#     after the warm-up: a leak raises the least, a client or a compiler thread that comes and goes does not;
#   * frames were looked through in each quarter, and the service ends with 0 when it is asked to.
# The trap calls a function.
# shellcheck disable=SC2317
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

hours=2 weights=yolov5s image_size=320 fps=5 out='' video=test://pattern
while (($# > 0)); do
    case $1 in
        --hours | --weights | --image-size | --fps | --out)
            [[ -n ${2:-} ]] || { echo "soak: $1 needs a value" >&2; exit 2; }
            name=${1#--}
            declare "${name//-/_}=$2"
            shift
            ;;
        --help) sed -n '2,/^# The trap/{/^# The trap/d;s/^# \{0,1\}//p;}' "${BASH_SOURCE[0]}" && exit ;;
        -*) echo "soak: $1 is no option, see --help" >&2; exit 2 ;;
        *) video=$1 ;;
    esac
    shift
done
for number in "$hours" "$fps" "$image_size"; do
    [[ $number =~ ^[0-9]*\.?[0-9]+$ ]] || { echo "soak: $number is no number" >&2; exit 2; }
done
read -r -a shrike <<<"${SHRIKE_CHECK_COMMAND:-$root/shrike}"
seconds=$(awk -v h="$hours" 'BEGIN { printf "%d", h * 3600 }')
((seconds >= 60)) || { echo 'soak: less than a minute says nothing' >&2; exit 2; }
[[ ! -f $video ]] || video=$(realpath "$video")

work=${out:-$(mktemp -d)}
mkdir -p "$work"
pid=''
clean_up() {
    [[ -z $pid ]] || kill -KILL "$pid" 2>/dev/null || true
}
trap clean_up EXIT

port=$((20000 + RANDOM % 20000))
cat >"$work/soak.yaml" <<END
model: {weights: "$weights", image_size: $image_size}
cameras:
  soak: {source: "$video", loop: true, fps: $fps}
outputs:
  file: {path: "$work/results.jsonl", rotate_megabytes: 1, keep: 1}
page: {port: $port}
END
"${shrike[@]}" serve --config "$work/soak.yaml" >"$work/service.log" 2>&1 &
pid=$!
for _ in $(seq 1200); do
    ! grep -qs '^ready: ' "$work/service.log" || break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
done
grep -qs '^ready: ' "$work/service.log" || {
    cat "$work/service.log" >&2
    echo 'soak: the service does not become ready' >&2
    exit 1
}

metrics() {
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
    cat <&3
    exec 3>&-
}

# One line: seconds, KiB of resident memory, descriptors, threads, processor time in 1/100 s, frames, dropped frames,
# upper bounds of ages as "bound:count,…".
sample() {
    local resident descriptors threads ticks
    resident=$(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")
    descriptors=$(find "/proc/$pid/fd" -mindepth 1 -maxdepth 1 | wc -l)
    threads=$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)
    ticks=$(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }')
    metrics | awk -v head="$1 $resident $descriptors $threads $ticks" '
        /^shrike_frames_total/ { frames = $NF }
        /^shrike_frames_dropped/ { dropped = $NF }
        /^shrike_result_age_seconds_bucket/ {
            match($0, /le="[^"]*"/)
            ages = ages substr($0, RSTART + 4, RLENGTH - 5) ":" $NF ","
        }
        END { printf "%s %d %d %s\n", head, frames, dropped, ages == "" ? "-" : ages }' | tr ' ' '\t'
}

period=$((seconds / 120 < 60 ? (seconds / 120 > 0 ? seconds / 120 : 1) : 60))
printf 'seconds\trss_kib\tdescriptors\tthreads\tcpu_ticks\tframes\tdropped\tages\n' >"$work/samples.tsv"
began=$SECONDS
while ((SECONDS - began < seconds)); do
    sample $((SECONDS - began)) >>"$work/samples.tsv" || {
        tail -5 "$work/service.log" >&2
        echo "soak: no sample after $((SECONDS - began)) s: does the service still run?" >&2
        exit 1
    }
    sleep "$period"
done
code=0
kill -TERM "$pid"
wait "$pid" || code=$?
pid=''

failed=0
awk -F '\t' -v code="$code" -v whole="$seconds" '
    function judge(good, text) { printf "%-6s %s\n", good ? "ok" : "FAILED", text; failed += !good }
    # Upper bound of the age below which 99 of 100 results since the warm-up lie.
    function percentile(from, to,    i, n, m, a, b, parts, total) {
        n = split(to, a, ","); m = split(from, b, ",")
        for (i = 1; i < n; i++) { split(b[i], parts, ":"); before[i] = m > 1 ? parts[2] : 0 }
        split(a[n - 1], parts, ":"); total = parts[2] - before[n - 1]
        for (i = 1; i < n; i++) {
            split(a[i], parts, ":")
            if (parts[2] - before[i] >= 0.99 * total) { return parts[1] }
        }
        return "none"
    }
    BEGIN { warm = whole / 5 < 600 ? whole / 5 : 600 }
    NR > 1 && $1 >= warm {
        n++; t = $1 / 3600; r = $2 / 1024
        st += t; sr += r; stt += t * t; str += t * r
        if (n == 1) { first_frames = $6; first_dropped = $7; first_ages = $8; first_ticks = $5; first_time = $1 }
        quarter = int(4 * ($1 - warm) / (whole - warm)); quarter = quarter > 3 ? 3 : quarter
        if (!(quarter in seen)) { seen[quarter] = 1; fds[quarter] = $3; threads[quarter] = $4; start[quarter] = $6 }
        if ($3 < fds[quarter]) { fds[quarter] = $3 }
        if ($4 < threads[quarter]) { threads[quarter] = $4 }
        end[quarter] = $6; least = n == 1 || r < least ? r : least; most = r > most ? r : most
        frames = $6; dropped = $7; ages = $8; ticks = $5; time = $1
    }
    END {
        if (n < 8) { print "soak: only " n " samples"; exit 1 }
        slope = (n * str - st * sr) / (n * stt - st * st)
        printf "%d samples over %.2f h after %d s of warm-up\n", n, (time - first_time) / 3600, warm
        judge(slope * 1.048576 <= 5, sprintf("resident memory %+.2f MB/h (%.1f to %.1f MiB)",
            slope * 1.048576, least, most))
        judge(fds[3] <= fds[0], sprintf("descriptors %d, at the end %d", fds[0], fds[3]))
        judge(threads[3] <= threads[0], sprintf("threads %d, at the end %d", threads[0], threads[3]))
        moving = 1
        for (i = 0; i < 4; i++) { moving = moving && end[i] > start[i] }
        judge(moving, sprintf("frames %d, dropped %d", frames - first_frames, dropped - first_dropped))
        printf "       99 of 100 results within %s s of the capture; %.0f %% of one processor\n", \
            percentile(first_ages, ages), (ticks - first_ticks) / (time - first_time)
        judge(code == 0, "ended with " code)
        exit failed > 0
    }' "$work/samples.tsv" || failed=1
if [[ -n $out || $failed == 1 ]]; then
    echo "samples and log: $work"
else
    rm -rf "$work"
fi
exit "$failed"
