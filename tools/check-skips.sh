#!/usr/bin/env bash
# Fails if the last mvn verify or test skipped a test that need not be skipped here: tools/check-skips.sh
# What may be skipped, and where, is in tools/expected-skips.txt.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shared=${SHRIKE_SHARED:-../shared}
places=(anywhere)
[[ -d $shared/models ]] || places+=(no-data)
((EUID != 0)) || places+=(root)
[[ ${SHRIKE_TEST_NPM:-} == 1 ]] || places+=(no-npm)

mapfile -t reports < <(find . -path '*/target/*-reports/TEST-*.xml' | sort)
((${#reports[@]} > 0)) || {
    echo 'check-skips: no reports; run mvn verify first' >&2
    exit 2
}
awk -v places=" ${places[*]} " '
    FNR == NR {
        if ($0 ~ /^[^#]/ && index(places, " " $1 " ")) {
            class[++count] = $2
            text = $0
            sub(/^[^ ]+ +[^ ]+ +/, "", text)
            message[count] = text
        }
        next
    }
    /<testcase / {
        tests++
        name = $0
        match(name, /classname="[^"]*"/)
        test = substr(name, RSTART + 11, RLENGTH - 12)
        sub(/.*\./, "", test)
        match(name, / name="[^"]*"/)
        method = substr(name, RSTART + 7, RLENGTH - 8)
    }
    /<skipped/ {
        skips++
        expected = 0
        for (i = 1; i <= count; i++) {
            expected = expected || ((class[i] == "*" || class[i] == test) && index($0, message[i]))
        }
        if (!expected) {
            unexpected++
            sub(/^ */, "")
            print "check-skips: " test "." method " must not be skipped here: " $0 > "/dev/stderr"
        }
    }
    END {
        printf "check-skips: %d tests, %d skipped, %d of them not expected (%s)\n", tests, skips, unexpected, places
        exit unexpected > 0
    }' tools/expected-skips.txt "${reports[@]}"
