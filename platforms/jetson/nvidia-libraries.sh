#!/usr/bin/env bash
# To be sourced, after `cd` to the root of the sources: NVIDIA's libraries for x86_64 out of the redist jars that
# Maven's repository has, only the members that are needed, and empty libraries in place of those that only have to be
# there.
#
#   nvidia_folder [FOLDER]          sets folder, by default below the user's cache
#   nvidia_java                     sets java to a Java 25 or later
#   nvidia_fetch ARTIFACT MEMBER…   puts members of the artifact's redist jar into $folder/lib
#   nvidia_jni                      puts the JNI libraries of the presets into $folder/jni
#   nvidia_stubs JNI…               makes what these JNI libraries need and $folder/lib does not have
# needs: a JDK 25, mvn, gcc, binutils, unzip.

nvidia_folder() {
    folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/shrike/tensorrt}
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
}

nvidia_java() {
    local release
    java=''
    for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
        if [[ -z $java ]] && grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release"; then
            java=${release%/release}/bin/java
        fi
    done
    : "${java:?no JDK 25 or later found}"
}

# nvidia_version ARTIFACT: its version in the parent's pom.xml
nvidia_version() {
    local found
    found=$(sed -nE "s#.*<$1\.version>([^<\$]*)(\\$\{javacpp\.version\})?</.*#\1#p" pom.xml)
    if [[ $1 == javacpp ]]; then echo "$found"; else echo "$found$(nvidia_version javacpp)"; fi
}

# The repository that this machine's Maven uses, from its own configuration.
nvidia_repository() {
    local mirror help=org.apache.maven.plugins:maven-help-plugin:3.4.1
    mvn -B -q -N $help:effective-settings -Doutput="$folder/settings.xml" >/dev/null 2>&1 || true
    mirror=$(tr -d '\n' <"$folder/settings.xml" \
        | grep -oE '<mirror>.*</mirror>' | grep -oE '<mirrorOf>(central|\*)</mirrorOf>.*' | grep -oE '<url>[^<]+' \
        | sed -n 1p || true)
    [[ -n $mirror ]] || mirror=$(mvn -B -N $help:effective-pom 2>/dev/null \
        | grep -A8 '<repository>' | grep -oE '<url>[^<]+' | sed -n 1p)
    mirror=${mirror#<url>}
    echo "${mirror%/}"
}

nvidia_fetch() {
    local artifact=$1 version missing=() member
    version=$(nvidia_version "$1")
    shift
    for member in "$@"; do
        [[ -s $folder/lib/$member ]] || missing+=("$member")
    done
    ((${#missing[@]} == 0)) && return
    "$java" tools/JarMember.java \
        "$(nvidia_repository)/org/bytedeco/$artifact/$version/$artifact-$version-linux-x86_64-redist.jar" \
        "$folder/lib" "${missing[@]}"
}

# nvidia_jar ARTIFACT TYPE: copies a jar of the presets into $folder/jni; TYPE is jar or jar:CLASSIFIER
nvidia_jar() {
    mvn -B -ntp -q -N org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
        -Dartifact="org.bytedeco:$1:$(nvidia_version "$1"):$2" -DoutputDirectory="$folder/jni"
}

nvidia_jni() {
    local artifact jar
    mkdir -p "$folder/jni"
    for artifact in tensorrt cuda; do
        jar=$folder/jni/$artifact-$(nvidia_version "$artifact")-linux-x86_64.jar
        [[ -s $jar ]] || nvidia_jar "$artifact" jar:linux-x86_64
        unzip -qjo "$jar" '*/libjnicu*.so' '*/libjninv*.so' -d "$folder/jni" 2>/dev/null || [[ $? == 11 ]]
    done
}

# Empty libraries, with the names and symbol versions that the JNI libraries ask for.
nvidia_stubs() {
    local library name script
    for library in "$@"; do
        readelf -dW "$folder/jni/libjni$library.so" | sed -nE 's/.*NEEDED.*\[(lib(cu|nv)[^]]*)\].*/\1/p'
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
}
