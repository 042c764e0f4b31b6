#!/usr/bin/env bash
# Runs the TensorRT engine's tests against NVIDIA's own libraries on a machine without an NVIDIA GPU: real libnvinfer,
# libnvonnxparser, libcudart and libnvrtc out of the redist jars that Maven's repository has (about 250 MB, only the
# members that are needed, kept in the cache), and empty libraries in place of the driver, cuBLAS and cuDNN.
#
#   platforms/jetson/tensorrt-check.sh [FOLDER]     FOLDER keeps the libraries; without it below the user's cache
# needs: a JDK 25, mvn, gcc, binutils, unzip.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/shrike/tensorrt}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
[[ $(uname -m) == x86_64 ]] || { echo "tensorrt-check: the redist libraries are for x86_64" >&2; exit 2; }

java=''
for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    if [[ -z $java ]] && grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release"; then
        java=${release%/release}/bin/java
    fi
done
: "${java:?no JDK 25 or later found}"

version() {
    local found
    found=$(sed -nE "s#.*<$1\.version>([^<\$]*)(\\$\{javacpp\.version\})?</.*#\1#p" pom.xml)
    [[ $1 == javacpp ]] && echo "$found" || echo "$found$(version javacpp)"
}

# The repository that this machine's Maven uses, from its own configuration.
repository() {
    mvn -B -q -N org.apache.maven.plugins:maven-help-plugin:3.4.1:effective-settings -Doutput="$folder/settings.xml" \
        >/dev/null 2>&1 || true
    local mirror
    mirror=$(tr -d '\n' <"$folder/settings.xml" \
        | grep -oE '<mirror>.*</mirror>' | grep -oE '<mirrorOf>(central|\*)</mirrorOf>.*' | grep -oE '<url>[^<]+' \
        | sed -n 1p || true)
    [[ -n $mirror ]] || mirror=$(mvn -B -N org.apache.maven.plugins:maven-help-plugin:3.4.1:effective-pom 2>/dev/null \
        | grep -A8 '<repository>' | grep -oE '<url>[^<]+' | sed -n 1p)
    mirror=${mirror#<url>}
    echo "${mirror%/}"
}

fetch() {
    local artifact=$1 version=$2 missing=()
    shift 2
    for member in "$@"; do
        [[ -s $folder/lib/$member ]] || missing+=("$member")
    done
    ((${#missing[@]} == 0)) && return
    "$java" tools/JarMember.java \
        "$(repository)/org/bytedeco/$artifact/$version/$artifact-$version-linux-x86_64-redist.jar" \
        "$folder/lib" "${missing[@]}"
}

fetch tensorrt "$(version tensorrt)" libnvinfer.so.8 libnvonnxparser.so.8 libnvinfer_plugin.so.8
fetch cuda "$(version cuda)" libcudart.so.11.0 libnvrtc.so.11.2 libnvrtc-builtins.so.11.8

# Empty libraries, with the names and symbol versions that the JNI libraries ask for.
mkdir -p "$folder/jni"
for artifact in "tensorrt:$(version tensorrt)" "cuda:$(version cuda)"; do
    mvn -B -ntp -q -N org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        -Dartifact="org.bytedeco:$artifact:jar:linux-x86_64" -DoutputDirectory="$folder/jni"
done
for jar in "$folder"/jni/*.jar; do
    unzip -qjo "$jar" '*/libjnicu*.so' '*/libjninv*.so' -d "$folder/jni" 2>/dev/null || [[ $? == 11 ]]
done
for library in "$folder"/jni/libjni{cudart,cublas,cudnn,nvrtc,nvinfer,nvonnxparser,nvinfer_plugin}.so; do
    readelf -dW "$library" | sed -nE 's/.*NEEDED.*\[(lib(cu|nv)[^]]*)\].*/\1/p'
done | sort -u | while read -r name; do
    [[ -e $folder/lib/$name ]] && continue
    readelf -VW "$folder"/jni/*.so 2>/dev/null | awk -v library="$name" '
        /File: / { for (i = 1; i <= NF; i++) if ($i == "File:") file = $(i + 1) }
        /Name: / { for (i = 1; i <= NF; i++) if ($i == "Name:" && file == library) print $(i + 1) " { };" }
    ' | sort -u >"$folder/versions.map"
    script=()
    [[ -s $folder/versions.map ]] && script=("-Wl,--version-script=$folder/versions.map")
    gcc -shared -nostdlib "${script[@]}" -Wl,-soname,"$name" -o "$folder/lib/$name" -x c /dev/null
done

export LD_LIBRARY_PATH=$folder/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
mvn -B -ntp -pl platforms/jetson -am test -Dtest=RealTensorRtTest -Dsurefire.failIfNoSpecifiedTests=false \
    -Dshrike.tensorrt.real=true | grep -vE '^\[INFO\] *$'
