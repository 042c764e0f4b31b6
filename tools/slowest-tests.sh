#!/usr/bin/env bash
# Lists the test classes that took longest in the last mvn verify or test: tools/slowest-tests.sh [HOW_MANY]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
find . -path '*/target/*-reports/TEST-*.xml' -exec grep -hm1 '<testsuite ' {} + \
    | sed -E 's/.* name="([^"]*)" time="([0-9.,]*)".*/\2 \1/' | tr -d , | sort -rn \
    | awk -v most="${1:-20}" '{ sum += $1 } NR <= most { printf "%8.1f s  %s\n", $1, $2 }
        END { printf "%8.1f s  all %d test classes, one after another\n", sum, NR }'
