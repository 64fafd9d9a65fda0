"""Whatever a peer writes, in every field that crosses: it reaches no terminal as anything but text,
no calendar or address book as another property, and no line of the log as a line of its own."""
import time

from kithtest import KITH, link, on_terminal, run, until

NASTY = "Q\x1b]0;own\x07\x1b[31m\u202egnp\u200b\u009b31m\u2028q"
MANY = NASTY + "\r\nEND:VEVENT\r\nBEGIN:VCARD\nkith: all is well\n"
QUIET = "Q\u202egnp\u200b\u2028q"  # no control byte
FORBIDDEN = set("\x1b\x07\u202e\u200b\u009b\u2028\r\x7f")


def one_line(at):
    return f"{NASTY}{at}"


def heard(member):
    return [row for row in member.ok("ask", "list", "--all")["asks"] if "from" in row]


def written_by_an_enemy(enemy, ana, chie):
    """Every field others get to see, and what of it makes a line of its own is MANY."""
    card = [f"--{key}={one_line(key)}" for key in ("name", "org", "title", "place")]
    enemy.ok("me", "edit", *card, f"--email={NASTY}@example.org", f"--tel={NASTY}1",
             f"--url=https://example.org/{NASTY}")
    ask = enemy.ok("ask", "post", MANY, "--title", one_line("ask"), "--tag", one_line("tag"),
                   "--caution", MANY, "--to", "ana")["id"]
    offer = enemy.ok("offer", "post", MANY, "--title", one_line("offer"), "--hops", "1")["id"]
    theirs = chie.ok("ask", "post", "A boat.", "--title", "Boat", "--to", "Evil")["id"]
    until(lambda: heard(enemy))
    enemy.ok("ask", "pass", theirs, "--to", "ana", "--note", one_line("note"))
    mine = ana.ok("ask", "post", "A shed.", "--title", "Shed", "--to", "Evil")["id"]
    until(lambda: len(heard(enemy)) == 2)
    reply = enemy.ok("ask", "reply", mine, "--text", MANY)["id"]
    enemy.ok("lead", "answer", reply, MANY)
    enemy.ok("contact", "add", NASTY, "--org", NASTY, "--title", NASTY, "--tag", QUIET)
    enemy.ok("contact", "share", NASTY, "--with", "ana", "--agreed", "--field", "org", "--field",
             "title", "--field", "tag", "--why", QUIET)
    enemy.ok("endorse", "ana", "--about", one_line("skill"), "--relation", "client", "--words",
             MANY + "twenty letters at the least")
    enemy.ok("endorsement", "want", "ana", "--words", one_line("want"))
    enemy.ok("intro", "want", "--tag", one_line("met"), "--from", "ana", "--blurb",
             one_line("blurb"))
    enemy.ok("introduce", "ana", "chie", "--why", MANY, "--to-a", MANY)
    return ask, offer, mine, reply


def arrived(ana):
    return (len(heard(ana)) == 3 and ana.leads() and
            ana.leads()[0]["letters"] == 2 and ana.ok("share", "list")["shares"] and
            ana.ok("endorsement", "list", "--pending")["endorsements"] and
            ana.ok("intro", "list")["introductions"] and
            len({row["kind"] for row in ana.ok("due")["due"]} &
                {"introduction wanted", "endorsement wanted", "share"}) == 3)


def what_a_peer_writes_anywhere_is_text_everywhere(place):
    ana, chie, enemy = (place.member(name).start() for name in ("Ana", "Chie", "Evil"))
    for one, other in ((ana, enemy), (chie, enemy), (ana, chie)):
        link(one, other)
    ana.ok("sync", "--wait", "20")
    asks = written_by_an_enemy(enemy, ana, chie)
    until(lambda: arrived(ana), 60, "not all of it came")
    until(lambda: ana.card_of(enemy.identity["member"]).get("org"), 30)
    ids = {"share": ana.ok("share", "list")["shares"][0]["id"],
           "intro": ana.ok("intro", "list")["introductions"][0]["id"],
           "endorsement": ana.ok("endorsement", "list", "--pending")["endorsements"][0]["id"]}
    who = enemy.identity["member"]
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
        allowed = set("\r\u202e\u200b\u009b\u2028") if is_file else set()
        found = set(text) & FORBIDDEN - allowed
        assert code == 0 and not found, (page, code, found, text)
        lines = text.replace("\r\n ", "").splitlines()
        assert is_file or not {"kith: all is well", "END:VEVENT"} & set(lines), (page, text)
        if is_file:
            assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT"), text
            assert lines.count("BEGIN:VCARD") == lines.count("END:VCARD"), text
        code, text = on_terminal(KITH, "--home", ana.home, *page, NO_COLOR="1")
        found = set(text.replace("\r\n", "\n")) & FORBIDDEN
        assert code == 0 and (is_file or not found), (page, code, found, text)
    # Deciding on it shows it as well.
    for line in (["share", "keep", ids["share"]], ["intro", "accept", ids["intro"]],
                 ["endorsement", "accept", ids["endorsement"]], ["ask", "close", asks[2]],
                 ["thanks", asks[3], "So kind."], ["contact", "closeness", who, "good"],
                 ["remind", who, "--every", "3m"], ["due"], ["undo"],
                 ["peer", "block", who], ["peer", "remove", who]):
        code, text = ana.call(*line, text=True)
        assert code == 0 and not set(text) & FORBIDDEN, (line, code, text)
    dora = place.member("Dora").start()
    code, text = dora.call("peer", "accept", enemy.ok("peer", "invite")["uri"], text=True)
    assert code == 0 and "linked" in text and not set(text) & FORBIDDEN, (code, text)


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
