#!/bin/sh
# Fuzzes each target for a while, by hand: sh tests/fuzz/run.sh [SECONDS [TARGET...]]
# Needs clang and its runtime (on Debian 12: clang and libclang-rt-14-dev). New inputs stay in the
# build folder; what is worth keeping is copied to tests/fuzz/corpus/<noun>/ after a look at it.
set -eu

seconds=${1:-60}
[ $# -eq 0 ] || shift
here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)

if ! command -v clang >/dev/null 2>&1; then
    echo "Fuzzing needs clang; on Debian 12: apt-get install clang libclang-rt-14-dev" >&2
    exit 1
fi
sh "$top/node/deps.sh" tests
sh "$top/node/build.sh" fuzz build-fuzz

if [ $# -eq 0 ]; then
    for source in "$here"/fuzz_*.c; do
        noun=${source##*/fuzz_}
        set -- "$@" "${noun%.c}"
    done
fi
failed=0
for noun in "$@"; do
    found=$top/build-fuzz/found/$noun
    mkdir -p "$found"
    echo "Fuzzing $noun for $seconds s"
    if "$top/build-fuzz/tests/fuzz_$noun" -max_total_time="$seconds" -max_len=65536 \
        -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$found-" \
        "$found" "$here/corpus/$noun" >"$found.log" 2>&1; then
        grep -E 'number_of_executed_units|new_units_added' "$found.log"
    else
        failed=$((failed + 1))
        tail -n 40 "$found.log"
        echo "$noun failed; the input is beside build-fuzz/found/$noun.log" >&2
    fi
done
[ "$failed" -eq 0 ]
