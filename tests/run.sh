#!/bin/sh
# One command that runs every test but the long ones: installs what is missing, builds with
# sanitizers, and ends with the line "N passed, N failed". With an argument, only the tests whose
# name it matches as a regular expression: sh tests/run.sh unit/ or sh tests/run.sh 'e2e/link|tidy'
set -eu

top=$(cd "$(dirname "$0")/.." && pwd -P)
python=/usr/bin/python3

sh "$top/node/deps.sh" tests
echo "Building with sanitizers; the first time takes some minutes."
sh "$top/node/build.sh" check build-check
[ -x "$python" ] || python=python3

# The tally reads what ctest says about every test, so it alone decides how this ends.
ctest --test-dir "$top/build-check" --verbose --parallel 2 --label-exclude '^long$' \
    --tests-regex "${1:-.}" 2>&1 |
    "$python" -B "$top/tests/tally.py" "$top/build-check/tests.log"
