#!/bin/sh
# Every test that is not labelled long: installs what is missing, builds with sanitizers and warnings as errors, runs, and
# closes with one line: N passed, N failed. An argument is a pattern that picks tests: sh tests/run.sh unit/session
set -u

room=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$room/.." && pwd -P)
log=$top/build-check/tests.log

sh "$top/node/deps.sh" tests || exit 1
sh "$top/node/build.sh" check build-check || exit 1
cd "$top/build-check" || exit 1
# Two programs at a time; -V so that every case is seen, whatever its program's verdict.
ctest -j 2 -V -LE long ${1:+-R "$1"} >"$log" 2>&1
verdict=$?
python3 "$room/count.py" "$log" "$verdict"
