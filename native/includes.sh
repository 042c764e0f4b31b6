#!/usr/bin/env bash
# Whether folders include each other's headers without rings: native/includes.sh [ROOT], the folders of ROOT (native/).
# Tests and benches are programs, which nothing includes, and may take what they like.
set -euo pipefail
root=$(realpath "${1:-$(dirname "$0")}")
cd "$root"

# "folder folder" for each include of a file that lies in ROOT, beside the including one or in include/, as in C.
pairs() {
    local file line name place
    while IFS=: read -r file line; do
        name=${line#*\"} name=${name%%\"*} file=${file#./}
        for place in "${file%/*}/$name" "$name" "include/$name"; do
            if [[ -e $place ]]; then
                place=$(realpath --relative-to=. "$place")
                echo "${file%%/*} ${place%%/*}"
                break
            fi
        done
    done < <(grep -rE --include='*.[ch]' --include='*.cpp' --exclude='*_test.c' --exclude='*_bench.c' \
        --exclude-dir=build --exclude-dir=target --exclude-dir=test '^#include "' .)
}

# tsort takes a folder beside itself for a fact, not for a ring.
edges=$(pairs | LC_ALL=C sort -u)
[[ -n $edges ]] || { echo "includes.sh: no includes below $root" >&2; exit 1; }
if ! loops=$(LC_ALL=C tsort <<< "$edges" 2>&1 > /dev/null); then
    echo "includes.sh: a ring of folders: $(sed -n 's/^tsort: \([a-z0-9_]*\)$/\1/p' <<< "$loops" | sort | xargs)" >&2
    exit 1
fi
if grep -E '^conv2d_(q_igemm conv2d_bitserial|bitserial conv2d_q_igemm)$' <<< "$edges"; then
    echo "includes.sh: the ways to convolve codes know nothing of each other" >&2
    exit 1
fi
