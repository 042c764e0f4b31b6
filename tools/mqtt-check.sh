#!/usr/bin/env bash
# The MQTT output against a real Mosquitto: restarts under load, a broker that is away for a minute, an outbox that
# overflows, a process that is killed, hostile payloads, TLS and passwords: tools/mqtt-check.sh [SECONDS AWAY]
# Needs the Debian packages mosquitto, mosquitto-clients and openssl.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for program in mosquitto mosquitto_sub mosquitto_pub mosquitto_passwd openssl; do
    command -v "$program" >/dev/null || {
        echo "mqtt-check: $program is missing: sudo apt-get install mosquitto mosquitto-clients openssl" >&2
        exit 2
    }
done
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
mvn -B -ntp -q -pl deploy/app -am -Dtest=MosquittoCheck -Dsurefire.failIfNoSpecifiedTests=false \
    -Dshrike.native.skipTests=true "-Dshrike.mqtt.away=${1:-60}" test >"$log" 2>&1 || status=$?
cat "$log"
if grep -q 'pass-w0rd-of-the-robot' "$log"; then
    echo 'mqtt-check: the password is in the log above' >&2
    exit 1
fi
exit "$status"
