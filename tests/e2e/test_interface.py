"""What people and programs see of kith, held against the promise: every command there is, each key
of its answer with its type, each code it ends with. The tables are this test's own; names in them
are fixed, because scripts are written against them. What is added beside them is free."""
import json
import os
import re
import subprocess

import typed
from kithtest import KITH, link, run, until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
DID = re.compile(r"did:key:z6Mk\w+")
PLACE = re.compile(r"(\[[0-9a-f:]+\]|[0-9.]+):\d+")


def one_of(*words):
    return re.compile("|".join(re.escape(word) for word in words))


# A shape is a type; a pattern, of a text; [shape], of a list; or keys. A key that ends in "?" is
# left out where there is nothing to say; somewhere in the story there is.
STATUS = {
    "v": int, "member": DID, "name": str, "device": str, "node": one_of("running", "stopped"),
    "pid?": int, "listen?": [PLACE], "contacts": int, "entries": int, "undelivered": int,
    "key_protection": one_of("passphrase", "file permissions only"),
    "peers": {"total": int, "online": int},
    "endorsements": {"given": int, "received": int, "shown": int, "pending": int},
    "introductions": {"waiting_for_me": int, "open": int}, "asks": {"mine": int, "open": int}}
CARD = {"member": DID, "name": str, "org?": str, "title?": str, "emails?": [str], "phones?": [str],
        "place?": str, "urls?": [str]}
WRITTEN = {"name?": str, "org?": str, "title?": str, "emails?": [str], "phones?": [str],
           "urls?": [str], "place?": str}
CONTACT = {
    "id": str, "kind": one_of("person", "org"), "name": str, "org?": str, "title?": str,
    "emails?": [str], "phones?": [str], "urls?": [str], "place?": str, "tags?": [str], "note?": str,
    "met?": str, "labels?": {}, "member?": DID, "peer": bool, "card?": WRITTEN, "mine?": WRITTEN,
    "created": TIME, "updated": TIME}
IMPORTED = {"new": int, "updated": int, "unchanged": int, "look_alike": int,
            "rejected": [{"line": int, "why": str}]}
PEER = {  # One that is pending may not have told yet who it is.
    "member?": DID, "name": str, "alias?": str, "via?": str,
    "level": one_of("compared", "introduced", "invited"),
    "state": one_of("online", "offline", "pending", "blocked"), "in_step": bool,
    "undelivered": int, "last_seen?": TIME, "addresses?": [PLACE]}
ACCEPTED = {"state": one_of("linked", "pending"), "look_alike?": [{}], "name?": str, "member?": DID}
SYNCED = {"in_step": bool, "peers": [{"name": str, "in_step": bool, "sent": int, "received": int,
                                      "bytes_sent": int, "bytes_received": int}]}
EVENT = {"at": TIME, "kind": str, "who?": str, "text": str, "ref?": str}
WHO = {"member": DID, "name": str}
ENDORSEMENT = {
    "id": str, "issuer": WHO, "subject": WHO, "about": [str], "words": str, "issued": TIME,
    "expires": TIME, "verified": bool,
    "relation": one_of("worked-with", "managed", "was-managed-by", "client", "taught", "studied",
                       "volunteered", "know-personally"),
    "state": one_of("sent", "pending", "accepted", "set aside", "revoked", "expired"),
    "shown_to": one_of("nobody", "peers", "network", "public")}
INTRODUCTION = {
    "id": str, "role": one_of("introducer", "introducee"), "introducer": {"name": str},
    "other?": {"name?": str}, "why?": str, "expires": TIME,
    "state": one_of("offered", "yes", "no", "lapsed", "withdrawn", "retracted", "greeted",
                    "connected", "conflict", "open", "released", "closed")}
ASK = {"id": str, "kind": one_of("ask", "offer"), "title": str, "text": str, "tags?": [str],
       "author?": {"name?": str}, "from?": str, "hops": int, "hop_limit": int, "expires": TIME,
       "state": str, "matches?": [{"contact": {"name": str}, "why": str}]}
PATHS = {"paths": [{"to": {"name": str}, "through": [{"name": str, "why": str}], "sentence": str}]}
VERDICT = {"valid": bool, "issuer?": str, "subject?": str, "why?": str}
INIT = {"member": DID, "device": str, "name": str, "home": str,
        "recovery_words": re.compile(r"(\w+ ){23}\w+")}
INVITED = {"uri": re.compile("kith:1[a-z2-7]+"), "expires": TIME}
ANY = {}
# Every command with what it may be given, and what it answers.
COMMANDS = {
    "init": ("--name --org --title --email --tel --url --place --passphrase-file --recovery-file",
             INIT),
    "run": ("--listen --no-listen --announce", {"ready": bool, "listen": [PLACE], "pid": int}),
    "stop": ("", ANY), "status": ("", STATUS), "me show": ("", CARD),
    "me edit": ("--name --org --title --email --tel --url --place", CARD),
    "contact add": ("NAME --email --tel --org --title --place --url --tag --note --met --kind",
                    CONTACT),
    "contact edit": ("WHO --set --add --unset", CONTACT), "contact show": ("WHO", CONTACT),
    "contact list": ("--tag --org --place --limit", {"contacts": [CONTACT], "total": int}),
    "contact search": ("WORDS", {"contacts": [CONTACT], "total": int}),
    "contact duplicates": ("", ANY), "contact merge": ("WHO", ANY), "contact remove": ("WHO", ANY),
    "contact history": ("WHO", ANY), "undo": ("", ANY),
    "import": ("FILE --from --tag --dry-run", IMPORTED), "export": ("--format --tag --output", ANY),
    "peer invite": ("NAME --expires --address --qr", INVITED), "peer accept": ("URI", ACCEPTED),
    "peer list": ("", {"peers": [PEER]}), "peer show": ("WHO", {**PEER, "card?": WRITTEN}),
    "peer words": ("WHO", {"words": re.compile(r"(\w+ ){7}\w+")}), "peer compared": ("WHO", ANY),
    "peer rename": ("WHO ALIAS", ANY), "peer remove": ("WHO", ANY), "peer block": ("WHO", ANY),
    "peer unblock": ("WHO", ANY), "circle create": ("NAME", ANY), "circle add": ("NAME WHO", ANY),
    "circle remove": ("NAME WHO", ANY), "circle list": ("", ANY),
    "sync": ("WHO --wait", SYNCED), "log": ("--follow", EVENT),
    "endorse": ("WHO --about --relation --words --since --until --expires --ceiling --renews",
                ENDORSEMENT),
    "endorsement list": ("--given --received --of --pending", {"endorsements": [ENDORSEMENT]}),
    "endorsement show": ("ID", ENDORSEMENT), "endorsement accept": ("ID --to", ANY),
    "endorsement publish": ("ID --to", ANY), "endorsement hide": ("ID", ANY),
    "endorsement set-aside": ("ID", ANY), "endorsement revoke": ("ID", ANY),
    "endorsement export": ("ID --all --output", {"@context": list, "type": list, "proof": object}),
    "endorsement verify": ("FILE", VERDICT),
    "introduce": ("A B --why --to-a --to-b --first --blind --expires", INTRODUCTION),
    "intro list": ("", {"introductions": [INTRODUCTION]}), "intro show": ("ID", INTRODUCTION),
    "intro accept": ("ID --message", ANY), "intro decline": ("ID --quietly", ANY),
    "intro withdraw": ("ID", ANY), "intro want": ("WHO --tag --from --blurb", ANY),
    "intro known": ("ID", ANY), "intro thanks": ("ID TEXT", ANY), "intro mute": ("WHO", ANY),
    "ask post": ("TEXT --title --tag --circle --to --hops --until", ANY),
    "offer post": ("TEXT --title --tag --circle --to --hops --until", ANY),
    "ask list": ("--mine", {"asks": [ASK]}), "ask show": ("ID", ASK),
    "ask pass": ("ID --to --note", ANY), "ask reply": ("ID --text --kind --about", ANY),
    "lead list": ("", ANY), "thanks": ("ID TEXT", ANY), "ask close": ("ID --reason", ANY),
    "contact log": ("WHO TEXT --kind --on", ANY), "contact timeline": ("WHO", ANY),
    "remind": ("WHO --every --on --in", ANY), "due": ("--within", ANY),
    "balance": ("WHO --since", ANY), "path": ("WORDS --tag --place", PATHS),
    "trust": ("WHO --about", ANY), "doctor": ("--rebuild", ANY), "version": ("", ANY),
    "help": ("TOPIC", ANY), "completion": ("SHELL", ANY)}


def hold(answer, shape, where, seen):
    """Has the answer this shape? seen gathers which keys were there, of which shape."""
    if isinstance(shape, re.Pattern):
        assert isinstance(answer, str) and shape.fullmatch(answer), (where, answer)
    elif isinstance(shape, type):
        is_bool = isinstance(answer, bool)
        assert isinstance(answer, shape) and is_bool <= (shape in (bool, object)), (where, answer)
    elif isinstance(shape, list):
        assert isinstance(answer, list), (where, answer)
        for row in answer:
            hold(row, shape[0], where + "[]", seen)
    else:
        assert isinstance(answer, dict), (where, answer)
        for key, inner in shape.items():
            name = key.rstrip("?")
            assert name in answer or key.endswith("?"), f"{where} has no {name}: {answer}"
            if name in answer:
                seen.add((id(shape), key))
                hold(answer[name], inner, f"{where}.{name}", seen)
    expect_no_null(answer, where)


def expect_no_null(answer, where):
    assert answer is not None, f"{where} is null"
    for inner in (answer.values() if isinstance(answer, dict) else
                  answer if isinstance(answer, list) else ()):
        expect_no_null(inner, where)


def keys_of(shape):
    """Every key of a shape that may be left out, and which shape it is of."""
    if isinstance(shape, list):
        return keys_of(shape[0])
    if not isinstance(shape, dict):
        return set()
    return {(id(shape), key) for key in shape if key.endswith("?")}.union(
        *(keys_of(inner) for inner in shape.values()))


class Promise:
    """Members whose every answer is held against the table."""

    def __init__(self):
        self.seen, self.ran = set(), set()

    def hold(self, command, answer):
        hold(answer, COMMANDS[command][1], command, self.seen)
        self.ran.add(command)
        return answer

    def ok(self, member, *words, **options):
        command = next(" ".join(words[:count]) for count in (2, 1)
                       if " ".join(words[:count]) in COMMANDS)
        answer = member.ok(*words, **options)
        rows = answer if isinstance(answer, list) else [answer]
        for row in rows:
            self.hold(command, row)
        assert command in ("log", "endorsement export") or not isinstance(answer, list), answer
        return answer

    def expect_all(self):
        missing = set(COMMANDS) - self.ran
        assert not missing, f"nobody ran {sorted(missing)}"
        unseen = set().union(*(keys_of(shape) for _, shape in COMMANDS.values())) - self.seen
        where = {(command, key) for command, (_, shape) in COMMANDS.items()
                 for at, key in keys_of(shape) & unseen}
        assert not unseen, f"never there: {sorted(where)}"


def every_command_and_flag_that_was_promised_is_there(place):
    ana = place.member("Ana")
    rows = {row["command"]: row for row in ana.ok("help")["commands"]}
    for command, (takes, _) in COMMANDS.items():
        assert command in rows, f"there is no {command}"
        there = {at.strip("[].") for at in rows[command]["arguments"]}
        there |= {"--" + flag["name"] for flag in rows[command]["flags"]}
        assert set(takes.split()) <= there, (command, set(takes.split()) - there)


BOOK = b"\r\n".join((
    b"BEGIN:VCARD", b"VERSION:3.0", b"FN:Mara Lindt", b"ORG:Lindt Editing", b"UID:mara",
    b"EMAIL;TYPE=WORK:mara@example.org", b"END:VCARD", b"BEGIN:VCARD", b"VERSION:3.0",
    b"NOTE:who?", b"END:VCARD", b""))


def at_home(promise, ana):
    """The address book, without anybody else."""
    def ok(*words, **options):
        return promise.ok(ana, *words, **options)
    ok("me", "edit", "--org", "Studio", "--title", "Translator", "--email", "a@example.org",
       "--tel", "+351 1", "--url", "https://a.example.org", "--place", "Porto")
    assert len(ok("me", "show")) >= 8
    joon = ok("contact", "add", "Joon Kim", "--email", "joon@example.org", "--tel", "+82 2",
              "--org", "Kim", "--title", "Sailmaker", "--place", "Busan", "--url",
              "https://joon.example.org", "--tag", "boats", "--note", "Left-handed.", "--met",
              "At the fair", "--kind", "person")
    ok("contact", "edit", "joon", "--set", "org=Kim & Co", "--add", "tag=choir", "--unset",
       "title")
    assert ok("contact", "show", joon["id"])["org"] == "Kim & Co"
    ok("import", "-", "--tag", "work", stdin=BOOK)
    assert ok("import", "-", "--dry-run", stdin=BOOK)["unchanged"] == 1
    assert ok("contact", "show", "mara")["labels"] == {"mara@example.org": "work"}
    assert ok("contact", "list", "--tag", "boats")["total"] == 1
    assert ok("contact", "search", "kim")["total"] == 1
    ok("contact", "add", "Joon Kim")
    ok("contact", "duplicates")
    twins = [row["id"] for row in ok("contact", "list")["contacts"] if row["name"] == "Joon Kim"]
    ok("contact", "merge", *twins)
    ok("undo")
    ok("contact", "remove", next(one for one in twins if one != joon["id"]))
    ok("contact", "history", "joon")
    for form in ("vcard", "vcard4", "csv", "json"):
        ok("export", "--format", form, "-o", os.path.join(ana.home, "book"))
    ok("contact", "log", "joon", "Coffee.", "--kind", "met", "--on", "2026-11-01")
    ok("contact", "timeline", "joon")
    ok("remind", "joon", "--in", "2w")
    ok("due", "--within", "4w")
    ok("circle", "create", "crew")
    ok("circle", "add", "crew", "joon")
    ok("circle", "list")
    ok("circle", "remove", "crew", "joon")
    for words in (("version",), ("help", "init"), ("completion", "bash"), ("doctor",), ("status",)):
        ok(*words)


def linked(promise, ana, bruno, chie):
    """By invitation and by introduction; away, renamed, blocked."""
    ok = promise.ok
    ok(bruno, "contact", "add", "Ana")
    chie.ok("contact", "add", "Ana")
    uri = ok(ana, "peer", "invite", "Bruno", "--expires", "7d")["uri"]
    assert ok(bruno, "peer", "accept", uri)["state"] == "linked"
    uri = ok(ana, "peer", "invite", "Chie", "--address", ana.listen[0])["uri"]
    chie.stop()
    assert ok(chie, "peer", "accept", uri)["state"] == "pending"
    ok(chie, "peer", "list")
    chie.start()
    until(lambda: any(peer["name"] == "Ana" and peer["state"] == "online"
                      for peer in chie.peers()))
    ok(ana, "sync", "--wait", "20")
    ok(ana, "peer", "rename", "Bruno", "bru")
    ok(ana, "peer", "words", "bru")
    ok(ana, "peer", "compared", "bru")
    ok(ana, "peer", "list")
    until(lambda: ana.card_of("bru").get("name"))
    ok(ana, "peer", "show", "bru")
    ok(ana, "contact", "edit", "bru", "--set", "org=Mine")
    until(lambda: bruno.card_of("Ana").get("place"))
    ok(bruno, "contact", "show", ana.identity["member"])
    ok(bruno, "peer", "show", ana.identity["member"])
    assert {"card", "mine"} <= set(ok(ana, "contact", "show", "bru"))
    ok(ana, "contact", "show", "bru")


def introduced(promise, ana, bruno, chie):
    ok = promise.ok
    made = ok(ana, "introduce", "bru", "Chie", "--why", "Both sail.", "--to-a", "She sails.",
              "--to-b", "He sails.", "--first", "both", "--expires", "21d")["id"]
    ok(ana, "intro", "list")
    for member in (bruno, chie):
        until(lambda m=member: ok(m, "intro", "list")["introductions"])
        ok(member, "intro", "show", made)
        ok(member, "intro", "accept", made, "--message", "Hello.")
    until(lambda: chie.ok("intro", "show", made)["state"] == "connected")
    until(lambda: bruno.ok("intro", "show", made)["state"] == "connected")
    ok(ana, "intro", "show", made)
    ok(chie, "intro", "list")
    ok(chie, "intro", "thanks", made, "Well met.")
    assert ok(chie, "peer", "show", "Bruno")["via"] == "Ana"
    ok(chie, "intro", "want", "--tag", "boats", "--from", "Ana", "--blurb", "I sail.")


def declined(promise, ana, bruno, chie, dora):
    """The other ways an introduction may go."""
    ok = promise.ok
    link(ana, dora)
    for how in ("decline", "known", "withdraw"):
        other, name = (bruno, "bru") if how == "decline" else (chie, "Chie")
        if how == "withdraw":
            link(bruno, dora)
            made = ok(bruno, "introduce", "Dora", "Chie", "--why", "Both row.")["id"]
            ok(bruno, "intro", "withdraw", made)
            continue
        made = ok(ana, "introduce", name, "Dora", "--why", "Both row.")["id"]
        until(lambda: any(row["id"] == made for row in other.ok("intro", "list")["introductions"]))
        ok(other, "intro", how, made)
    ok(dora, "intro", "mute", "Ana")


def vouched(promise, ana, bruno, chie, place):
    ok = promise.ok
    words = "Built our stage in four days, and it stood."
    made = ok(ana, "endorse", "bru", "--about", "carpentry", "--relation", "worked-with",
              "--words", words, "--since", "2019", "--ceiling", "network", "--expires", "24m")["id"]
    ok(ana, "endorsement", "list", "--given")
    until(lambda: ok(bruno, "endorsement", "list", "--pending")["endorsements"])
    ok(bruno, "endorsement", "show", made)
    ok(bruno, "endorsement", "accept", made, "--to", "peers")
    until(lambda: chie.ok("endorsement", "list", "--of", "Bruno")["endorsements"])
    ok(chie, "trust", "Bruno", "--about", "carpentry")
    assert ok(chie, "path", "carpentry")["paths"]
    assert ok(chie, "path", "Joon")["paths"] == []
    path = os.path.join(place.path, "e.json")
    ok(bruno, "endorsement", "export", made)
    bruno.ok("endorsement", "export", made, "-o", path)
    ok(bruno, "endorsement", "export", "--all")
    assert ok(chie, "endorsement", "verify", path)["valid"] is True
    with open(path, encoding="utf-8") as file:
        altered = file.read().replace("stage", "barge").encode()
    code, verdict = chie.call("endorsement", "verify", "-", stdin=altered)
    assert code == 5 and promise.hold("endorsement verify", verdict)["valid"] is False
    ok(bruno, "endorsement", "publish", made, "--to", "network")
    ok(bruno, "endorsement", "hide", made)
    ok(bruno, "endorsement", "set-aside", made)
    ok(ana, "endorsement", "revoke", made)


def asked(promise, ana, bruno, chie):
    ok = promise.ok
    ana.ok("contact", "add", "Olga Boats", "--tag", "wood")
    ask = ok(bruno, "ask", "post", "I would love to stay with wood.", "--title", "Carpenter",
             "--tag", "wood", "--to", "Ana", "--hops", "2", "--until", "14d")["id"]
    ok(bruno, "ask", "list", "--mine")
    until(lambda: any(row["id"] == ask for row in ok(ana, "ask", "list")["asks"]))
    assert ok(ana, "ask", "show", ask)["matches"]
    ok(ana, "ask", "pass", ask, "--to", "Chie", "--note", "He is good.")
    lead = ok(ana, "ask", "reply", ask, "--text", "Olga may.", "--kind", "lead", "--about",
              "Olga Boats", "--asked")["id"]
    until(lambda: ok(bruno, "lead", "list")["leads"])
    ok(bruno, "ask", "show", ask)
    ok(bruno, "thanks", lead, "So kind.")
    ok(bruno, "ask", "close", ask, "--reason", "found")
    ok(ana, "offer", "post", "A bench.", "--title", "Bench", "--hops", "1")
    ok(ana, "balance")


def every_answer_has_the_keys_that_were_promised(place):
    promise = Promise()
    ana, bruno, chie, dora = (place.member(name) for name in ("Ana", "Bruno", "Chie", "Dora"))
    promise.hold("init", ana.identity)
    at_home(promise, ana)
    for member in (ana, bruno, chie, dora):
        promise.hold("run", member.start().ready)
    promise.ok(ana, "status")
    linked(promise, ana, bruno, chie)
    introduced(promise, ana, bruno, chie)
    vouched(promise, ana, bruno, chie, place)
    asked(promise, ana, bruno, chie)
    declined(promise, ana, bruno, chie, dora)
    promise.ok(ana, "log")
    the_socket_says_the_same(ana)
    for words in (("peer", "block", "Chie"), ("peer", "list"), ("peer", "unblock", "Chie"),
                  ("peer", "remove", "Dora"), ("stop",)):
        promise.ok(ana, *words)
    ana.wait_end()
    promise.ok(bruno, "peer", "list")
    promise.expect_all()


def every_end_has_the_code_that_was_promised(place):
    """All but that of Ctrl-C, which e2e/interrupts tries at every command."""
    ana = place.member("Ana")
    fresh = os.path.join(place.path, "fresh")
    ana.ok("contact", "add", "Joon Kim")
    ana.ok("contact", "add", "Joon Park")
    for code, *words in (
            (3, "contact", "show", "nobody"), (6, "contact", "show", "joon"),
            (6, "init", "--name", "Ana"), (2, "contact", "ad"), (2, "contact", "add"),
            (2, "contact", "list", "--colour", "x"), (4, "sync"), (4, "stop"),
            (4, "log", "--follow"), (3, "intro", "show", "0123456789ab"), (3, "undo", "--home",
            fresh), (3, "status", "--home", fresh), (3, "peer", "show", "mara"),
            (2, "peer", "accept", "hello"),
            (5, "peer", "accept", "kith:1" + "a" * 120), (1, "import", __file__, "--from", "vcard"),
            (1, "export", "-o", "/nowhere/at/all")):
        got, answer = ana.call(*words)
        error = answer.get("error", {}) if isinstance(answer, dict) else {}
        assert got == code == error.get("code"), (words, got, answer)
        assert error["message"] and error["hint"], (words, answer)
    uri = ana.start().ok("peer", "invite")["uri"]
    assert ana.fails(5, "peer", "accept", uri)
    ana.ok("status", "--home", ana.home)
    shut = place.member("Shut", passphrase="moon over the bay")
    shut.extra = []
    shut.fails(7, "status")
    ana.fails(8, "offer", "post", "-", "--title", "Boats", stdin=b" \n")


def global_flags_stand_before_or_after_and_a_home_may_be_named_outside(place):
    ana = place.member("Ana")
    said = []
    for words, env in ((["--json", "--home", ana.home, "status"], {}),
                       (["status", "--json", "--home", ana.home], {}),
                       (["status", "--home=" + ana.home, "--no-input", "--json"], {}),
                       (["--json", "status"], {"KITH_HOME": ana.home})):
        done = subprocess.run([KITH, *words], env={**os.environ, **env}, capture_output=True,
                              check=True, timeout=30)
        said.append(json.loads(done.stdout))
    assert said.count(said[0]) == len(said), said


def with_json_every_command_prints_documents_and_nothing_else(place):
    """Also the ones that are not promised, and all that fail."""
    ana = place.member("Ana")
    for command, words in typed.table(ana):
        if command == "run":
            continue
        done = subprocess.run([KITH, "--home", ana.home, "--no-input", "--json", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, cwd=place.path,
                              timeout=60, check=False)
        rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
        assert len(rows) == 1 or command == "log", (command, rows)
        for row in rows:
            expect_no_null(row, command)
            is_answer = command == "endorsement verify" and done.returncode == 5
            assert (done.returncode == 0 or is_answer) == ("error" not in row), (command, row)


def the_socket_says_the_same(member):
    """The method is the words joined by a dot, the result the document of --json."""
    for words, params in ((("status",), {}), (("me", "show"), {}), (("contact", "list"), {}),
                          (("peer", "show", "bru"), {"who": "bru"}), (("intro", "list"), {}),
                          (("contact", "list", "--tag", "wood"), {"tag": ["wood"]}),
                          (("contact", "search", "olga"), {"words": ["olga"]}),
                          (("ask", "list"), {}), (("endorsement", "list"), {}),
                          (("due", "--within", "4w"), {"within": "4w"})):
        method = ".".join(word for word in words[:2] if not word.startswith("--"))
        said = member.request(method, **params)
        assert said["jsonrpc"] == "2.0" and said["id"] == 1, said
        assert said["result"] == member.ok(*words), (words, said)


run(dict(globals()))
