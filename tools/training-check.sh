#!/usr/bin/env bash
# Tests what trains networks: fetches PyTorch for Java (114 MB) with the Maven of this machine into
# ${XDG_CACHE_HOME:-~/.cache}/shrike, unless it is there, and runs the tests of the module that need it. About 3 minutes
# on two quiet cores, and those of the download.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [[ $(uname -m) != x86_64 ]]; then
    echo "training-check: there is no PyTorch for Java on $(uname -m): nothing to test"
    exit 0
fi
report=calibration/training/target/surefire-reports/TEST-dev.shrike.training.TorchProcessTest.xml
rm -f "$report"
mvn -B -ntp -q -pl calibration/training -am -Dshrike.native.skipTests=true -Dshrike.training.fetch=true \
    -Dtest=TorchProcessTest -Dsurefire.failIfNoSpecifiedTests=false test
tests=$(grep -c '<testcase' "$report")
if grep -q '<skipped' "$report" || ((tests < 100)); then
    echo "training-check: only $tests tests ran on PyTorch, see $report" >&2
    exit 1
fi
echo "training-check: $tests tests on PyTorch"
