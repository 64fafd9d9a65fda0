#!/bin/sh
# Configures and builds one preset: sh node/build.sh PRESET FOLDER
# Quiet while all is well; what the tools said is kept in FOLDER/build.log and shown when it fails.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd -P)
preset=$1
folder=$top/$2
log=$folder/build.log

# CMake refuses a cache that was made in another place: a folder that was moved begins anew.
cache=$folder/CMakeCache.txt
if [ -f "$cache" ] && ! grep -Fqx "CMAKE_HOME_DIRECTORY:INTERNAL=$top" "$cache"; then
    rm -rf "$folder"
fi
mkdir -p "$folder"
# Presets are looked for in the working directory.
if ! (cd "$top" && cmake --preset "$preset" && cmake --build --preset "$preset" -j 2) \
    >"$log" 2>&1; then
    cat "$log" >&2
    echo "kith: the build failed; the lines above are in $2/build.log" >&2
    exit 1
fi
