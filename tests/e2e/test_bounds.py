"""What is too long, for every argument and flag of every command: it is refused with what to do, or
it is there afterwards, whole. Names are cut between letters, and what is forgotten is named
nowhere."""
from kithtest import run

WORDS = {"NAME": "boats", "ALIAS": "joonie", "TEXT": "seen at the fair", "CIRCLE": "boats",
         "LEVEL": "good", "WHO": "Joon", "OTHER": "Mara", "A": "Joon", "B": "Mara",
         "FILE": "/dev/null", "ID": "3f9a1c3f9a1c", "URI": "kith:1abc", "INVITATION": "kith:1abc"}
NEEDED = {"endorse": ["--about", "boats", "--relation", "client", "--words", "Sails and sails on."],
          "introduce": ["--why", "Both sail."], "remind": ["--every", "3m"],
          "intro want": ["--tag", "boats", "--from", "Joon", "--blurb", "I sail."],
          "endorsement want": ["--words", "The stairs."],
          "contact share": ["--with", "Mara", "--field", "email", "--agreed"]}
# No op of the address book: their words are about the command line itself.
ASIDE = {"init", "run", "stop", "sync", "log", "doctor", "help", "man", "version", "complete",
         "completion"}


def cases(member, long):
    """(command, the words with one argument or flag too long)."""
    for row in member.ok("help")["commands"]:
        if row["command"] in ASIDE:
            continue
        needed = NEEDED.get(row["command"], [])
        plain = [WORDS.get(one.strip("[]."), "boat") for one in row["arguments"]
                 if not one.startswith("[")]
        for at in range(len(row["arguments"])):
            yield row["command"], plain[:at] + [long] + plain[at + 1:] + needed
        for flag in row["flags"]:
            if "value" not in flag:
                continue
            name, value = "--" + flag["name"], long
            if flag["value"].startswith("KEY"):
                value = "org=" + long
            if name in needed:
                filled = list(needed)
                filled[needed.index(name) + 1] = value
                yield row["command"], plain + filled
            else:
                yield row["command"], plain + needed + [name, value]


def what_is_too_long_is_refused_by_every_command_and_never_half_stored(place):
    ana, asked = place.member("Ana"), 0
    ana.ok("contact", "add", "Joon", "--email", "joon@example.org")
    ana.ok("contact", "add", "Mara")
    ana.ok("circle", "create", "boats")
    for command, words in cases(ana, "é" * 2500):
        code, answer = ana.call(*command.split(), *words)
        error = answer.get("error", {})
        assert "memory" not in error.get("message", ""), (command, error)
        assert "this could not be done" not in error.get("message", ""), (command, error)
        assert code == 0 or error["hint"], (command, error)
        asked += 1
    before = ana.ok("contact", "list")
    ana.ok("doctor", "--rebuild")
    assert ana.ok("contact", "list") == before and asked > 150, asked


def an_import_says_that_its_tag_is_too_long(place):
    ana = place.member("Ana")
    card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Joon\r\nEND:VCARD\r\n"
    error = ana.fails(2, "import", "-", "--tag", "x" * 1001, stdin=card)
    assert "1000 bytes" in error["message"], error
    assert ana.ok("contact", "list")["total"] == 0
    assert ana.ok("import", "-", "--tag", "x" * 1000, stdin=card)["new"] == 1
    assert ana.ok("contact", "list")["contacts"][0]["tags"] == ["x" * 1000]


def names_are_cut_between_letters(place):
    ana = place.member("Ana")
    name, shown = "a" + "é" * 120, "a" + "é" * 99
    ana.ok("contact", "add", name, "--org", "b" + "é" * 60)
    ana.ok("circle", "create", "boats")
    assert ana.ok("circle", "add", "boats", name)["circles"][0]["members"][0]["name"] == shown
    assert ana.ok("contact", "timeline", name)["name"] == shown
    assert ana.ok("contact", "closeness", name, "good")["name"] == shown
    assert ana.ok("contact", "log", name, "hello")["who"] == shown
    assert ana.ok("contact", "edit", name, "--set", "place=Porto")["name"] == name
    assert ana.ok("undo")["undone"] == "edit " + shown
    assert ana.ok("contact", "remove", name)["removed"] == shown
    assert ana.ok("undo")["undone"] == "remove " + shown
    assert ana.ok("contact", "remove", name, "--forget")["removed"] == shown
    assert ana.ok("contact", "list")["total"] == 0


def who_is_forgotten_is_named_by_no_undo_and_nobody_else_is(place):
    ana = place.member("Ana")
    for name in ("Joon Kim", "Kim", "An Old Name"):
        ana.ok("contact", "add", name)
    ana.ok("contact", "edit", "An Old Name", "--set", "name=New")
    ana.ok("contact", "remove", "New", "--forget")
    ana.ok("contact", "remove", "Kim", "--forget")
    told = [row["text"] for row in ana.ok("doctor")["checks"] if row["check"] == "undo"]
    assert told == ["kith undo takes back: add Joon Kim"], told
    assert ana.ok("undo")["undone"] == "add Joon Kim"
    ana.fails(3, "undo")


run(dict(globals()))
