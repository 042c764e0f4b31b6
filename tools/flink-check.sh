#!/usr/bin/env bash
# Runs the jobs of deploy/examples/flink on a cluster of processes: a job manager and two task managers, one of which is
# killed while it works. What comes out must be what one process without Flink makes: nothing lost, nothing doubled.
#   tools/flink-check.sh [--program FILE] [--images N] [--events N]
#       FILE  the command, by default ./shrike, which it builds first if need be
#       N     150 images, 10000 events if it does not say
# needs: what building Shrike needs, mosquitto and mosquitto-clients; the network for Flink's jars and for the weights,
# unless the caches of Maven and of Shrike have them.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=$root/shrike images=150 events=10000
while (($#)); do
    case $1 in
        --program) program=$2 ;;
        --images) images=$2 ;;
        --events) events=$2 ;;
        *)
            sed -n '2,8s/^# \?//p' "${BASH_SOURCE[0]}"
            exit 2
            ;;
    esac
    shift 2
done

work=$(mktemp -d)
declare -A started=()
# shellcheck disable=SC2317 # by the trap
finish() {
    local pid
    for pid in "${started[@]}"; do
        kill -9 "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT

fail() {
    echo "flink-check: $*" >&2
    grep -nE -A 12 'ERROR|Exception' "$work"/log/*.log 2>/dev/null | head -n 60 >&2 || true
    tail -n 5 "$work"/log/*.log >&2 2>/dev/null || true
    exit 1
}

say() {
    echo "flink-check: $*" >&2
}

# wait_for SECONDS WHAT COMMAND...
wait_for() {
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        ((SECONDS < until)) || fail "waited too long for $what"
        sleep 0.3
    done
}

command -v mosquitto >/dev/null || PATH=$PATH:/usr/sbin
command -v mosquitto >/dev/null || fail 'mosquitto is missing: apt-get install mosquitto mosquitto-clients'
"$program" --version >/dev/null
lib=$(dirname "$(readlink -f "$program")")/lib
[[ -d $lib ]] || lib=$root/deploy/app/target/app/lib
mkdir -p "$work"/{log,conf,images,out}

say 'building the example'
example=$root/deploy/examples/flink
mvn -B -ntp -q -f "$example/pom.xml" -Dshrike.lib="$lib" package >"$work/log/build.log" 2>&1 \
    || { cat "$work/log/build.log" >&2; fail 'the example does not build'; }
job=$example/target/shrike-flink-1.jar

# The launcher knows where a JDK 25 is; so ask it for none other than what it would run.
java_home=$(SHRIKE_JAVA_OPTIONS=-XshowSettings:properties "$program" --version 2>&1 | sed -n "s/^ *java.home = //p")
java=$java_home/bin/java
[[ -x $java ]] || fail 'no java'
natives=$lib/linux-$(uname -m)
worker=(-XX:+UseSerialGC --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
    -Dshrike.library.path="$natives" -Dorg.slf4j.simpleLogger.showDateTime=true -cp "$example/target/lib/*:$lib/*")
[[ ! -e $natives/libjnijavacpp.so ]] \
    || worker=(-Dorg.bytedeco.javacpp.pathsFirst=true -Djava.library.path="$natives" "${worker[@]}")

say "making $images images and a model"
# Fetches the weights and photographs if they are not there.
photographs=("${XDG_CACHE_HOME:-$HOME/.cache}"/shrike/samples/*.jpg)
[[ -e ${photographs[0]} ]] || (cd "$work" && "$program" detect --nosave >/dev/null 2>&1)
photographs=("${XDG_CACHE_HOME:-$HOME/.cache}"/shrike/samples/*.jpg)
"$java" "$root/tools/FlinkCheckImages.java" "$work/images" "$images" "${photographs[@]}"
"$program" build yolov5s --imgsz 320 -o "$work/model.shrike" >"$work/log/model.log" 2>&1 || fail 'no model'

say 'one process'
"$java" "${worker[@]}" -cp "$job:$example/target/lib/*:$lib/*" dev.shrike.examples.flink.OneProcess \
    --images "$work/images" --weights "$work/model.shrike" 2>"$work/log/one.log" | sort >"$work/one.jsonl"
(($(wc -l <"$work/one.jsonl") == images + 1)) || fail 'one process did not do all images'
(($(grep -c '"label"' "$work/one.jsonl") * 2 > images)) || fail 'next to nothing is on the images'
(($(grep -c '"error"' "$work/one.jsonl") == 1)) || fail 'the file that is no image has no error'

# start NAME CLASS OPTIONS...: a process of the cluster.
start() {
    local name=$1 class=$2
    shift 2
    TMPDIR=$work "$java" "${worker[@]}" "-Djava.io.tmpdir=$work" "$class" --configDir "$work/conf" "$@" \
        >>"$work/log/$name.log" 2>&1 &
    started[$name]=$!
}

# A port below those that the system gives to clients, which may take one before it is used here.
free_port() {
    python3 - <<'END'
import random, socket
while True:
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", random.randrange(20000, 30000)))
            print(s.getsockname()[1])
            break
        except OSError:
            pass
END
}

start_worker() {
    start "$1" org.apache.flink.runtime.taskexecutor.TaskManagerRunner -D "taskmanager.resource-id=$1"
}

rest=$(free_port) rpc=$(free_port) broker=$(free_port)
# Maps within maps, as the file has them: so the port of either is the one below its own name.
sed -e "/^rest:/,/^[a-z]*:/s/port: .*/port: $rest/" -e "s/port: 6123/port: $rpc/" "$example/conf/config.yaml" \
    >"$work/conf/config.yaml"
export FLINK_CONF_DIR=$work/conf
start jobmanager org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint

overview() {
    python3 - "$rest" "$1" <<'END'
import json, sys, urllib.request
try:
    with urllib.request.urlopen(f"http://localhost:{sys.argv[1]}/{sys.argv[2]}", timeout=5) as answer:
        print(json.dumps(json.load(answer)))
except OSError:
    sys.exit(1)
END
}
# shellcheck disable=SC2317 # by wait_for
slots_are() {
    overview overview 2>/dev/null | grep "\"slots-total\": $1," >/dev/null
}
wait_for 120 'the job manager' slots_are 0
start_worker worker1
start_worker worker2
wait_for 120 'both task managers' slots_are 4

# submit CLASS ARGUMENTS...: prints the job's id.
submit() {
    local class=$1
    shift
    FLINK_CONF_DIR=$work/conf "$java" "${worker[@]}" --add-opens java.base/java.util=ALL-UNNAMED \
        org.apache.flink.client.cli.CliFrontend run -m "localhost:$rest" -d -p 4 -c "$class" "$job" "$@" \
        >"$work/log/submit.log" 2>&1 || fail 'the job was not taken'
    sed -n 's/.*JobID \([0-9a-f]*\).*/\1/p' "$work/log/submit.log" | tail -n 1
}
# shellcheck disable=SC2317 # by wait_for
state_is() {
    overview "jobs/$1" | grep "\"state\": \"$2\"" >/dev/null
}

# What a committed file holds counts, and only that.
committed() {
    find "$1" -type f -name 'part-*' -exec cat {} +
}

# Ends worker $1 at once, as a power cut would, and starts another as whoever watches over it would.
kill_worker() {
    kill -9 "${started[$1]}"
    wait "${started[$1]}" 2>/dev/null || true
    unset "started[$1]"
    start_worker "$2"
}

say "folder of images on two workers, one of which is killed"
id=$(submit dev.shrike.examples.flink.ImageFolderJob --images "$work/images" --weights "$work/model.shrike" \
    --output "$work/out" --checkpoint 1)
wait_for 120 'the first image of worker1' grep -q 'first image done' "$work/log/worker1.log"
sleep 3
before=$(committed "$work/out/detections" | wc -l)
((before <= images)) || fail "all images were done before a worker was killed: take more than $images"
kill_worker worker1 worker3
wait_for 600 'the end of the job' state_is "$id" FINISHED
committed "$work/out/detections" | sort >"$work/all.jsonl"
cmp "$work/one.jsonl" "$work/all.jsonl" \
    || { diff "$work/one.jsonl" "$work/all.jsonl" | head -n 5 >&2; fail 'not what one process makes'; }
grep -q 'first image done' "$work/log/worker2.log" || fail 'worker2 did nothing'
echo "images: $((images + 1)) lines, $before committed before a worker was killed, equal to those of one process"

say "events of boxes over MQTT, a worker killed"
wait_for 90 'two task managers' slots_are 4
cat >"$work/mosquitto.conf" <<END
listener $broker 127.0.0.1
allow_anonymous true
# Not 20 messages at once and a thousand that wait: what is acknowledged once a checkpoint is complete has to wait.
max_inflight_messages 0
max_queued_messages 0
END
mosquitto -c "$work/mosquitto.conf" >"$work/log/mosquitto.log" 2>&1 &
started[mosquitto]=$!
id=$(submit dev.shrike.examples.flink.BoxEventsJob --host 127.0.0.1 --port "$broker" --output "$work/out" \
    --checkpoint 1)
# shellcheck disable=SC2317 # by wait_for
subscribed() {
    (($(cat "$work"/log/worker*.log | grep -c 'subscribed to') >= 4))
}
wait_for 60 'four subscriptions' subscribed
boxes=20
publish() {
    local box=$1 n
    for ((n = 0; n < events / boxes; n++)); do
        printf '{"id":"box%02d-%d","label":"person"}\n' "$box" "$n"
        # Not all at once, so that a worker can be killed meanwhile.
        ((n % 25)) || sleep 0.3
    done | mosquitto_pub -V mqttv5 -h 127.0.0.1 -p "$broker" -q 1 -l -t "$(printf 'fleet/box%02d/events' "$box")"
}
publishers=()
for ((box = 1; box <= boxes; box++)); do
    publish "$box" &
    publishers+=($!)
done
# shellcheck disable=SC2317 # by wait_for
some_committed() {
    (($(committed "$work/out/events" 2>/dev/null | wc -l) > events / 10))
}
wait_for 60 'the first events' some_committed
before=$(committed "$work/out/events" | wc -l)
((before < events)) || fail 'all events were done before a worker was killed'
kill_worker worker2 worker4
wait "${publishers[@]}"
# shellcheck disable=SC2317 # by wait_for
all_committed() {
    (($(committed "$work/out/events" | wc -l) >= events))
}
wait_for 120 'all events' all_committed
# Long enough for a further checkpoint, which a doubled event would come with.
sleep 4
committed "$work/out/events" | sort >"$work/events.jsonl"
for ((box = 1; box <= boxes; box++)); do
    for ((n = 0; n < events / boxes; n++)); do
        printf '{"topic":"fleet/box%02d/events","event":{"id":"box%02d-%d","label":"person"}}\n' "$box" "$box" "$n"
    done
done | sort >"$work/expected.jsonl"
cmp "$work/expected.jsonl" "$work/events.jsonl" \
    || { diff "$work/expected.jsonl" "$work/events.jsonl" | head -n 5 >&2; fail 'events were lost or doubled'; }
state_is "$id" RUNNING || fail 'the job of events does not run any more'
echo "events: $events of $boxes boxes, $before committed before a worker was killed, each once"
