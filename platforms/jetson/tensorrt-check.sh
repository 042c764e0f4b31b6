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
folder='' # set below
# shellcheck source=/dev/null
. platforms/jetson/nvidia-libraries.sh
[[ $(uname -m) == x86_64 ]] || { echo "tensorrt-check: the redist libraries are for x86_64" >&2; exit 2; }
nvidia_folder "$@"
nvidia_java
nvidia_fetch tensorrt libnvinfer.so.8 libnvonnxparser.so.8 libnvinfer_plugin.so.8
nvidia_fetch cuda libcudart.so.11.0 libnvrtc.so.11.2 libnvrtc-builtins.so.11.8
nvidia_jni
nvidia_stubs cudart cublas cudnn nvrtc nvinfer nvonnxparser nvinfer_plugin

export LD_LIBRARY_PATH=$folder/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
mvn -B -ntp -pl platforms/jetson -am test -Dtest=RealTensorRtTest -Dsurefire.failIfNoSpecifiedTests=false \
    -Dshrike.tensorrt.real=true | grep -vE '^\[INFO\] *$'
