#!/usr/bin/env bash
# Part of inside.sh: what happens to a box that runs: its camera, its broker, its disk.
# shellcheck disable=SC2154 # of inside.sh
readonly state=/var/lib/shrike

# lines_since SECONDS TEXT: how many lines of the service's journal have this text, from that second of the epoch on.
lines_since() { journalctl --no-pager -q -u shrike.service --since "@$1" | grep -c -- "$2"; }

# The phase of the camera that the broker keeps.
phase_is() {
    mosquitto_sub -h 127.0.0.1 -C 1 -W 5 -t shrike/street/state 2>/dev/null | grep -q "\"phase\":\"$1\""
}

# page PATH: what the service answers.
page() (
    exec 3<>/dev/tcp/127.0.0.1/8080 || exit 1
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
    cat <&3
) 2>/dev/null

# figure NAME OUTPUT: the metric of the output whose name begins so.
figure() { page /metrics | awk -v begin="$1{output=\"$2" 'index($0, begin) == 1 { printf "%d\n", $NF }'; }
healthy() { page /healthz | head -n 1 | grep ' 200 ' >/dev/null; }
figure_is() { [[ $(figure "$1" "$2") == "$3" ]]; }

step_camera() {
    local pid since began
    pid=$(value MainPID)
    active || { bad 'the service does not run'; return; }
    since=$(date +%s)
    holds 'the broker knows that the camera runs' within 20 phase_is running
    camera off
    holds 'camera gone: the broker is told' within 30 phase_is lost
    holds 'and the service is called healthy: the fault is not its own' healthy
    camera on
    began=$(now)
    holds 'camera back: detections arrive' detections 60
    echo "camera: detections $(milliseconds "$began" "$(now)") ms after it was back"
    holds 'and the broker is told' within 20 phase_is running
    camera frozen
    holds 'camera frozen: the broker is told' within 60 phase_is lost
    camera on
    holds 'camera goes on: detections arrive' detections 60
    holds 'all by the same process' test "$(value MainPID)" = "$pid"
    local told
    told=$(lines_since "$since" 'lost:')
    holds "the journal tells it in $told line(s), at most 2" test "$told" -ge 1 -a "$told" -le 2
}

# Events that were made, as the file of JSON lines has them, and those that were heard at the broker, by their ids.
made() { grep -oh '"event_id":"[^"]*"' "$state"/events.jsonl* 2>/dev/null | sort -u; }
heard() { grep -oh '"event_id":"[^"]*"' /check/heard | sort -u; }
all_heard() { [[ -z $(comm -23 <(made) <(heard)) ]]; }
more_made() { (($(made | wc -l) >= $1)); }
heard_of_made() { comm -12 <(made) <(heard) | wc -l; }
any_heard() { (($(heard_of_made) > 0)); }

# flood MEGABYTES OBJECTS: the service begins anew with an outbox of that size, and takes whatever is on a frame for
# objects, at most so many, that are gone with the next one: two events of each, ten times a second.
flood() {
    systemctl stop shrike.service
    rm -f "$state"/events.jsonl*
    cat >"$config" <<END
model:
  weights: /check/model.shrike
  confidence: 0.01
  max_detections: $2
cameras:
  street:
    source: rtsp://127.0.0.1:8554/live
tracking: {high_score: 0.01, low_score: 0.01, new_score: 0.01, hits: 1, lost_seconds: 0}
outputs:
  mqtt: {broker: "mqtt://127.0.0.1:1883", outbox_megabytes: $1}
  file: {path: $state/events.jsonl, frames: false, rotate_megabytes: 64}
END
    systemctl start shrike.service || bad 'starts with many events'
    within 60 any_heard || bad 'events arrive at the broker'
}

# The broker is back: no more events, and none waits.
settle() {
    within 60 figure_is shrike_output_up mqtt 1 || bad 'broker back: connected'
    mosquitto_pub -h 127.0.0.1 -q 1 -t shrike/street/detect/set -m OFF
    within 60 switched_off || bad 'a command arrives at the service'
    within 60 figure_is shrike_output_waiting mqtt 0 || bad 'broker back: nothing waits'
}
switched_off() {
    [[ $(mosquitto_sub -h 127.0.0.1 -C 1 -W 5 -t shrike/street/detect/state 2>/dev/null) == OFF ]]
}

tell_events() {
    echo "$1: $(made | wc -l) events made, $(heard_of_made) heard," \
        "$(figure shrike_output_dropped mqtt) dropped"
}

step_broker() {
    local listener
    : >/check/heard
    mosquitto_sub -h 127.0.0.1 -V 5 -i package-check -c -x 3600 -q 1 -t shrike/events >>/check/heard 2>/dev/null &
    listener=$!
    broker_away
    broker_beyond
    kill "$listener"
    write_config
    systemctl restart shrike.service || bad 'starts'
    rm -f "$state"/events.jsonl*
}

# The names of the threads of the service.
threads() { sort "/proc/$(value MainPID)"/task/*/comm; }

# Within the bound nothing is lost.
broker_away() {
    local pid began before waiting since threads
    # Below 200 events a second, so that the bound, 20,000 or so, is not reached within a minute.
    flood 16 10
    pid=$(value MainPID)
    since=$(date +%s) began=$SECONDS threads=$(threads)
    systemctl stop mosquitto.service
    before=$(made | wc -l)
    holds "broker away: $EVENTS events are made" within $((AWAY_SECONDS + 240)) more_made $((before + EVENTS))
    ((SECONDS - began >= AWAY_SECONDS)) || sleep $((AWAY_SECONDS - (SECONDS - began)))
    waiting=$(figure shrike_output_waiting mqtt)
    holds "$waiting of them wait" test "$waiting" -ge "$EVENTS"
    echo "broker away for $((SECONDS - began)) s"
    systemctl start mosquitto.service
    settle
    holds 'broker back: all events arrive' within 60 all_heard
    tell_events 'within the bound'
    echo "threads: $(wc -l <<<"$threads") before, $(threads | wc -l) after," \
        "new: $(comm -13 <(echo "$threads") <(threads) | xargs -d '\n' echo)"
    holds 'none was dropped' figure_is shrike_output_dropped mqtt 0
    holds 'the file that they are compared with missed none' figure_is shrike_output_dropped file 0
    holds 'the same process' test "$(value MainPID)" = "$pid"
    holds 'the journal tells it once a minute at most' \
        test "$(lines_since "$since" 'mqtt://127.0.0.1:1883: ')" -le $((2 + (SECONDS - began) / 60))
}

# What is beyond the bound is counted, to the event.
broker_beyond() {
    flood 1 300
    systemctl stop mosquitto.service
    holds 'broker away: an outbox of 1 MiB overflows' within 240 overflows
    systemctl start mosquitto.service
    settle
    holds 'broker back: each event has arrived or is counted' within 60 all_heard_or_counted
    tell_events 'beyond the bound'
    holds 'the file that they are compared with missed none' figure_is shrike_output_dropped file 0
}
overflows() { (($(figure shrike_output_dropped mqtt) > 100)); }
all_heard_or_counted() {
    (($(heard_of_made) + $(figure shrike_output_dropped mqtt) == $(made | wc -l)))
}

written() { stat -c %s "$state/results.jsonl" 2>/dev/null || echo 0; }
more_written() { (($(written) > $1)); }

# A disk that fills up while the service runs, is full when it starts, and has room again.
step_disk() {
    local pid since before
    systemctl stop shrike.service
    mount -t tmpfs -o size=4m,mode=0750 tmpfs "$state"
    chown shrike:shrike "$state"
    write_config
    sed -i "/^outputs:/a\\  file: {path: $state/results.jsonl, rotate_megabytes: 64}" "$config"
    systemctl start shrike.service || bad 'starts'
    holds 'results are written' within 30 more_written 0
    pid=$(value MainPID) since=$(date +%s)
    head -c 8M /dev/zero >"$state/filler" 2>/dev/null
    holds 'disk full: it is told' within 60 journal_has 'No space left'
    sleep 5
    holds 'disk full: detections go on' detections 30
    holds 'disk full: the same process' test "$(value MainPID)" = "$pid"
    holds 'disk full: told in one line' test "$(lines_since "$since" 'No space left')" = 1
    full_start
    before=$(written)
    rm "$state/filler"
    holds 'room again: results are written' within 30 more_written "$before"
    systemctl stop shrike.service
    holds 'no line is half' test "$(grep -vc '^{.*}$' "$state/results.jsonl")" = 0
    umount "$state"
    write_config
    systemctl start shrike.service || bad 'starts'
}

full_start() {
    cp "$config" /tmp/right.yaml
    printf 'model:\n  weigths: /check/model.shrike\n' >"$config"
    systemctl restart shrike.service 2>/dev/null && bad 'disk full: a wrong configuration is refused'
    holds 'disk full: a wrong configuration ends with 2' test "$(value ExecMainStatus)" = 2
    cp /tmp/right.yaml "$config"
    systemctl reset-failed shrike.service
    holds 'disk full: starts' systemctl start shrike.service
    holds 'disk full: detections arrive after the start' detections 60
}
