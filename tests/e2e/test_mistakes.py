"""Mistakes, made with every command of the table: people who are not there, who are several, whose
names are weapons; files that cannot be read. Each is told, with a hint, and changes nothing."""
import json
import os
import random
import subprocess

from kithtest import KITH, LATER, run, until

# Arguments that name a person, and what else a command cannot do without.
PEOPLE = {"WHO", "OTHER", "A", "B"}
WORDS = {"NAME": "boats", "ALIAS": "joonie", "TEXT": "seen at the fair", "CIRCLE": "boats",
         "LEVEL": "good"}
NEEDED = {"endorse": ["--about", "boats", "--relation", "client", "--words",
                      "Sails well and tells the truth."],
          "introduce": ["--why", "Both sail."], "contact edit": ["--set", "org=ACME"],
          "remind": ["--every", "3m"], "intro want": ["--tag", "boats", "--from", "Joon"]}
HOSTILE = ["", " ", "\x1b[2J\x1b[31m", "../../etc/passwd", "%s%n%x", "$(reboot)", "Robert'); --",
           "\u202enaoJ", "J" * 4000, "*", "\x7f\x01", "Joon\nKim"]


NOISE = [random.Random(seed).randbytes(4096) for seed in range(6)]
with open(KITH, "rb") as kith:
    PROGRAM = kith.read(20000)


def people_of(row):
    return [at for at, argument in enumerate(row["arguments"])
            if argument.strip("[].") in PEOPLE and not argument.startswith("[")]


def with_people(member):
    """(command, the words with one name in every place of a person)."""
    for row in member.ok("help")["commands"]:
        if people_of(row) and row["command"] not in ("sync", "complete"):
            def words(name, row=row):
                filled = [name if at in people_of(row) else WORDS.get(one.strip("[]."), "boats")
                          for at, one in enumerate(row["arguments"]) if not one.startswith("[")]
                return row["command"].split() + filled + NEEDED.get(row["command"], [])
            yield row["command"], words


def entries(member):
    return member.ok("status")["entries"]


def who_is_not_there_is_told_by_every_command(place):
    ana = place.member("Ana")
    ana.ok("circle", "create", "boats")
    ana.ok("contact", "add", "Joon")
    before, asked = entries(ana), 0
    for command, words in with_people(ana):
        error = ana.fails(3, *words("Nobody At All"))
        assert "Nobody At All" in error["message"], (command, error)
        asked += 1
    assert asked > 20 and entries(ana) == before


def who_is_several_is_asked_for_by_every_command(place):
    ana = place.member("Ana")
    ana.ok("circle", "create", "boats")
    ids = [ana.ok("contact", "add", "Kim", "--email", f"kim{at}@example.org")["id"]
           for at in range(3)]
    before, asked = entries(ana), 0
    for command, words in with_people(ana):
        code, answer = ana.call(*words("kim"))
        error = answer["error"]
        # What needs a peer knows that none of the three is one.
        assert code in (3, 6) and error["hint"], (command, answer)
        if code == 6:
            asked += 1
            assert error["message"].count("Kim (") == 3, error
            assert all(one[:12] in error["message"] for one in ids), error
    assert asked >= 8 and entries(ana) == before


def names_that_are_weapons_find_nobody_and_reach_no_terminal(place):
    ana = place.member("Ana")
    ana.ok("circle", "create", "boats")
    ana.ok("contact", "add", "Joon")
    before = entries(ana)
    for command, words in with_people(ana):
        for name in HOSTILE:
            code, answer = ana.call(*words(name))
            assert code in (2, 3) and answer["error"]["message"], (command, name, answer)
    for name in HOSTILE:
        code, text = ana.call("contact", "show", name, text=True)
        assert code in (2, 3) and not set(text) & set("\x1b\x7f\x01\u202e\r"), (name, text)
    assert entries(ana) == before


def files_that_cannot_be_read_are_told_by_every_command(place):
    ana = place.member("Ana")
    before, asked = entries(ana), 0
    folder = os.path.join(place.path, "folder")
    os.mkdir(folder)
    broken = os.path.join(place.path, "broken")
    os.symlink(os.path.join(place.path, "nowhere"), broken)
    missing = os.path.join(folder, "missing")
    for row in ana.ok("help")["commands"]:
        argument = next((one for one in row["arguments"] if "FILE" in one), None)
        if argument is None and row["command"] != "peer accept":
            continue
        for path in (missing, folder, broken, os.path.join(folder, "x", "y")):
            code, answer = ana.call(*row["command"].split(), path)
            error = answer["error"]
            assert code in (1, 2, 3) and error["message"] and error["hint"], (row, path, answer)
            asked += 1
        for given in (b"", b"\x00" * 4096, *NOISE, PROGRAM):
            code, answer = ana.call(*row["command"].split(), "-", stdin=given)
            told = answer["error"]["hint"] if "error" in answer else answer["why"]
            assert code != 0 and told, (row, given[:8], answer)
    for flag in ("--passphrase-file",):
        locked = place.member("Locked", passphrase="correct horse")
        for path in (missing, folder, broken):
            done = subprocess.run([KITH, "--home", locked.home, "--no-input", "--json", flag, path,
                                   "status"], capture_output=True, check=False)
            assert done.returncode == 1, (path, done)
            assert path in json.loads(done.stdout)["error"]["message"]
    assert asked >= 8 and entries(ana) == before


def places_that_cannot_be_written_are_told_by_every_command(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon")
    before = sorted(os.listdir(place.path))
    for row in ana.ok("help")["commands"]:
        if not any(flag["name"] == "output" for flag in row["flags"]):
            continue
        words = row["command"].split() + (["--all"] if "endorsement" in row["command"] else [])
        if row["command"] == "endorsement present":
            continue  # Nothing is there to be presented.
        for path in (place.path, os.path.join(place.path, "no", "such"), "/proc/nothing"):
            code, answer = ana.call(*words, "--output", path)
            assert code == 1 and answer["error"]["hint"], (words, path, answer)
    assert sorted(os.listdir(place.path)) == before


def a_peer_that_breaks_a_rule_is_told_of_and_nothing_is_lost(place):
    """The conversation ends, `kith log` has the rule in words, and later all goes on."""
    ana, bruno = place.pair()
    bruno.stop()
    bruno.program = LATER
    os.environ["KITH_LATER"] = "rude"
    bruno.start()
    del os.environ["KITH_LATER"]
    bruno.program = KITH
    bruno.ok("me", "edit", "--title", "Sorry")
    bruno.call("sync")

    def rows(kind):
        events = ana.ok("log")
        return [row for row in (events if isinstance(events, list) else [events])
                if row["kind"] == kind]
    until(lambda: rows("violation"), 20, "nothing is told")
    row = rows("violation")[0]
    assert row["who"] == "Bruno" and "SYNC-16" in row["text"], row
    ana.ok("contact", "add", "Meanwhile")
    bruno.stop()
    bruno.start()
    bruno.ok("sync")
    until(lambda: ana.card_of("Bruno").get("title") == "Sorry", 40)
    assert ana.ok("doctor")["healthy"] is True


run(dict(globals()))
