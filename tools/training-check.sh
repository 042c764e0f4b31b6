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
reports=calibration/training/target/surefire-reports
rm -f "$reports"/TEST-dev.shrike.training.{TorchProcess,MethodRun}Test.xml
# In this order: the first fetches what the second only uses.
for class in TorchProcessTest MethodRunTest; do
    mvn -B -ntp -q -pl calibration/training -am -Dshrike.native.skipTests=true -Dshrike.training.fetch=true \
        -Dtest="$class" -Dsurefire.failIfNoSpecifiedTests=false test
done
tests=$(cat "$reports"/TEST-dev.shrike.training.{TorchProcess,MethodRun}Test.xml | grep -c '<testcase')
if grep -q '<skipped' "$reports"/TEST-dev.shrike.training.{TorchProcess,MethodRun}Test.xml || ((tests < 100)); then
    echo "training-check: only $tests tests ran on PyTorch, or some were skipped, see $reports" >&2
    exit 1
fi
echo "training-check: $tests tests on PyTorch"
