#!/usr/bin/env bash
# Publishes the library's artifacts to a temporary repository and uses them as a stranger would: poms and jars are
# checked, deploy/examples/library is built against them with whatever plug-ins Maven takes by itself and detects on the
# class path and the module path; with no natives, or those of another platform, it says what to add. A second build in
# another folder must give the same jars. Nothing is written to Maven's own repository but what it downloads.
#   tools/publish-check.sh [--keep FOLDER]   FOLDER  where the repository and the projects are left
# needs: what building Shrike needs, gcc-aarch64-linux-gnu, g++-aarch64-linux-gnu, libc6-dev-arm64-cross, unzip.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ ${1:-} == --keep && -n ${2:-} ]]; then
    mkdir -p "$2"
    work=$(cd "$2" && pwd)
    rm -rf "$work/repository"
elif (($#)); then
    sed -n '2,8s/^# \?//p' "${BASH_SOURCE[0]}"
    exit 2
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
cache=${MAVEN_REPOSITORY:-$HOME/.m2/repository}
repository=$work/repository

fail() {
    echo "publish-check: $*" >&2
    exit 1
}

say() {
    echo "publish-check: $* ($SECONDS s)" >&2
}

[[ $(uname -m) == x86_64 ]] || fail 'releases are made on x86_64 machines'
jdk=$(for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
    grep -qsE '^JAVA_VERSION="?(2[5-9]|[3-9][0-9])' "$release" && echo "${release%/release}"
done | sed -n 1p)
[[ -n $jdk ]] || fail 'no JDK 25 or later in JAVA_HOME or /usr/lib/jvm'

# publish FOLDER REPOSITORY OPTION...: tests are for mvn verify, and nothing may be installed.
publish() {
    local folder=$1 into=$2
    shift 2
    # What an earlier build with another jar plug-in left would go into the jars.
    find "$folder" -path '*/target/maven-archiver' -prune -exec rm -rf {} +
    (cd "$folder" && mvn -B -ntp -q -Prelease -Dmaven.test.skip=true -Dmaven.install.skip=true \
        -Dshrike.format.unchecked=true "-DaltDeploymentRepository=check::file:$into" \
        -pl '!deploy/app,!deploy/packaging' "$@" deploy)
}

say 'publishing'
publish "$root" "$repository"
group=$repository/dev/shrike
version=$(sed -n 's:^  <version>\(.*\)</version>:\1:p' "$root/pom.xml")

say 'poms and jars'
shopt -s nullglob
poms=("$group"/*/"$version"/*.pom)
((${#poms[@]} == 11)) || fail "${#poms[@]} artifacts were published instead of 11: ${poms[*]##*/}"
for pom in "${poms[@]}"; do
    # Its own version is the one thing that a pom may leave to its reader to fill in.
    # shellcheck disable=SC2016
    if sed 's/\${project\.version}//' "$pom" | grep -nE '\$\{|<parent>|<profiles?>|<scope>(test|system)'; then
        fail "${pom##*/} depends on more than itself"
    fi
    for element in name description url licenses developers scm; do
        grep -q "<${element}[ >]" "$pom" || fail "${pom##*/} has no $element"
    done
    if ! grep -q '<packaging>pom' "$pom"; then
        for kind in '' -sources -javadoc; do
            jars=("$(dirname "$pom")"/*"$kind.jar")
            ((${#jars[@]})) || fail "${pom##*/} comes without its jar '$kind'"
        done
    fi
done
for platform in x86_64:linux-x86_64 aarch64:linux-arm64; do
    jars=("$group"/shrike-native/"$version"/*-"${platform#*:}".jar)
    ((${#jars[@]} == 1)) || fail "no library for ${platform#*:}"
    # unzip is told that nobody reads on.
    { unzip -qp "${jars[0]}" "lib/linux-${platform%:*}/libshrike.so" || true; } | head -c 4 | grep -q ELF \
        || fail "${jars[0]##*/} holds no library"
done

# project NATIVES FOLDER [plain]: the example with those natives, in a folder of its own, which knows the repository;
# plain: no module, and with the plug-ins that Maven takes by itself.
project() {
    local natives=$1 folder=$2 kind=${3:-module} name
    rm -rf "$folder"
    cp -r "$root/deploy/examples/library" "$folder"
    rm -rf "$folder/target"
    if [[ $kind == plain ]]; then
        rm "$folder/src/main/java/module-info.java"
        sed -i '/<build>/,/<\/build>/d' "$folder/pom.xml"
    fi
    cp "$folder/pom.xml" "$folder.pom"
    {
        sed '/^<\/project>/d' "$folder.pom"
        for name in repositories/repository pluginRepositories/pluginRepository; do
            echo "  <${name%/*}>"
            printf '    <%s><id>%s</id><url>file:%s</url></%s>\n' "${name#*/}" check "$repository" "${name#*/}" \
                "${name#*/}" cache "$cache" "${name#*/}"
            echo "  </${name%/*}>"
        done
        echo '</project>'
    } >"$folder/pom.xml"
    (cd "$folder" && JAVA_HOME=$jdk mvn -B -ntp -q "-Dmaven.repo.local=$work/m2" "-Dshrike.natives=$natives" \
        -Dshrike.version="$version" package dependency:copy-dependencies -DoutputDirectory=target/lib \
        -DincludeScope=runtime) >"$folder.log" 2>&1 || {
        cat "$folder.log" >&2
        fail "the project with $natives does not build"
    }
}

# must_say WHAT COMMAND...: ends with 1 and a sentence that names the artifact.
must_say() {
    local what=$1 status=0
    shift
    "$@" >"$work/out" 2>"$work/err" || status=$?
    if ((status != 1)) || ! grep -q 'add the artifact dev.shrike:shrike-linux-x86_64 ' "$work/err" \
        || grep -qE '^\s+at ' "$work/err"; then
        cat "$work/out" "$work/err" >&2
        fail "$what: exit code $status, and no sentence that helps"
    fi
    echo "  $what: $(grep -m 1 'add the artifact' "$work/err")"
}

say 'a project of a stranger'
finder=$work/finder
project linux-x86_64 "$finder"
plain=$work/plain-finder
project linux-x86_64 "$plain" plain
export XDG_CACHE_HOME=$work/cache
quiet=(-Djava.awt.headless=true -Dorg.bytedeco.javacpp.cachedir="$work/javacpp")
on_classes=("$jdk/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow "${quiet[@]}")
modules=dev.shrike,dev.shrike.cpu,org.bytedeco.javacpp
on_modules=("$jdk/bin/java" --add-modules ALL-MODULE-PATH "--enable-native-access=$modules" "${quiet[@]}")
wanted='red block 1.00 at 40,48 to 48,56
red block 1.00 at 8,16 to 16,24'
sound() {
    [[ $(LC_ALL=C sort <<<"$2") == "$wanted" ]] || fail "on the $1 path it found: $2"
    echo "  $1 path: ${2//$'\n'/, }"
}
sound class "$("${on_classes[@]}" -cp "$plain/target/classes:$plain/target/lib/*" example.finder.Finder)"
sound module "$("${on_modules[@]}" -p "$finder/target/classes:$finder/target/lib" \
    -m example.finder/example.finder.Finder)"

say 'without natives, and with those of another platform'
mkdir -p "$work/bare"
cp "$finder"/target/lib/*.jar "$work/bare"
rm "$work"/bare/*linux*.jar
must_say 'class path without natives' \
    "${on_classes[@]}" -cp "$plain/target/classes:$work/bare/*" example.finder.Finder
must_say 'module path without natives' \
    "${on_modules[@]}" -p "$finder/target/classes:$work/bare" -m example.finder/example.finder.Finder
project linux-arm64 "$work/other" plain
must_say 'natives of linux-arm64' \
    "${on_classes[@]}" -cp "$work/other/target/classes:$work/other/target/lib/*" example.finder.Finder

say 'the same bytes again'
mkdir -p "$work/copy"
(cd "$root" && git ls-files -z --cached --others --exclude-standard \
    | tar -c --null -T - --ignore-failed-read 2>/dev/null) | tar -x -C "$work/copy"
publish "$work/copy" "$work/again" -Dexec.skip=true -Dshrike.javadoc.skip=true
same=0
# What stands behind artifact and version in a jar's name; a snapshot's version is time and number of its deployment.
kind() {
    sed -E "s/^.*\/$2-[0-9.]+(-SNAPSHOT|-[0-9.]+-[0-9]+)?//" <<<"$1"
}
for jar in "$group"/*/"$version"/*.jar; do
    artifact=${jar#"$group"/}
    artifact=${artifact%%/*}
    # The libraries of C were not built again, and Javadoc not made; tests are there if an earlier build left any.
    if [[ $artifact == shrike-native || $jar == *-javadoc.jar || $jar == *-tests.jar ]]; then
        continue
    fi
    again=()
    for other in "$work/again/dev/shrike/$artifact/$version"/*.jar; do
        if [[ $(kind "$other" "$artifact") == "$(kind "$jar" "$artifact")" ]]; then
            again+=("$other")
        fi
    done
    ((${#again[@]} == 1)) || fail "${jar##*/} was not made again"
    cmp "$jar" "${again[0]}" || fail "${jar##*/} has other bytes in a second build"
    same=$((same + 1))
done
((same >= 12)) || fail "only $same jars were compared"
say "$same jars have the same bytes; all is well"
