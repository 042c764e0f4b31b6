#!/usr/bin/env bash
# Builds the program for arm64 and checks by its files that a Jetson with JetPack 5 (Ubuntu 20.04, CUDA 11.4, TensorRT
# 8.5.2, cuDNN 8.6) can load it: symbol versions of glibc and libstdc++, names of shared libraries, and no function
# beyond CUDA 11.4 that is looked for before it is called. Runs nothing of arm64.
#
#   platforms/jetson/jetpack-check.sh [APP]     APP is a program that is built or installed already
# needs: mvn, and to build it cmake, make, gcc-aarch64-linux-gnu.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if (($# > 0)); then
    app=$(cd "$1" && pwd)
    cd "$root"
else
    cd "$root"
    mvn -q -B -ntp -Paarch64 -DskipTests package
    app=$root/deploy/app/target/aarch64/app
fi
mvn -B -ntp -pl platforms/jetson -am test -Dtest=JetPack5Test -Dsurefire.failIfNoSpecifiedTests=false \
    -Dshrike.jetpack.app="$app" | grep -E 'JetPack 5|Tests run|ERROR|BUILD'
