#!/usr/bin/env bash
# Reads RTSP streams of GStreamer's server on loopback, which is stopped, killed and restarted, and prints the figures.
#   tools/rtsp-check.sh [--ages SECONDS | --minutes N] [--reconnects N] [VIDEO.mp4 FPS]...
# Ages of results with an engine of 80 ms are taken for so long (60 s; 10 minutes show that there is no drift), and so
# many connections made (500). Each H.264 video is served over and over as well. Figures want a quiet machine; bounds
# of time are multiplied with SHRIKE_CHECK_PATIENCE (1) for others. Needs root for apt-get, or its packages:
# gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-{base,good,bad}.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

ages=60 minutes='' reconnects=500 videos=()
while (($# > 0)); do
    case $1 in
        --ages | --minutes | --reconnects)
            [[ ${2:-} =~ ^[0-9]+$ ]] || { echo "rtsp-check: $1 needs a number" >&2; exit 2; }
            declare "${1#--}=$2"
            shift
            ;;
        --help) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit ;;
        -*) echo "rtsp-check: $1 is no option" >&2; exit 2 ;;
        *) videos+=("$1") ;;
    esac
    shift
done

[[ -z $minutes ]] || ages=$((60 * minutes))

packages=(gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    gstreamer1.0-plugins-bad)
dpkg -s "${packages[@]}" >/dev/null 2>&1 || apt-get install -y --no-install-recommends "${packages[@]}" >&2

mvn -q -pl deploy/sources -am -DskipTests test-compile \
    dependency:build-classpath -Dmdep.outputFile=target/test.classpath >&2
java=$(for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release" && echo "${release%/release}/bin/java"
done | sed -n 1p)
[[ -n $java ]] || { echo 'rtsp-check: no JDK 25 or later in JAVA_HOME or /usr/lib/jvm' >&2; exit 1; }
classes=deploy/sources/target/test-classes:deploy/sources/target/classes:runtime-java/target/classes
"$java" -Xmx256m -XX:+UseSerialGC -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 --enable-native-access=ALL-UNNAMED \
    -cp "$classes:$(<deploy/sources/target/test.classpath)" \
    dev.shrike.sources.RtspCheck tools/rtsp-server.py "$ages" "$reconnects" "${videos[@]}"
