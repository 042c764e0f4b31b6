#!/usr/bin/env bash
# Cycles of the NEON inner loops on the Cortex-A72 by llvm-mca: native/bench/mca.sh [SOURCE.c ..]
#
# Compiles the NEON kernels for aarch64 as the library does, cuts every innermost loop that counts bits or multiplies
# out of the assembly and prints cycles an iteration, instructions a cycle and multiply-accumulates a cycle. For codes
# of several bits a multiply-accumulate is one product of a whole weight and a whole activation.
#
# Multiplies are counted from the instructions: a CNT of a 16-byte vector is 128 products of single bits, of which a
# product of w-bit and a-bit codes takes w x a (taken from "w.a." in the function's name); SMLAL, SMULL, UMLAL, UMULL
# are 8 products and FMLA .4s is 4.
# LLVM models the Cortex-A72 as the A57; read differences of less than a tenth as equal.
set -euo pipefail
cd "$(dirname "$0")/.."

mca=${LLVM_MCA:-}
for candidate in llvm-mca llvm-mca-21 llvm-mca-20 llvm-mca-19; do
    [[ -n $mca ]] || ! command -v "$candidate" > /dev/null \
        || [[ $candidate == llvm-mca && -n $(compgen -c llvm-mca-) ]] \
        || mca=$candidate
done
compiler=${CC_AARCH64:-aarch64-linux-gnu-gcc}
for program in "${mca:-llvm-mca}" "$compiler"; do
    command -v "$program" > /dev/null && continue
    echo "mca.sh: $program is missing; on Debian and Ubuntu: sudo apt-get install llvm-19 gcc-aarch64-linux-gnu" >&2
    exit 1
done

sources=("$@")
if [[ ${#sources[@]} -eq 0 ]]; then
    sources=(conv2d_f32/conv2d_f32_portable.c */*_neon.c)
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf '%-44s %9s %6s %6s %9s\n' "inner loop" cycles instr IPC MAC/cycle
for source in "${sources[@]}"; do
    case $source in # as in CMakeLists.txt
        conv2d_f32/*) flags=(-ffp-contract=fast -fno-schedule-insns -fno-tree-pre) ;;
        *) flags=(-ffp-contract=off) ;;
    esac
    "$compiler" -O3 -std=gnu11 -march=armv8-a -mtune=cortex-a72 -fno-math-errno "${flags[@]}" -Iinclude -I. \
        -S "$source" -o "$work/kernels.s"
    sed -i 's/0xffffffffffffff\([0-9a-f][0-9a-f]\)$/0x\1/' "$work/kernels.s" # GCC's way to write bytes of 128 and more
    rm -f "$work"/loop-*.s
    # GCC writes bytes of MOVI as 64 bits, which LLVM refuses.
    sed -i -E 's/(movi\s.*), 0xffffffffffffff/\1, 0x/' "$work/kernels.s"
    # A loop is innermost when nothing but its own instructions lies between its label and the branch back.
    awk -v out="$work" '
        /^[A-Za-z_][A-Za-z0-9_.]*:/ { name = $1; sub(/:.*/, "", name); open = 0 }
        /^\.L[A-Za-z0-9_]*:/ { label = $1; sub(/:.*/, "", label); body = ""; count = 0; open = 1; next }
        !open || /^[ \t]*\./ || /^#/ || /^[ \t]*\/\// || /^[ \t]*$/ { next }
        { body = body $0 "\n"; count++ }
        /^[ \t]+(b\.?[a-z]*|cbn?z|tbn?z)[ \t]/ {
            target = $NF
            if (target == label) {
                if (body ~ /[ \t](cnt|smlal2?|smull2?|umlal2?|umull2?|fmla)[ \t]/) {
                    file = sprintf("%s/loop-%04d.s", out, ++loops)
                    printf "// %s %d\n%s", name, count, body > file
                    close(file)
                }
                open = 0
            } else if ($1 == "b" || $1 == "br") {
                open = 0
            }
        }' "$work/kernels.s"
    for loop in "$work"/loop-*.s; do
        [[ -e $loop ]] || continue
        read -r _ name count < "$loop"
        "$mca" -mtriple=aarch64-linux-gnu -mcpu=cortex-a72 -iterations=1000 -instruction-info=0 -resource-pressure=0 \
            < <(tail -n +2 "$loop") > "$work/report" 2> "$work/errors" || { cat "$work/errors" >&2; exit 1; }
        cycles=$(awk '/^Total Cycles:/ { print $3 / 1000 }' "$work/report")
        awk -v name="$name" -v count="$count" -v cycles="$cycles" '
            BEGIN {
                product = 1
                if (match(name, /w[1-8]a[1-8]/)) {
                    product = substr(name, RSTART + 1, 1) * substr(name, RSTART + 3, 1)
                }
            }
            /^[ \t]+cnt[ \t]/ { macs += 128 / product }
            /^[ \t]+[su]ml(al)?2?[ \t]|^[ \t]+[su]mull2?[ \t]|^[ \t]+[su]mlal2?[ \t]/ { macs += 8 }
            /^[ \t]+fmla[ \t]/ { macs += 4 }
            END { printf "%-44s %9.2f %6d %6.2f %9.2f\n", name, cycles, count, count / cycles, macs / cycles }' "$loop"
    done
done
