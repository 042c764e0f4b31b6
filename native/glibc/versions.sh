#!/usr/bin/env bash
# Whether a shared library loads on glibc 2.31 and libstdc++ 6.0.28 (JetPack 5, Ubuntu 20.04), by the symbol versions
# that it asks for: native/glibc/versions.sh LIBRARY. Prints the newest one of each; status 1 names those that are too
# new. The library may be for any machine.
set -euo pipefail
library=${1:?usage: native/glibc/versions.sh LIBRARY}
declare -A newest=([GLIBC]=2.31 [GLIBCXX]=3.4.28 [CXXABI]=1.3.12 [GCC]=10.0.0)

command -v readelf >/dev/null || { echo 'readelf is missing: apt-get install binutils' >&2; exit 1; }
mapfile -t needed < <(LC_ALL=C readelf -W --dyn-syms "$library" \
    | awk '$7 == "UND" && match($8, /@[A-Za-z_]+_[0-9.]+/) { print substr($8, RSTART + 1, RLENGTH - 1), $8 }' \
    | sort -V | awk '!seen[$1]++')
# A library of ours that needs nothing of libc would mean that readelf's table was not understood.
((${#needed[@]} > 0)) || { echo "$library: no versioned symbols found" >&2; exit 1; }

failed=0
declare -A highest=()
for line in "${needed[@]}"; do
    read -r version symbol <<<"$line"
    name=${version%_*} number=${version##*_}
    limit=${newest[$name]:-}
    if [[ -z $limit || $(printf '%s\n' "$limit" "$number" | sort -V | tail -n 1) != "$limit" ]]; then
        echo "$library: $symbol is newer than ${limit:-anything known there}" >&2
        failed=1
    fi
    highest[$name]=$number
done
for name in "${!highest[@]}"; do
    echo "$(basename "$library"): up to ${name}_${highest[$name]}"
done
exit $failed
