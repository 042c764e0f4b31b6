#!/usr/bin/env bash
# Runs the tests of the CPU engine, the calibration and the command as if the processor were a lesser one:
#     tools/test-tiers.sh [TIER ..]       all that this processor can be lowered to, unless named
#   portable   no SIMD beyond the baseline: libshrike's portable C, oneDNN up to SSE4.1, OpenBLAS and OpenCV without AVX
#   avx2       AVX2 without AVX-512 and VNNI, OpenBLAS's kernels for Zen
#   avx512     AVX-512 without VNNI, OpenBLAS's kernels for SkylakeX
#   best       all that the processor has, OpenBLAS's kernels for Haswell: other last digits than its own
# One tier by hand, without OpenBLAS's part: mvn -Ptier -Dshrike.cpu.features=1f test
# Tests tagged any-processor stay out; random networks are fewer than in mvn verify, as there are several runs.
# avx512 and best differ from mvn verify itself in little: of them only the tests that choose and compare kernels and
# that fit networks are run, unless TIERS_WHOLE=1.
# ONNX Runtime, which tests compare with, cannot be lowered.
# needs: what mvn verify needs. MVN is the command to call (mvn -B -ntp -q).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
read -r -a maven <<<"${MVN:-mvn -B -ntp -q}"
modules=(platforms/cpu calibration deploy/app)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
fewer=(-Dshrike.plan.graphs=50 -Dshrike.candidates=30 -Dshrike.qonnx.graphs=30)
deciding=TunerTest,KernelCandidatesTest,PlanTest,QuantizedPlanTest,SurveyNetworksTest,QuantizerTest,RateAllocationTest

# Whether the processor has all of these flags of Linux.
has() {
    local flag
    for flag in "$@"; do
        grep -qwE "^flags.*[[:blank:]]$flag" /proc/cpuinfo || return 1
    done
}

offered() {
    echo portable
    [[ $(uname -m) == x86_64 ]] || return 0
    ! has avx2 fma || echo avx2
    ! has avx2 fma avx512f avx512bw avx512dq avx512vl || echo avx512
    ! has avx2 fma || echo best
}

# run TIER FEATURES CORE [OPENCV]: the mask of shrike.h, the core of OpenBLAS, what OpenCV must not use
run() {
    local tier=$1 features=$2 began=$SECONDS variables=(OPENBLAS_CORETYPE="$3") reports
    [[ -z ${4:-} ]] || variables+=(OPENCV_CPU_DISABLE="$4")
    local selection=()
    if [[ $tier == avx512 || $tier == best ]] && [[ ${TIERS_WHOLE:-0} != 1 ]]; then
        selection=(-Dtest="$deciding" -Dsurefire.failIfNoSpecifiedTests=false)
    fi
    reports=("${modules[@]/%//target/surefire-reports}")
    rm -rf "${reports[@]}"
    echo "test-tiers: $tier (features $features, OpenBLAS $3)"
    if ! env "${variables[@]}" "${maven[@]}" -Ptier -Dshrike.cpu.features="$features" "${fewer[@]}" \
        "${selection[@]}" -pl deploy/app -am test >"$log" 2>&1; then
        # Warnings that tests provoke fill screens; what failed stands at the end.
        grep -aE '^\[(ERROR|FATAL)\]|FAILURE|Tests run:.*(Failures: [1-9]|Errors: [1-9])' "$log" | tail -n 60
        echo "test-tiers: $tier failed" >&2
        exit 1
    fi
    # That the tests were told so is in their own reports.
    if grep -rL "name=\"shrike.cpu.features\" value=\"$features\"" --include='TEST-*.xml' "${reports[@]}" | grep .; then
        echo "test-tiers: the reports above are of another tier than $tier" >&2
        exit 1
    fi
    echo "test-tiers: $tier: $(grep -rh '<testcase' --include='TEST-*.xml' "${reports[@]}" | wc -l) tests," \
        "$((SECONDS - began)) s"
}

mapfile -t can < <(offered)
tiers=("$@")
(($# > 0)) || tiers=("${can[@]}")
sed -n 's/^model name[^:]*: /test-tiers: /p' /proc/cpuinfo | sed -n 1p
for tier in "${tiers[@]}"; do
    if [[ " ${can[*]} " != *" $tier "* ]]; then
        echo "test-tiers: this processor cannot be lowered to '$tier', only to ${can[*]}" >&2
        exit 2
    fi
done
for tier in "${tiers[@]}"; do
    case $tier-$(uname -m) in
        portable-x86_64) run portable 0 Prescott AVX512_SKX,AVX2,FMA3,FP16,AVX,SSE4_2,SSE4_1 ;;
        portable-*) run portable 0 ARMV8 ;;
        avx2-*) run avx2 1f Zen AVX512_SKX ;;
        avx512-*) run avx512 3df SkylakeX ;;
        best-*) run best ffffffffffffffff Haswell ;;
    esac
done
