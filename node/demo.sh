#!/bin/sh
# A demonstration with three members on this machine: real processes, real stores, loopback only.
# It tells what happens, takes less than a minute, and ends with an error if the three do not
# agree. Everything it makes is removed again.
set -eu

room=$(cd "$(dirname "$0")" && pwd -P)
kith=${KITH_BINARY:-$room/../build/kith}
books=${KITH_TEST_DATA:-$room/../../shared/data}/vcards
place=$(mktemp -d)
running=

say() { printf '\n%s\n' "$*"; }
tell() { printf '  %s\n' "$*"; }
fail() { printf '\nThe demonstration failed: %s\n' "$*" >&2; exit 1; }

finish() {
    for pid in $running; do kill -9 "$pid" 2>/dev/null || true; done
    rm -rf "$place"
}
trap finish EXIT
trap 'exit 130' INT TERM

as() { who=$1; shift; "$kith" --home "$place/$who" --no-input "$@"; }

# start WHO [HOST]: runs the node and waits for its ready line.
start() {
    "$kith" --home "$place/$1" --no-input run --listen "${2:-127.0.0.1}:0" --json \
        >"$place/$1.out" 2>"$place/$1.err" &
    pid=$!
    running="$running $pid"
    echo "$pid" >"$place/$1.pid"
    tries=0
    until grep -q '"ready":true' "$place/$1.out" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || fail "the node of $1 did not start: $(cat "$place/$1.err")"
        sleep 0.05
    done
}

stop() { as "$1" stop >/dev/null; wait "$(cat "$place/$1.pid")" 2>/dev/null || true; }

# await SECONDS COMMAND...: until the command succeeds.
await() {
    left=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}

# The text of one key of a flat JSON answer, without any tool a fresh machine may lack.
value() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
contacts_of() { as "$1" contact list --limit 0 --json | number total; }
title_of() { as "$1" peer show "$2" --json | sed 's/.*"card"://' | value title; }
shows() { [ "$(title_of "$1" "$2")" = "$3" ]; }

# Real address books where they are, this project's own samples otherwise.
book() { if [ -f "$books/$1" ]; then echo "$books/$1"; else echo "$room/samples/$2"; fi; }

link() {
    uri=$(as "$1" peer invite "$3" --json | value uri)
    as "$2" peer accept "$uri" --json >"$place/accepted"
    grep -q '"state":"linked"' "$place/accepted" ||
        fail "$3 could not accept: $(cat "$place/accepted")"
}

say "Three people, each with an address book on their own machine."
as ana init --name "Ana" --title "Baker" >/dev/null
as bruno init --name "Bruno" --title "Carpenter" >/dev/null
as chie init --name "Chie" --title "Nurse" >/dev/null
for one in "Ana ana ez-vcard/gmail-list.vcf" "Bruno bruno ez-vcard/John_Doe_ANDROID.vcf" \
    "Chie chie ez-vcard/rfc2426-example.vcf"; do
    set -- $one
    as "$2" import "$(book "$3" "$2.vcf")" --json >"$place/imported"
    count=$(number new <"$place/imported")
    [ "${count:-0}" -gt 0 ] || fail "$1's address book was not read: $(cat "$place/imported")"
    tell "$1 brings $count people along."
done

say "They start their nodes. Nobody else is in the middle."
for who in ana bruno chie; do start "$who"; done

say "Ana invites Bruno, Bruno invites Chie: one text each, used once."
link ana bruno Bruno
link bruno chie Chie
words=$(as ana peer words Bruno --json | value words)
[ "$words" = "$(as bruno peer words Ana --json | value words)" ] || fail "the safety words differ"
tell "Ana and Bruno read the same safety words to one another: $words"
as ana peer compared Bruno >/dev/null
as bruno peer compared Ana >/dev/null

say "Bruno loses his job and says so on his card. Ana and Chie see it at once."
as bruno me edit --title "Looking for work" >/dev/null
await 10 shows ana Bruno "Looking for work" || fail "Ana does not see Bruno's card"
await 10 shows chie Bruno "Looking for work" || fail "Chie does not see Bruno's card"
tell "Ana sees: Bruno, $(title_of ana Bruno)"

say "Bruno types in the people he met on the train, and his machine dies in the middle (kill -9)."
before=$(contacts_of bruno)
: >"$place/written"
(
    for one in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        as bruno contact add "Somebody from the train $one" --note "knows a joinery" --json
    done >"$place/written" 2>/dev/null
) &
typing=$!
running="$running $typing"
await 10 grep -q "from the train 3" "$place/written" || fail "Bruno could not write"
kill -9 "$(cat "$place/bruno.pid")"
wait "$(cat "$place/bruno.pid")" 2>/dev/null || true
wait "$typing" 2>/dev/null || true
written=$(grep -c '"id"' "$place/written" || true)
tell "$written of them were acknowledged, before and after it died."

say "Meanwhile both sides go on without a network."
stop ana
as ana me edit --title "Baker, hiring" >/dev/null
as ana contact add "A joinery in town" --tag lead >/dev/null
as bruno me edit --title "Carpenter, looking for work" >/dev/null
tell "Ana and Bruno each changed their card with no node running."

say "They come back, Bruno at another address, and find one another."
start bruno 127.0.0.2
start ana
await 20 shows ana Bruno "Carpenter, looking for work" ||
    fail "Ana does not see what Bruno wrote offline"
await 20 shows bruno Ana "Baker, hiring" || fail "Bruno does not see what Ana wrote offline"
await 20 shows chie Bruno "Carpenter, looking for work" ||
    fail "Chie does not see what Bruno wrote offline"
[ "$(contacts_of bruno)" -ge "$((before + written))" ] ||
    fail "of $written people acknowledged around the kill some are gone"
as bruno contact show "Somebody from the train 3" >/dev/null || fail "an acknowledged edit is gone"
tell "Everybody from the train is there."

say "Do they all agree?"
for pair in "ana Bruno bruno" "bruno Ana ana" "bruno Chie chie" "chie Bruno bruno"; do
    set -- $pair
    seen=$(as "$1" peer show "$2" --json | sed 's/.*"card"://; s/}}.*/}/')
    own=$(as "$3" me show --json)
    [ "$seen" = "$own" ] || fail "$1 sees another card of $2 than $2 wrote: $seen and $own"
done
tell "Yes: every card is seen as its owner wrote it."
if as bruno contact show "A joinery in town" >/dev/null 2>&1; then
    fail "Ana's address book reached Bruno"
fi
tell "And nobody's address book went anywhere: Ana's joinery is in hers alone."
for who in ana bruno chie; do
    as "$who" doctor >/dev/null || fail "the store of $who is not well: $(as "$who" doctor)"
done
for who in ana bruno chie; do stop "$who"; done
say "That was kith. Begin your own: sh node/run.sh"
