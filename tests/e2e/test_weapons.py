"""Whatever a peer writes, in every field that crosses: it reaches no terminal as anything but text,
no calendar or address book as another property, and no line of the log as a line of its own. Which
fields there are the program's own table says: one that is new must be tried or stay at home."""
import json
import re
import subprocess
import time

import typed
from kithtest import KITH, link, on_terminal, run, until

FLOOD = "e" + "\u0301" * 40
NASTY = "Q\x1b]0;own\x07\x1b[31m\u202egnp\u200b\u009b31m\u2028q"
MANY = NASTY + FLOOD + "\r\nEND:VEVENT\r\nBEGIN:VCARD\nkith: all is well\n"
QUIET = "Q\u202egnp\u200b\u2028q"  # no control byte
FORBIDDEN = set("\x1b\x07\u202e\u200b\u009b\u2028\r\x7f")
# What a field takes, as help names it: words of one's own, or something that nobody can write into.
WORDS = {"NAME", "O", "T", "P", "E", "U", "TEXT", "TITLE", "SKILL", "KEY=VALUE", "KEY[=VALUE]",
         "ALIAS", "WORDS"}
BOUND = {"WHO", "A", "B", "OTHER", "PEER", "INTRODUCER", "ID", "INVITATION", "URI", "C", "N", "F",
         "FILE", "DATE", "DATE|6m", "DATE|14d", "YEAR", "SECONDS", "LEVEL", "HOST:PORT", "SHELL",
         "TOPIC", "1|2|3", "21d", "24m", "2w", "3m", "5m", "7d", "A|B|both"}
# Commands whose words of one's own reach nobody else but as a contact that is shared, or as a file:
# what a file says is below, and every field is tried at home.
AT_HOME = {"init", "contact add", "contact edit", "contact list", "contact search", "contact log",
           "circle create", "circle add", "circle remove", "circle list", "import", "export",
           "peer invite", "peer rename", "path", "complete", "remind", "trust",
           "endorsement present"}
FILES = {"export", "endorsement export", "endorsement present"}  # Their output is one.


def is_choice(value):
    """One of a few words that are written there."""
    return "|" in value and value == value.lower()


def fields(member, *command):
    """{(command, flag or argument): what it takes}, of every field of every command."""
    found = {}
    for row in member.ok("help", *command)["commands"]:
        found |= {(row["command"], at.strip("[].")): at.strip("[].") for at in row["arguments"]}
        found |= {(row["command"], "--" + flag["name"]): flag["value"]
                  for flag in row["flags"] if "value" in flag}
    unknown = {key: value for key, value in found.items()
               if value not in WORDS | BOUND and not is_choice(value)}
    assert not unknown, f"can somebody write into these? {unknown}"
    return found


class Enemy:
    """Says hostile things, and remembers in which fields."""

    def __init__(self, member):
        self.member, self.tried, self.fields = member, set(), fields(member)
        self.commands = {row["command"]: [at.strip("[].") for at in row["arguments"]]
                         for row in member.ok("help")["commands"]}

    def ok(self, *words):
        command = next(" ".join(words[:count]) for count in (2, 1)
                       if " ".join(words[:count]) in self.commands)
        rest, arguments = list(words[len(command.split()):]), iter(self.commands[command])
        while rest:
            word = rest.pop(0)
            name, _, value = word.partition("=") if word.startswith("--") else ("", "", word)
            if name and not value and (command, name) in self.fields:
                value = rest.pop(0)
            if any(weapon in value for weapon in (NASTY, QUIET)):
                self.tried.add((command, name or next(arguments)))
            elif not name:
                next(arguments)
        return self.member.ok(*words)


def expect_text(shown, what, allowed=frozenset()):
    """Nothing that a terminal would take for anything else."""
    found = set(shown) & FORBIDDEN - allowed
    assert not found, (what, found, shown)
    assert not re.search("[\u0300-\u036f]{5}", shown) or allowed, (what, shown)


def one_line(at):
    return f"{NASTY}{at}"


def heard(member):
    return [row for row in member.ok("ask", "list", "--all")["asks"] if "from" in row]


def met_and_vouched_for(enemy, ana, chie, dora, eva):
    """Ana brings Dora and the enemy together, and shows everybody what the enemy says of her; Chie
    hands that on to Eva."""
    made = ana.ok("introduce", "Evil", "dora", "--why", "Both sail.", "--first", "both")["id"]
    for member in (enemy.member, dora):
        until(lambda m=member: any(row["id"] == made
                                   for row in m.ok("intro", "list")["introductions"]))
    enemy.ok("intro", "accept", made, "--message", MANY)
    dora.ok("intro", "accept", made)
    until(lambda: dora.ok("intro", "show", made)["state"] == "connected", 40)
    enemy.ok("intro", "thanks", made, one_line("thanks"))
    ref = ana.ok("endorsement", "list", "--pending")["endorsements"][0]["id"]
    ana.ok("endorsement", "accept", ref, "--to", "network")
    until(lambda: chie.ok("endorsement", "list", "--of", "ana")["endorsements"])
    chie.ok("network", "quote", "ana")
    until(lambda: eva.ok("endorsement", "list", "--of", ana.identity["member"])["endorsements"])
    until(lambda: any(row["kind"] == "thanks" for row in ana.ok("log")))
    seen = eva.ok("endorsement", "list", "--of", ana.identity["member"])["endorsements"][0]
    assert seen["via"]["name"] == "Chie" and NASTY in seen["words"], seen
    return made, ref


def offered_to_be_met(enemy, ana, dora):
    """Ana offers the enemy to bring Dora and them together, and the enemy offers Dora Chie."""
    shed = enemy.ok("ask", "post", "A shed.", "--title", "Shed of mine", "--to", "ana",
                    "--hops", "1")["id"]
    until(lambda: any(row["id"] == shed for row in heard(ana)))
    made = ana.ok("ask", "reply", shed, "--text", "Dora has one.", "--about", "dora",
                  "--introduce")["id"]
    until(lambda: any(row["id"] == made for row in enemy.member.leads()))
    enemy.ok("lead", "introduce", made, "--message", MANY)
    enemy.ok("thanks", made, one_line("thanks"))
    hull = dora.ok("ask", "post", "Iron.", "--title", "Hull", "--to", "ana")["id"]
    until(lambda: any(row["id"] == hull for row in heard(ana)))
    ana.ok("ask", "pass", hull, "--to", "Evil")
    until(lambda: any(row["id"] == hull for row in heard(enemy.member)))
    lead = enemy.ok("ask", "reply", hull, one_line("Chie has one."), "--about", "chie",
                    "--introduce")["id"]
    until(lambda: dora.leads())
    dora.ok("lead", "introduce", dora.leads()[0]["id"])
    until(lambda: any(row["id"] == lead and row.get("introduction") == "wanted"
                      for row in enemy.member.leads()))
    return lead


def written_by_an_enemy(enemy, ana, chie):
    """Every field others get to see, and what of it makes a line of its own is MANY."""
    card = [f"--{key}={one_line(key)}" for key in ("name", "org", "title", "place")]
    enemy.ok("me", "edit", *card, f"--email={NASTY}@example.org", f"--tel={NASTY}1",
             f"--url=https://example.org/{NASTY}")
    enemy.ok("me", "edit", "--add", f"url=https://example.org/more/{NASTY}")
    enemy.ok("me", "edit", "--unset", f"tel={NASTY}")
    ask = enemy.ok("ask", "post", MANY, "--title", one_line("ask"), "--tag", one_line("tag"),
                   "--caution", MANY, "--to", "ana")["id"]
    offer = enemy.ok("offer", "post", MANY, "--title", one_line("offer"), "--hops", "1", "--tag",
                     one_line("tag"), "--caution", MANY)["id"]
    theirs = chie.ok("ask", "post", "A boat.", "--title", "Boat", "--to", "Evil")["id"]
    until(lambda: heard(enemy.member))
    enemy.ok("ask", "pass", theirs, "--to", "ana", "--note", one_line("note"))
    mine = ana.ok("ask", "post", "A shed.", "--title", "Shed", "--to", "Evil")["id"]
    until(lambda: len(heard(enemy.member)) == 2)
    reply = enemy.ok("ask", "reply", mine, "--text", MANY)["id"]
    enemy.ok("lead", "answer", reply, MANY)
    enemy.ok("contact", "add", NASTY, "--org", NASTY, "--title", NASTY, "--tag", QUIET)
    enemy.ok("contact", "share", NASTY, "--with", "ana", "--agreed", "--field", "org", "--field",
             "title", "--field", "tag", "--why", QUIET)
    enemy.ok("endorse", "ana", "--about", one_line("skill"), "--relation", "client", "--words",
             MANY + "twenty letters at the least", "--ceiling", "network")
    enemy.ok("endorsement", "want", "ana", "--words", one_line("want"), "--about",
             one_line("skill"))
    enemy.ok("intro", "want", "--tag", one_line("met"), "--from", "ana", "--blurb",
             one_line("blurb"), "--note", MANY)
    enemy.ok("introduce", "ana", "chie", "--why", MANY, "--to-a", MANY, "--to-b", MANY, "--first",
             "both")
    return ask, offer, mine, reply


def arrived(ana):
    return (len(heard(ana)) == 3 and ana.leads() and
            ana.leads()[0]["letters"] == 2 and ana.ok("share", "list")["shares"] and
            ana.ok("endorsement", "list", "--pending")["endorsements"] and
            ana.ok("intro", "list")["introductions"] and
            len({row["kind"] for row in ana.ok("due")["due"]} &
                {"introduction wanted", "endorsement wanted", "share"}) == 3)


def documents_for_programs_and_files_on_a_terminal_are_text_too(place):
    ana = place.member("Ana")
    tag = "\U000e0041"  # an invisible letter that two escapes stand for
    name = NASTY + tag
    book = json.dumps({"contacts": [{"name": name, "note": MANY, "emails": ["q@example.org"]}]})
    assert ana.ok("import", "-", stdin=book.encode())["new"] == 1
    ana.ok("contact", "add", name, "--birthday", "01-01", "--note", MANY)
    here = ["--home", ana.home]
    for page in (["contact", "list"], ["contact", "show", "q@example.org"], ["export"], ["due"],
                 ["contact", "add", name], ["contact", "show", name * 40], ["log"]):
        done = subprocess.run([KITH, *here, *page, "--json"], capture_output=True, check=False)
        text = done.stdout.decode()
        expect_text(text.replace("\u0301", ""), page)
        assert tag not in text, page
        document = json.loads(text) if text else {}
        # And no letter is lost: an escape means the letter.
        assert page[1:2] != ["list"] or name in {row["name"] for row in document["contacts"]}
    for page in (["export"], ["export", "--format", "csv"], ["export", "--format", "json"],
                 ["due", "--within", "9y", "--ical"]):
        piped = subprocess.run([KITH, *here, *page], capture_output=True, check=True).stdout
        assert "\u202e" in piped.decode() and "\u009b" in piped.decode(), page
        shown = on_terminal(KITH, *here, *page)[1].replace("\r\n", "\n")
        expect_text(shown, page)
        assert shown.count("\n") == piped.decode().count("\n"), page


def what_a_peer_writes_anywhere_is_text_everywhere(place):
    ana, chie, evil, dora, eva = (place.member(name).start()
                                  for name in ("Ana", "Chie", "Evil", "Dora", "Eva"))
    for one, other in ((ana, evil), (chie, evil), (ana, chie), (ana, dora), (chie, eva)):
        link(one, other)
    ana.ok("sync", "--wait", "20")
    enemy = Enemy(evil)
    asks = written_by_an_enemy(enemy, ana, chie)
    until(lambda: arrived(ana), 60, "not all of it came")
    lead = offered_to_be_met(enemy, ana, dora)
    until(lambda: ana.card_of(evil.identity["member"]).get("org"), 30)
    met, ref = met_and_vouched_for(enemy, ana, chie, dora, eva)
    enemy.ok("lead", "introduce", lead, "--why", MANY)
    until(lambda: any(len(member.ok("intro", "list")["introductions"]) == 2
                      for member in (chie, dora)))
    missed = {key for key, value in fields(ana).items()
              if value in WORDS and key[0] not in AT_HOME} - enemy.tried
    assert not missed, f"nobody tried these: {missed}"
    who = ana.identity["member"]
    for page in [["log"], ["intro", "show", met], ["intro", "list"], ["trust", who], ["path", "q"],
                 ["endorsement", "list", "--of", who], ["endorsement", "show", ref], ["status"],
                 ["peer", "list"], ["due"], ["network", "list"], ["contact", "list"]]:
        for member in (chie, dora, eva):
            code, text = member.call(*page, text=True)
            assert code in (0, 3) and "AddressSanitizer" not in text, (page, code, text)
            expect_text(text, page)
    ids = {"share": ana.ok("share", "list")["shares"][0]["id"],
           "intro": next(row["id"] for row in ana.ok("intro", "list")["introductions"]
                         if row["role"] == "introducee"),
           "endorsement": ref}
    who = evil.identity["member"]
    pages = [[], ["status"], ["log"], ["due"], ["due", "--ical"], ["ask", "list", "--all"],
             ["lead", "list"], ["share", "list"], ["intro", "list"], ["endorsement", "list"],
             ["endorsement", "wants"], ["peer", "list"], ["contact", "list"],
             ["balance"], ["export"], ["contact", "search", "q"], ["contact", "duplicates"],
             ["complete", "Q"], ["path", "q"]]
    pages += [[*page, who] for page in (("peer", "show"), ("contact", "show"), ("trust",),
                                        ("contact", "timeline"), ("contact", "history"),
                                        ("balance",), ("path",))]
    pages += [["ask", "show", ask] for ask in asks[:3]] + [["lead", "show", asks[3]]]
    pages += [[noun, "show", ref] for noun, ref in ids.items()]
    for page in pages:
        code, text = ana.call(*page, text=True)
        is_file = page in (["due", "--ical"], ["export"])
        assert code == 0, (page, code, text)
        expect_text(text, page, set("\r\u202e\u200b\u009b\u2028") if is_file else frozenset())
        lines = text.replace("\r\n ", "").splitlines()
        assert is_file or not {"kith: all is well", "END:VEVENT"} & set(lines), (page, text)
        if is_file:
            assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT"), text
            assert lines.count("BEGIN:VCARD") == lines.count("END:VCARD"), text
        code, text = on_terminal(KITH, "--home", ana.home, *page, NO_COLOR="1")
        assert code == 0, (page, code, text)
        if not is_file:
            expect_text(text.replace("\r\n", "\n"), page)
    # Deciding on it shows it as well.
    for line in (["share", "keep", ids["share"]], ["intro", "decline", ids["intro"]],
                 ["endorsement", "accept", ids["endorsement"]], ["ask", "close", asks[2]],
                 ["thanks", asks[3], "So kind."], ["contact", "closeness", who, "good"],
                 ["remind", who, "--every", "3m"], ["due"], ["undo"],
                 ["peer", "block", who], ["peer", "unblock", who]):
        code, text = ana.call(*line, text=True)
        assert code == 0 and not set(text) & FORBIDDEN, (line, code, text)
    fay = place.member("Fay").start()
    code, text = fay.call("peer", "accept", evil.ok("peer", "invite")["uri"], text=True)
    assert code == 0 and "linked" in text and not set(text) & FORBIDDEN, (code, text)


def the_node_names_its_owner_in_plain_text(place):
    ana = place.member("Ana")
    ana.ok("me", "edit", "--name", "Ana\x1b]0;own\x07\u202e")
    with subprocess.Popen([KITH, "--home", ana.home, "run", "--no-listen"],
                          stdout=subprocess.PIPE) as node:
        line = node.stdout.readline().decode()
        node.terminate()
    assert line.startswith("kith: Ana") and not set(line) & FORBIDDEN, line


def no_line_to_type_holds_a_name_that_a_shell_would_run(place):
    """What is told to be typed next is copied: whatever a peer calls themself, it is a name."""
    ana, evil = place.member("Ana").start(), place.member("$(touch x)").start()
    who, said = evil.identity["member"], []

    def hear(member, *words, code=0):
        got, text = member.call(*words, text=True)
        assert got == code, (words, got, text)
        said.append(" ".join(text.split()))
        return said[-1]

    for member in (ana, evil):
        member.ok("me", "edit", "--org", "Acme")
    hear(ana, "peer", "accept", evil.ok("peer", "invite")["uri"])
    assert f"kith peer words {who}" in said[-1], said
    until(lambda: ana.card_of(who).get("org") == "Acme")
    assert f"kith peer compared {who}" in hear(ana, "peer", "words", who)
    assert f"--keep-from {who}" in hear(ana, "ask", "post", "I look for a job. Any.", code=6)
    ana.ok("contact", "add", "`touch y`", "--tag", "odd")
    hear(ana, "contact", "share", "`touch y`", "--with", who, "--agreed")
    assert "share withdraw " in said[-1], said
    for text in said:
        for line in re.findall(r"(?:kith |--keep-from)[^.]*", text):
            assert "$" not in line and "`" not in line, (line, text)


def every_field_of_every_command_bears_hostile_words(place):
    """One field after the other, in a home where something is there to be found: whatever it makes
    of them, a program that goes on, a code that is known, and text; never as much as was said."""
    joon = place.member("Joon").start()
    ana = place.member("Ana").start()
    link(ana, joon)
    joon.stop()
    ana.stop()
    plausible = dict(typed.table(ana))
    weapons = {"hostile": NASTY + FLOOD, "huge": "J" * 100_000}
    for (command, field), value in fields(ana).items():
        for kind, weapon in weapons.items():
            if kind == "huge" and value == "FILE":
                continue  # The system refuses the name; what is in a file is below.
            words = with_weapon(plausible[command], command, field, value, weapon)
            done = subprocess.run([KITH, "--home", ana.home, "--no-input", *words],
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                                  cwd=place.path, check=False)
            text = done.stderr if command in FILES and done.returncode == 0 else \
                done.stdout + done.stderr
            text = text.decode("utf-8", "strict")
            assert 0 <= done.returncode <= 8, (command, field, kind, done.returncode, text[:2000])
            assert "Sanitizer" not in text, text
            expect_text(text, (command, field, kind))
            assert done.returncode == 0 or len(text) < 2000, (command, field, kind, text[:3000])
    assert ana.ok("doctor")["checks"]


def with_weapon(words, command, field, value, weapon):
    """The line, with the weapon in this field."""
    if value in ("KEY=VALUE", "KEY[=VALUE]"):
        weapon = "org=" + weapon
    if not field.startswith("--"):
        size = len(command.split())
        return [*words[:size], *([weapon] if len(words) == size else
                                 [weapon if at == 0 else word
                                  for at, word in enumerate(words[size:])])]
    if field in words:
        at = words.index(field)
        return [*words[:at + 1], weapon, *words[at + 2:]]
    return [*words, field + "=" + weapon]


def what_a_file_says_is_text_everywhere(place):
    """An address book comes from strangers too."""
    ana = place.member("Ana")
    fields = "FN ORG TITLE EMAIL TEL URL NOTE CATEGORIES X-ODD NICKNAME".split()
    card = "".join(f"{key}:{one_line(key)}\n" for key in fields)
    card += f"ADR:;;{NASTY};{NASTY};;;{NASTY}\nitem1.TEL:{NASTY}2\nitem1.X-ABLabel:{NASTY}\n"
    card += "BDAY:--" + time.strftime("%m%d") + "\n"
    book = "".join(f"BEGIN:VCARD\nUID:{NASTY}{at}\n{card}END:VCARD\n" for at in range(2)).encode()
    who = "EMAIL@example.org"
    table = f"Name,Email,Tags,{NASTY}\n{one_line('row')},row@example.org,{NASTY},{NASTY}\n".encode()
    lines = [(["import", "-"], book.replace(NASTY.encode() + b"EMAIL", who.encode())),
             (["import", "-"], table), (["import", "-", "--dry-run"], book)]
    pages = [["contact", "list"], ["contact", "show", "row@example.org"], ["contact", "duplicates"],
             ["contact", "history", "row@example.org"], ["contact", "search", "q"], ["due"],
             ["remind", "row@example.org", "--every", "1w"], ["reminder", "list"],
             ["contact", "log", "row@example.org", "met", "--kind", "met"],
             ["contact", "timeline", "row@example.org"], ["circle", "create", NASTY],
             ["circle", "add", NASTY, "row@example.org"], ["circle", "list"],
             ["contact", "edit", "row@example.org", "--set", f"org={NASTY}"],
             ["contact", "remove", "row@example.org"], ["undo"], ["log"], ["status"], []]
    for words, stdin in lines + [(page, None) for page in pages]:
        code, text = ana.call(*words, text=True, stdin=stdin)
        assert code == 0 and not set(text) & FORBIDDEN, (words, code, text)
    for one in ana.ok("contact", "list")["contacts"]:
        code, text = ana.call("contact", "show", one["id"], text=True)
        assert code == 0 and not set(text) & FORBIDDEN, text
        code, text = on_terminal(KITH, "--home", ana.home, "contact", "show", one["id"],
                                 NO_COLOR="1")
        assert code == 0 and not set(text.replace("\r\n", "\n")) & FORBIDDEN, text


run(dict(globals()))
