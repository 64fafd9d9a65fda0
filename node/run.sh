#!/bin/sh
# One command from a fresh clone to a running node: installs what is missing, builds, makes an
# identity if there is none, and serves. Flags go to kith run: sh node/run.sh --listen 127.0.0.1:0
# sh node/run.sh demo plays seven members on this machine instead.
set -eu

room=$(cd "$(dirname "$0")" && pwd -P)
kith=$(cd "$room/.." && pwd -P)/build/kith
story=${1:-}

# Everything before kith itself speaks on stderr, so that with --json stdout holds nothing else.
sh "$room/deps.sh" run >&2
[ -x "$kith" ] || echo "Building kith; the first time takes about a minute." >&2
sh "$room/build.sh" release build >&2

if [ "$story" = demo ]; then
    shift
    exec sh "$room/demo.sh" "$@"
fi

# The flags that say which home is meant, and what protects it, must reach init too.
home=
passphrase=
flag=
for word in "$@"; do
    case $flag in
    --home) home=$word ;;
    --passphrase-file) passphrase=$word ;;
    esac
    flag=
    case $word in
    --home | --passphrase-file) flag=$word ;;
    --home=*) home=${word#*=} ;;
    --passphrase-file=*) passphrase=${word#*=} ;;
    esac
done
if [ -n "$home" ]; then
    KITH_HOME=$home
    export KITH_HOME
fi

# Exit code 3 of status means that nobody lives here; every other failure is told by run itself.
code=0
"$kith" status --json --no-input </dev/null >/dev/null 2>&1 || code=$?
if [ "$code" -eq 3 ]; then
    "$kith" init ${passphrase:+--passphrase-file "$passphrase"} >&2
fi

cat >&2 <<END

In another terminal, first type:
  PATH="\$PATH:${kith%/*}"
Then kith says how things stand and what to do next, and kith help what else there is.
Ctrl-C here ends the node; nothing is lost.

END
exec "$kith" run "$@"
