#!/usr/bin/env bash
# Formats the C sources and headers of native/ with clang-format and its profile; --check only names what would change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v clang-format >/dev/null || {
    echo "format-native: clang-format is missing: apt-get install clang-format" >&2
    exit 1
}
mapfile -d '' files < <(git ls-files -z --cached --others --exclude-standard 'native/*.[ch]' 'native/*.cpp')
((${#files[@]} > 0)) || {
    echo "format-native: no C sources below native/" >&2
    exit 1
}
case ${1:-} in
    "") clang-format --style=file -i "${files[@]}" ;;
    --check) clang-format --style=file --dry-run --Werror "${files[@]}" ;;
    *)
        echo "usage: tools/format-native.sh [--check]" >&2
        exit 2
        ;;
esac
