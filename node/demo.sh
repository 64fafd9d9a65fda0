#!/bin/sh
# A demonstration with seven members on this machine: real processes, real stores, loopback only.
# It tells what happens, takes less than a minute, and ends with an error if the seven do not
# agree. Everything it makes is removed again, however it ends.
set -eu

room=$(cd "$(dirname "$0")" && pwd -P)
kith=${KITH_BINARY:-$room/../build/kith}
books=${KITH_TEST_DATA:-$room/../../shared/data}
everybody="ana bruno chie dora emil farah goran"
linked="ana:bruno bruno:chie ana:dora dora:emil emil:farah farah:goran goran:chie"

say() { printf '\n%s\n' "$*"; }
tell() { printf '  %s\n' "$*"; }
fail() { printf '\nThe demonstration failed: %s\n' "$*" >&2; exit 1; }

# Whatever happens: every process begun here is ended by its id and waited for, so that none
# writes into the folder while it is removed. Who types stops at the word "over" by themselves.
finish() {
    trap '' HUP INT PIPE TERM
    : >"$place/over"
    for file in "$place"/*.pid; do
        [ ! -f "$file" ] || kill -9 "$(cat "$file")" 2>/dev/null || true
    done
    # A node begun a moment ago has not written its id yet, or its id is not even known by name.
    [ "$begun" != now ] || begun=${!:-}
    [ "$begun" != "$last" ] || begun=
    [ -z "$begun" ] || kill -9 "$begun" 2>/dev/null || true
    wait
    rm -rf "$place"
}

as() { who=$1; shift; "$kith" --home "$place/$who" --no-input "$@"; }

# start WHO [HOST]: runs the node and waits for its ready line.
start() {
    last=${!:-}
    begun=now
    "$kith" --home "$place/$1" --no-input run --listen "${2:-127.0.0.1}:0" --json \
        >"$place/$1.out" 2>"$place/$1.err" &
    begun=$!
    echo "$begun" >"$place/$1.pid"
    begun=
    tries=0
    until grep -q '"ready":true' "$place/$1.out" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || fail "the node of $1 did not start: $(cat "$place/$1.err")"
        sleep 0.05
    done
}

# gone WHO: waits until the node has ended; its id is not ours to end any more.
gone() {
    wait "$(cat "$place/$1.pid")" 2>/dev/null || true
    rm -f "$place/$1.pid"
}

stop() { as "$1" stop >/dev/null || fail "the node of $1 did not stop"; gone "$1"; }

die() { kill -9 "$(cat "$place/$1.pid")"; gone "$1"; }

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
first_id() { sed -n 's/^[^[]*\[{"id":"\([^"]*\)".*/\1/p'; }

contacts_of() { as "$1" contact list --limit 0 --json | number total; }
card_of() { as "$1" peer show "$2" --json | sed -n 's/.*"card":\({[^}]*}\).*/\1/p'; }
title_of() { card_of "$1" "$2" | value title; }
shows() { [ "$(title_of "$1" "$2")" = "$3" ]; }

# same_card WHO OTHER: WHO holds the card of OTHER exactly as OTHER wrote it.
same_card() { [ "$(card_of "$1" "$2")" = "$(as "$2" me show --json)" ]; }

# vouched WHO FLAG...: WHO lists what Ana wrote about Bruno, and has verified it.
vouched() {
    teller=$1
    shift
    as "$teller" endorsement list "$@" --json >"$place/seen"
    grep -q "\"id\":\"$endorsement\"" "$place/seen" && grep -q '"verified":true' "$place/seen"
}

# heard WHO: WHO has the ask; said WHO KEY TEXT: among the answers WHO holds is this.
heard() { as "$1" ask show "$ask" --json; }
said() { as "$1" lead list --json | grep -q "\"$2\":\"$3\""; }
thanked() { as "$1" log --json | grep '"kind":"thanks"' | grep -q "$2"; }

intro_id() { as "$1" intro list --json | first_id; }
intro_is() { as "$1" intro list --json | grep -q "\"state\":\"$2\""; }

# brings WHO NAME TRADE BOOK SAMPLE: a person with their own machine and address book: a real one
# where it is, this project's own sample otherwise.
brings() {
    as "$1" init --name "$2" --title "$3" >/dev/null
    book=$books/$4
    [ -f "$book" ] || book=$room/samples/$5
    as "$1" import "$book" --json >"$place/imported"
    count=$(number new <"$place/imported")
    [ "${count:-0}" -gt 0 ] || fail "$2's address book was not read: $(cat "$place/imported")"
    noun=people
    [ "$count" -ne 1 ] || noun=person
    tell "$2, $3, brings $count $noun along."
}

link() {
    uri=$(as "$1" peer invite "$2" --json | value uri)
    as "$2" peer accept "$uri" --json >"$place/accepted"
    grep -q '"state":"linked"' "$place/accepted" ||
        fail "$2 could not accept: $(cat "$place/accepted")"
}

people() {
    say "Seven people, each with an address book on their own machine."
    brings ana Ana Baker vcards/ez-vcard/gmail-list.vcf ana.vcf
    brings bruno Bruno Carpenter vcards/ez-vcard/John_Doe_ANDROID.vcf bruno.vcf
    brings chie Chie Nurse vcards/ez-vcard/rfc2426-example.vcf chie.vcf
    brings dora Dora "Boat builder" linkedin-csv/rows22.csv dora.csv
    brings emil Emil Bookkeeper vcards/kcontacts/vcard8.vcf emil.vcf
    brings farah Farah Teacher linkedin-csv/preamble-unquoted-2lines-columns-moved.csv farah.csv
    brings goran Goran Ferryman vcards/android/v21_multiple_entry.vcf goran.vcf

    say "They start their nodes. Nobody else is in the middle."
    for one in $everybody; do start "$one"; done
}

links() {
    say "They invite one another: one text each, used once."
    for pair in $linked; do link "${pair%:*}" "${pair#*:}"; done
    tell "Ana knows Bruno and Dora; Bruno and Dora do not know one another."
    tell "Chie, Emil, Farah and Goran close the circle."
    words=$(as ana peer words bruno --json | value words)
    [ -n "$words" ] || fail "there are no safety words"
    [ "$words" = "$(as bruno peer words ana --json | value words)" ] ||
        fail "the safety words differ"
    tell "Ana and Bruno read the same safety words to one another: $words"
    as ana peer compared bruno >/dev/null
    as bruno peer compared ana >/dev/null

    say "Bruno loses his job and says so on his card. Ana and Chie see it at once."
    as bruno me edit --title "Looking for work" >/dev/null
    await 10 shows ana bruno "Looking for work" || fail "Ana does not see Bruno's card"
    await 10 shows chie bruno "Looking for work" || fail "Chie does not see Bruno's card"
    tell "Ana sees: Bruno, $(title_of ana bruno)"
}

vouch() {
    say "Ana vouches for Bruno, in her own words."
    praise="Built the shelves of my bakery, on time and true."
    as ana endorse bruno --about carpentry --relation client --words "$praise" --json \
        >"$place/endorsed"
    endorsement=$(value id <"$place/endorsed")
    [ -n "$endorsement" ] || fail "Ana could not endorse Bruno: $(cat "$place/endorsed")"
    tell "\"$praise\""
    await 10 as bruno endorsement show "$endorsement" || fail "Bruno did not get Ana's words"
    as chie sync bruno --wait 10 >/dev/null || fail "Chie and Bruno are not in step"
    if vouched chie --of bruno; then fail "Chie sees what Bruno has not accepted"; fi
    tell "Nobody sees it before Bruno wants it seen. He accepts, for his peers."
    as bruno endorsement accept "$endorsement" --to peers >/dev/null
    await 10 vouched chie --of bruno || fail "Chie does not see what Ana wrote about Bruno"
    grep -q "\"words\":\"$praise\"" "$place/seen" || fail "Chie reads other words than Ana wrote"
    tell "Chie, who never met Ana, reads it: endorsed by Ana, signature verified."
}

asked() {
    say "Bruno writes one honest line: he is looking for work."
    ask=$(as bruno ask post "I build stages, stairs and boats, and my bench is empty." \
        --title "Carpenter looking for work" --tag carpentry --json | value id)
    [ -n "$ask" ] || fail "Bruno could not ask"
    await 10 heard ana || fail "Ana did not hear of Bruno's ask"
    await 10 heard chie || fail "Chie did not hear of Bruno's ask"
    tell "Ana and Chie have it, and nobody else: an ask goes on by hand alone."
    as chie ask pass "$ask" --to goran --note "He built our stage." >/dev/null
    await 10 heard goran || fail "Goran did not hear of Bruno's ask"
    as goran ask pass "$ask" --to farah >/dev/null
    await 10 heard farah || fail "Farah did not hear of Bruno's ask"
    tell "Chie passes it to Goran, and he to Farah: three hops, as far as Bruno allowed."
    if as farah ask pass "$ask" --to emil >/dev/null 2>&1; then
        fail "Farah could pass it further than Bruno allowed"
    fi

    say "Chie closes her machine. Farah, who has never met Bruno, knows something."
    stop chie
    as farah ask reply "$ask" --text "Our school needs a stage by spring. Call the office." \
        >/dev/null
    as farah sync goran --wait 10 >/dev/null || fail "Farah's lead did not reach Goran"
    if said bruno through Chie; then fail "the lead came by a way that was closed"; fi
    tell "Her lead is sealed for Bruno. It waits with Goran until Chie is back."
    start chie
    await 20 said bruno through Chie || fail "Farah's lead did not reach Bruno"
    said bruno text "Our school needs a stage by spring. Call the office." ||
        fail "Bruno reads other words than Farah wrote"
    tell "Bruno reads: $(as bruno lead list --json | value text)"
    for one in goran chie; do
        if as "$one" log --json | grep -q "Our school"; then fail "$one could read the lead"; fi
        if said "$one" kind lead; then fail "$one holds a lead that is not theirs"; fi
    done
    as bruno thanks "$(as bruno lead list --json | first_id)" "I start on Monday." >/dev/null
    for one in chie goran farah; do
        await 10 thanked "$one" "I start on Monday" || fail "$one was not thanked"
    done
    tell "He thanks, and all three who made it happen hear of it: Chie, Goran and Farah."
    tell "What each gave and asked is for themselves to see:"
    tell "  Chie: $(as chie balance --json | value sentence)"
}

introduced() {
    say "Ana knows that Dora needs a carpenter. She introduces the two."
    as ana introduce dora bruno --why "Dora needs a carpenter, and Bruno is a good one." \
        >/dev/null
    await 10 intro_is dora offered || fail "Dora did not hear of the introduction"
    as ana sync bruno --wait 10 >/dev/null || fail "Ana and Bruno are not in step"
    if intro_is bruno offered; then fail "Bruno was told before Dora agreed"; fi
    tell "Dora is asked first; had she said no, Bruno would never know. She says yes."
    as dora intro accept "$(intro_id dora)" --message "Come and see the yard." >/dev/null
    await 10 intro_is bruno offered || fail "Bruno did not hear of the introduction"
    tell "Bruno is asked, and says yes too."
    as bruno intro accept "$(intro_id bruno)" >/dev/null
    await 20 intro_is dora connected || fail "Dora is not linked with Bruno"
    await 20 intro_is bruno connected || fail "Bruno is not linked with Dora"
    linked="$linked dora:bruno"
    await 10 same_card dora bruno || fail "Dora does not hold Bruno's card"
    await 10 same_card bruno dora || fail "Bruno does not hold Dora's card"
    await 10 vouched dora --of bruno || fail "Dora does not see what Ana wrote about Bruno"
    tell "Dora and Bruno are introduced: each holds the other's card, and Dora reads Ana's words."

    say "Ana closes her machine. Dora and Bruno do not need her any more."
    stop ana
    as dora me edit --title "Boat builder, one bench free" >/dev/null
    await 10 shows bruno dora "Boat builder, one bench free" ||
        fail "Bruno does not see what Dora wrote while Ana was away"
    as bruno sync dora --wait 10 >/dev/null || fail "Dora and Bruno are not in step"
    tell "Bruno sees: Dora, $(title_of bruno dora)"
}

# Types until the train arrives; what fails with the machine is typed no second time.
type_people() {
    one=0
    while [ "$one" -lt 300 ] && [ ! -f "$place/arrived" ] && [ ! -f "$place/over" ]; do
        one=$((one + 1))
        as bruno contact add "Somebody from the train $one" --note "knows a joinery" --json || true
    done >"$place/written" 2>/dev/null
}

acknowledged() { grep -c '"id"' "$place/written" || true; }
more_than() { [ "$(acknowledged)" -gt "$1" ]; }

killed() {
    say "Bruno types in the people he met on the train; his machine dies in the middle (kill -9)."
    before=$(contacts_of bruno)
    : >"$place/written"
    type_people &
    typing=$!
    await 10 more_than 5 || fail "Bruno could not write"
    die bruno
    alive=$(acknowledged)
    await 10 more_than $((alive + 5)) || fail "Bruno could not write after his machine died"
    : >"$place/arrived"
    wait "$typing" || fail "Bruno could not finish typing"
    written=$(acknowledged)
    tell "$alive were acknowledged before it died, $((written - alive)) after it."
}

apart() {
    say "Meanwhile everybody goes on, with a network and without."
    stop emil
    as ana me edit --title "Baker, hiring" >/dev/null
    as ana contact add "A joinery in town" --tag lead >/dev/null
    as bruno me edit --title "Carpenter, looking for work" >/dev/null
    as emil me edit --place "By the harbour" >/dev/null
    tell "Ana, Bruno and Emil each changed their card with no node running."
    as dora me edit --title "Boat builder, two benches free" >/dev/null
    as farah me edit --title "Teacher of navigation" >/dev/null
    await 10 shows goran farah "Teacher of navigation" || fail "Goran does not see Farah's card"
    tell "Dora and Farah changed theirs online; whoever is away has missed it."
}

back() {
    say "They come back, Bruno at another address, and find one another."
    start bruno 127.0.0.2
    start ana
    start emil
    for one in ana chie dora; do
        await 20 shows "$one" bruno "Carpenter, looking for work" ||
            fail "$one does not see what Bruno wrote offline"
    done
    await 20 shows bruno ana "Baker, hiring" || fail "Bruno does not see what Ana wrote offline"
    await 20 shows bruno dora "Boat builder, two benches free" ||
        fail "Bruno does not see what Dora wrote meanwhile"
    await 20 shows emil farah "Teacher of navigation" ||
        fail "Emil does not see what Farah wrote meanwhile"
    tell "Ana, Chie and Dora see: Bruno, $(title_of dora bruno)"
    [ "$(contacts_of bruno)" -ge "$((before + written))" ] ||
        fail "of $written people acknowledged around the kill some are gone"
    as bruno contact show "Somebody from the train 3" >/dev/null ||
        fail "an acknowledged edit is gone"
    tell "Everybody from the train is there, all $written."
}

# agree WHO OTHER: WHO holds the card of OTHER as OTHER has it, within a bounded time.
agree() {
    await 15 same_card "$1" "$2" ||
        fail "$1 sees another card of $2 than $2 wrote: $(card_of "$1" "$2")"
    seen=$((seen + 1))
}

agreed() {
    say "Do they all agree?"
    seen=0
    for pair in $linked; do
        agree "${pair%:*}" "${pair#*:}"
        agree "${pair#*:}" "${pair%:*}"
    done
    tell "Yes: all seven see every card they hold, $seen in all, as its owner wrote it."
    for one in dora:bruno bruno:dora; do
        as "${one%:*}" peer show "${one#*:}" --json >"$place/seen"
        through="$(value level <"$place/seen") by $(value via <"$place/seen")"
        [ "$through" = "introduced by Ana" ] ||
            fail "${one%:*} does not know who introduced ${one#*:}: $(cat "$place/seen")"
    done
    tell "Dora and Bruno know one another through Ana."
    vouched bruno --received || fail "Bruno does not hold Ana's endorsement, verified"
    for one in chie dora; do
        vouched "$one" --of bruno || fail "$one does not see Ana's endorsement of Bruno, verified"
    done
    tell "Ana's endorsement of Bruno verifies with Bruno, Chie and Dora."
    for one in bruno chie dora emil farah goran; do
        if as "$one" contact show "A joinery in town" >/dev/null 2>&1; then
            fail "Ana's address book reached $one"
        fi
    done
    tell "And nobody's address book went anywhere: Ana's joinery is in hers alone."
    for one in $everybody; do
        as "$one" doctor >"$place/doctor" ||
            fail "the store of $one is not well: $(cat "$place/doctor")"
    done
    tell "All seven stores are healthy."
    for one in $everybody; do stop "$one"; done
}

begun= last=
place=$(mktemp -d)
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

people
links
vouch
asked
introduced
killed
apart
back
agreed
say "That was kith. Begin your own: sh node/run.sh"
