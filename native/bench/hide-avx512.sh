#!/usr/bin/env bash
# Writes a copy of a library whose every CPUID (0f a2) is 06 a2, an instruction that no 64-bit processor has, for
# avx2_only.c to answer with less than the processor can:
#   native/bench/hide-avx512.sh LIBRARY.so COPY.so
# The disassembly tells where they are: the two bytes alone also stand within other instructions.
# needs: binutils, python3
set -euo pipefail
library=${1:?LIBRARY.so} copy=${2:?COPY.so}
places=$(objdump -d --no-show-raw-insn "$library" | sed -nE 's/^ *([0-9a-f]+):[[:blank:]]+cpuid *$/\1/p')
[[ -n $places ]] || { echo "hide-avx512.sh: $library has no CPUID" >&2 && exit 1; }
segments=$(readelf -lW "$library" | awk '$1 == "LOAD" {print $2, $3, $5}')
python3 - "$library" "$copy" "$places" "$segments" <<'PYTHON'
import sys

library, copy, places, segments = sys.argv[1:]
loads = [tuple(int(number, 16) for number in line.split()) for line in segments.splitlines()]
with open(library, "rb") as file:
    content = bytearray(file.read())
for place in (int(text, 16) for text in places.split()):
    offset = next(o + place - address for o, address, size in loads if address <= place < address + size)
    if content[offset : offset + 2] != b"\x0f\xa2":
        sys.exit(f"hide-avx512.sh: no CPUID at {offset:#x} of {library}")
    content[offset] = 0x06
with open(copy, "wb") as file:
    file.write(content)
print(f"hide-avx512.sh: {len(places.split())} CPUID of {library}", file=sys.stderr)
PYTHON
