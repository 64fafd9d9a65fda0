"""Contacts shared between real processes: chosen fields, kept or let pass, changed, taken back."""
import os
import subprocess
import time

from kithtest import KITH, Terminal, link, run, until

CANARIES = ("canary-note", "canary-met", "canary-talk", "canary@example.org", "+49 30 5550100",
            "https://canary.example.org", "canary-tag", "canary-circle", "Canary Place",
            "canary-birthday")


def dana(member, name="Dana Ito"):
    """Somebody with something in every field, most of it nobody else's business."""
    contact = member.ok(
        "contact", "add", name, "--org", "Ito Design", "--title", "Designer", "--place",
        "Canary Place", "--email", "canary@example.org", "--tel", "+49 30 5550100", "--url",
        "https://canary.example.org", "--tag", "canary-tag", "--note", "canary-note", "--met",
        "canary-met")
    member.ok("contact", "log", name, "canary-talk", "--kind", "call")
    member.ok("remind", name, "--every", "3m")
    member.ok("circle", "create", "canary-circle")
    member.ok("circle", "add", "canary-circle", name)
    return contact["id"]


def answered(member, text, *words):
    """What stood on the terminal, and the exit code, once the question was answered so."""
    terminal = Terminal(KITH, "--home", member.home, *words).hears("[y/N]")
    terminal.say(text)
    code = terminal.wait()
    terminal.close()
    return terminal.text(), code


def shares(member, *flags):
    return member.ok("share", "list", *flags)["shares"]


def arrives(member, *flags, state="waiting", seconds=20):
    until(lambda: [row for row in shares(member, "--received", *flags) if row["state"] == state],
          seconds, what=f"nothing {state} at {member.name}")
    return [row for row in shares(member, "--received", *flags) if row["state"] == state][0]


def log_kinds(member):
    events = member.ok("log")
    return [event["kind"] for event in (events if isinstance(events, list) else [events])]


def held(member, words):
    """Which of these words stand anywhere in a member's files."""
    found = set()
    for folder, _, names in os.walk(member.home):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                data = file.read()
            found |= {word for word in words if word.encode() in data}
    return found


def a_contact_is_shared_shown_and_kept(place):
    ana, bruno = place.pair()
    contact = dana(ana)
    given = ana.ok("contact", "share", "dana", "--with", "bruno", "--agreed", "--why",
                   "She looks for work.")
    assert given["name"] == "Dana Ito" and given["contact"] == contact
    assert given["shared"] == {"kind": "person", "name": "Dana Ito", "org": "Ito Design",
                               "title": "Designer", "why": "She looks for work."}, given
    assert [row["name"] for row in given["with"]] == ["Bruno"]
    for why in ("x" * 5000, "a\x1b[31m", "two\nlines"):
        told = ana.fails(2, "contact", "share", "dana", "--with", "bruno", "--agreed", "--why", why)
        assert "--why" in told["message"], told
    row = arrives(bruno)
    assert row["from"] == {"member": ana.identity["member"], "name": "Ana"}, row
    assert (row["name"], row["org"], row["title"], row["why"]) == (
        "Dana Ito", "Ito Design", "Designer", "She looks for work.")
    assert not {"place", "emails", "phones", "urls", "tags", "note", "met"} & set(row), row
    assert row["id"] == given["with"][0]["share"]
    assert bruno.ok("status")["shares"] == {"waiting": 1, "given": 0}
    assert ana.ok("status")["shares"] == {"waiting": 0, "given": 1}
    assert bruno.ok("contact", "search", "dana")["total"] == 0, "what waits is no contact yet"
    kept = bruno.ok("share", "keep", row["id"])
    assert kept["state"] == "kept"
    page = bruno.ok("contact", "show", "dana ito")
    assert page["id"] == kept["contact"] and page["org"] == "Ito Design"
    assert [(by["name"], by["state"]) for by in page["shared_by"]] == [("Ana", "kept")], page
    assert [row["name"] for row in ana.ok("contact", "show", "dana")["shared_with"]] == ["Bruno"]
    assert bruno.ok("status")["shares"]["waiting"] == 0
    assert ana.ok("balance")["given"]["shared"] == 1
    assert bruno.ok("balance", "ana")["received"]["shared-me"] == 1
    assert "shared" in log_kinds(ana) and "shared" in log_kinds(bruno)


def what_was_not_chosen_is_nowhere_at_the_reader(place):
    ana, bruno = place.pair()
    dana(ana)
    ana.ok("contact", "share", "dana", "--with", "bruno", "--agreed")
    row = arrives(bruno)
    bruno.ok("share", "keep", row["id"])
    assert ana.ok("sync", "--wait", "20")["in_step"]
    ana.stop()
    bruno.stop()
    assert held(ana, CANARIES[:3]) == set(CANARIES[:3]), "the search finds what is there"
    assert held(bruno, CANARIES) == set()
    assert held(bruno, ("Dana Ito",)) == {"Dana Ito"}
    exported = bruno.call("export", "--format", "json", text=True)[1]
    assert not [word for word in CANARIES if word in exported]


def chosen_fields_travel_and_notes_never_do(place):
    ana, bruno = place.pair()
    dana(ana)
    before = ana.ok("log")
    for field in ("note", "met"):
        error = ana.fails(2, "contact", "share", "dana", "--with", "bruno", "--agreed", "--field",
                          field)
        assert "--why" in error["hint"], error
    for field in ("reminder", "circle", "member", "extra", ""):
        ana.fails(2, "contact", "share", "dana", "--with", "bruno", "--agreed", "--field", field)
    ana.fails(2, "contact", "share", "dana", "--with", "bruno", "--agreed", "--without", "name")
    assert ana.ok("log") == before and shares(ana) == []
    plan = ana.ok("contact", "share", "dana", "--with", "bruno", "--field", "email", "--field",
                  "tag", "--without", "title", "--dry-run")
    assert shares(ana) == [], "looking shares nothing"
    given = ana.ok("contact", "share", "dana", "--with", "bruno", "--field", "email", "--field",
                   "tag", "--without", "title", "--agreed")
    assert given["shared"] == plan["shared"] == {
        "kind": "person", "name": "Dana Ito", "org": "Ito Design",
        "emails": ["canary@example.org"], "tags": ["canary-tag"]}, given
    row = arrives(bruno)
    assert row["emails"] == ["canary@example.org"] and "title" not in row


def nothing_is_shared_before_the_person_has_agreed(place):
    ana, bruno = place.pair()
    dana(ana)
    error = ana.fails(2, "contact", "share", "dana", "--with", "bruno")
    assert "agreed" in error["message"] and "--agreed" in error["hint"], error
    assert shares(ana) == []
    share = ("contact", "share", "dana", "--with", "bruno")
    text, code = answered(ana, "n\n", *share, "--field", "email")
    assert code == 8 and "nothing was shared" in text and "canary@example.org" in text, text
    assert "Has Dana Ito agreed" in text, text
    assert shares(ana) == [] and shares(bruno) == []
    text, code = answered(ana, "y\n", *share)
    assert code == 0, text
    assert arrives(bruno)["name"] == "Dana Ito"


def what_is_taken_back_is_lost_unless_it_was_kept(place):
    ana, bruno = place.pair()
    chie = place.member("Chie").start()
    link(ana, chie)
    dana(ana)
    ana.ok("contact", "share", "dana", "--with", "bruno", "--with", "chie", "--agreed")
    row = arrives(bruno)
    bruno.ok("share", "keep", row["id"])
    waiting = arrives(chie)
    assert waiting["id"] != row["id"], "two readers cannot compare what they were given"
    back = ana.ok("share", "withdraw", "dana")
    assert sorted(row["name"] for row in back["withdrawn"]) == ["Bruno", "Chie"], back
    ana.fails(3, "share", "withdraw", "dana")
    until(lambda: shares(chie, "--received", "--all") == [], what="Chie has it still")
    chie.fails(3, "share", "keep", waiting["id"])
    assert "taken back" in log_kinds(chie)
    assert arrives(bruno, state="taken back")["name"] == "Dana Ito"
    page = bruno.ok("contact", "show", "dana")
    assert page["org"] == "Ito Design" and page["shared_by"][0]["state"] == "taken back", page
    bruno.fails(1, "share", "keep", row["id"])
    assert "shared_with" not in ana.ok("contact", "show", "dana")
    chie.stop()
    assert "Dana" not in chie.call("log", text=True)[1]
    assert "Dana" not in chie.call("contact", "timeline", "ana", text=True)[1]
    chie.start()
    ana.ok("contact", "share", "dana", "--with", "bruno", "--with", "chie", "--agreed")
    assert arrives(chie)["name"] == "Dana Ito"
    assert arrives(bruno, state="kept")["name"] == "Dana Ito"


def it_is_taken_back_from_one_and_stays_with_the_other(place):
    ana, bruno = place.pair()
    chie = place.member("Chie").start()
    link(ana, chie)
    dana(ana)
    ana.ok("contact", "share", "dana", "--with", "bruno", "--with", "chie", "--agreed")
    arrives(bruno)
    arrives(chie)
    for nobody in (["--from", "nobody"], ["--from", "nobody", "--from", "bruno"]):
        told = ana.fails(3, "share", "withdraw", "dana", *nobody)
        assert 'no peer of yours is called "nobody"' in told["message"], told
    assert len(shares(ana, "--given")) == 2
    assert [row["name"] for row in
            ana.ok("share", "withdraw", "dana", "--from", "bruno")["withdrawn"]] == ["Bruno"]
    until(lambda: shares(bruno, "--received") == [])
    assert arrives(chie)["state"] == "waiting"
    only = shares(ana, "--given")
    assert [row["with"]["name"] for row in only] == ["Chie"]
    ana.ok("share", "withdraw", only[0]["id"][:8])
    until(lambda: shares(chie, "--received") == [])


def sharing_again_replaces_and_what_the_keeper_changed_stays(place):
    ana, bruno = place.pair()
    dana(ana)
    ana.ok("contact", "share", "dana", "--with", "bruno", "--field", "email", "--agreed")
    row = arrives(bruno)
    bruno.ok("share", "keep", row["id"])
    bruno.ok("contact", "edit", "dana", "--set", "title=Art director", "--set", "note=mine")
    ana.ok("contact", "edit", "dana", "--set", "org=Ito & Co", "--set", "title=Lead designer",
           "--set", "email=dana@example.org", "--add", "email=other@example.org")
    assert shares(bruno, "--received")[0]["state"] == "kept", "an edit alone tells nobody"
    ana.ok("contact", "share", "dana", "--with", "bruno", "--field", "email", "--agreed")
    assert arrives(bruno, state="changed")["org"] == "Ito & Co"
    assert bruno.ok("contact", "show", "dana")["org"] == "Ito Design", "nothing changes by itself"
    assert bruno.ok("share", "keep", row["id"])["state"] == "kept"
    page = bruno.ok("contact", "show", "dana")
    assert page["org"] == "Ito & Co" and page["title"] == "Art director", page
    assert page["note"] == "mine"
    assert sorted(page["emails"]) == ["dana@example.org", "other@example.org"], page
    assert len(shares(bruno, "--received")) == 1 and bruno.ok("status")["contacts"] == 2
    ana.ok("contact", "share", "dana", "--with", "bruno", "--agreed")
    assert "emails" not in arrives(bruno, state="changed"), "less is told now"
    ana.stop()
    bruno.stop()
    assert bruno.ok("doctor")["healthy"] is True
    bruno.ok("doctor", "--rebuild")
    assert [row["state"] for row in shares(bruno, "--received")] == ["changed"]
    assert shares(ana, "--given")[0]["name"] == "Dana Ito"


def what_is_let_pass_is_out_of_sight_and_can_still_be_kept(place):
    ana, bruno = place.pair()
    dana(ana)
    ana.ok("contact", "share", "dana", "--with", "bruno", "--agreed")
    row = arrives(bruno)
    assert bruno.ok("share", "set-aside", row["id"])["state"] == "set aside"
    assert shares(bruno, "--received") == []
    assert [row["state"] for row in shares(bruno, "--all")] == ["set aside"]
    ana.ok("contact", "edit", "dana", "--set", "org=Ito & Co")
    ana.ok("contact", "share", "dana", "--with", "bruno", "--agreed")
    assert ana.ok("sync", "--wait", "20")["in_step"]
    until(lambda: shares(bruno, "--all")[0]["org"] == "Ito & Co")
    assert shares(bruno, "--received") == [], "who let it pass is not asked again"
    assert ana.ok("status")["undelivered"] == 0
    assert shares(ana, "--given")[0]["state"] == "given", "nobody is told"
    bruno.ok("share", "keep", row["id"][:8])
    assert bruno.ok("contact", "show", "dana")["org"] == "Ito & Co"
    bruno.fails(1, "share", "set-aside", row["id"])
    undone = bruno.ok("undo")
    assert "Dana" in undone["undone"], undone
    bruno.fails(3, "contact", "show", "dana")
    bruno.ok("share", "keep", row["id"])
    assert bruno.ok("contact", "show", "dana")["org"] == "Ito & Co"


def each_may_be_away(place):
    ana, bruno = place.pair()
    dana(ana)
    bruno.stop()
    ana.ok("contact", "share", "dana", "--with", "bruno", "--agreed")
    ana.stop()
    ana.ok("contact", "add", "Emil Berg")
    ana.ok("contact", "share", "emil", "--with", "bruno", "--agreed")
    ana.ok("contact", "share", "dana", "--with", "bruno", "--field", "tel", "--agreed")
    assert ana.ok("status")["undelivered"] > 0
    bruno.start()
    ana.start()
    until(lambda: len(shares(bruno, "--received")) == 2, 30)
    rows = {row["name"]: row for row in shares(bruno, "--received")}
    assert rows["Dana Ito"]["phones"] == ["+49 30 5550100"]
    bruno.stop()
    bruno.ok("share", "keep", rows["Dana Ito"]["id"])
    bruno.ok("share", "set-aside", rows["Emil Berg"]["id"])
    ana.ok("share", "withdraw", "dana")
    ana.ok("share", "withdraw", "emil")
    bruno.start()
    assert arrives(bruno, state="taken back", seconds=30)["name"] == "Dana Ito"
    until(lambda: len(shares(bruno, "--received", "--all")) == 1, 30)


def what_a_removed_peer_shared_goes_but_for_what_was_kept(place):
    ana, bruno = place.pair()
    dana(ana)
    ana.ok("contact", "add", "Emil Berg")
    ana.ok("contact", "share", "dana", "--with", "bruno", "--agreed")
    row = arrives(bruno)
    bruno.ok("share", "keep", row["id"])
    ana.ok("contact", "share", "emil", "--with", "bruno", "--agreed")
    waiting = arrives(bruno)
    bruno.ok("peer", "remove", "ana")
    assert [row["state"] for row in shares(bruno, "--all")] == ["kept"], shares(bruno, "--all")
    bruno.fails(3, "share", "keep", waiting["id"])
    assert bruno.ok("contact", "show", "dana")["shared_by"][0]["name"] == "Ana"
    assert bruno.ok("status")["shares"] == {"waiting": 0, "given": 0}
    ana.ok("peer", "remove", "bruno")
    assert shares(ana, "--given") == []
    ana.fails(1, "contact", "share", "dana", "--with", "bruno", "--agreed")
    ana.ok("peer", "accept", bruno.ok("peer", "invite")["uri"])
    ana.ok("contact", "share", "emil", "--with", "bruno", "--agreed")
    arrives(bruno)
    assert bruno.ok("status")["shares"] == {"waiting": 1, "given": 0}, "what waited is forgotten"
    assert [row["state"] for row in shares(bruno, "--all")].count("kept") == 1


def a_share_outlives_merging_and_removing_of_the_contact(place):
    ana, bruno = place.pair()
    first = ana.ok("contact", "add", "Dana Ito")["id"]
    second = ana.ok("contact", "add", "D. Ito", "--org", "Ito Design")["id"]
    ana.ok("contact", "share", second, "--with", "bruno", "--agreed")
    row = arrives(bruno)
    ana.ok("contact", "merge", first, second)
    again = ana.ok("contact", "share", "dana", "--with", "bruno", "--agreed")
    assert again["with"][0]["share"] == row["id"], again
    until(lambda: shares(bruno)[0]["name"] == "Dana Ito")
    assert [share["id"] for share in shares(bruno)] == [row["id"]], "one person, one share"
    assert [by["name"] for by in ana.ok("contact", "show", "dana")["shared_with"]] == ["Bruno"]
    ana.ok("contact", "remove", "dana")
    assert len(shares(ana, "--given")) == 1
    ana.ok("share", "withdraw", "DANA ITO")
    until(lambda: shares(bruno) == [])


def wrong_words_are_refused_with_the_next_line_to_type(place):
    ana, bruno = place.pair()
    chie = place.member("Chie")
    dana(ana)
    ana.fails(3, "contact", "share", "nobody", "--with", "bruno", "--agreed")
    ana.fails(3, "contact", "share", "dana", "--with", "nobody", "--agreed")
    ana.fails(2, "contact", "share", "dana", "--agreed")
    ana.fails(2, "contact", "share", "bruno", "--with", "bruno", "--agreed")
    ana.fails(2, "contact", "share", "dana", *["--with", "bruno"] * 11, "--agreed")
    ana.ok("contact", "add", "Emil Berg")
    error = ana.fails(1, "contact", "share", "emil", "--with", "bruno", "--field", "email",
                      "--agreed")
    assert "no email" in error["message"], error
    error = ana.fails(2, "contact", "share", "emil", "--with", "bruno", "--agreed", "--why",
                      "x" * 281)
    assert "at most 280" in error["message"], error
    ana.ok("contact", "share", "emil", "--with", "bruno", "--agreed", "--why", "x" * 280)
    ana.ok("contact", "add", "Many", *[word for number in range(17)
                                       for word in ("--email", f"m{number}@example.org")])
    error = ana.fails(1, "contact", "share", "many", "--with", "bruno", "--agreed", "--field",
                      "email")
    assert "too many" in error["message"], error
    for verb in ("show", "keep", "set-aside"):
        bruno.fails(2, "share", verb, "abc")
        bruno.fails(3, "share", verb, "abcdef0123")
    bruno.fails(3, "share", "withdraw", "dana")
    assert shares(chie) == []
    assert chie.call("share", "list", text=True)[0] == 0


def people_read_it_in_sentences(place):
    ana, bruno = place.pair()
    bell = ana.ok("contact", "add", "Bell\u0007 Ringer")["id"]
    given = ana.ok("contact", "share", bell, "--with", "bruno", "--agreed")
    assert given["shared"]["name"] == "Bell  Ringer", given
    until(lambda: len(shares(bruno)) == 1)
    bruno.ok("share", "set-aside", shares(bruno)[0]["id"])
    ana.ok("contact", "add", "Dana\u202e Ito", "--org", "Ito")
    ana.ok("contact", "share", "Dana\u202e Ito", "--with", "bruno", "--agreed")
    row = arrives(bruno)
    for words in (("share", "list"), ("share", "show", row["id"]), ("status",), ("log",),
                  ("share", "keep", row["id"]), ("contact", "show", "Dana\u202e Ito")):
        code, text = bruno.call(*words, text=True)
        assert code == 0 and "\u202e" not in text, (words, text)
        if words[0] == "status":
            assert "1 shared contact: keep or let pass" in text, text
        if words == ("contact", "show", "Dana\u202e Ito"):
            assert "Shared by      Ana" in text, text


def a_share_may_look_like_somebody_who_is_there(place):
    ana, bruno = place.pair()
    dana(ana)
    known = bruno.ok("contact", "add", "D. Ito", "--email", "CANARY@example.org")["id"]
    ana.ok("contact", "share", "dana", "--with", "bruno", "--field", "email", "--agreed")
    kept = bruno.ok("share", "keep", arrives(bruno)["id"])
    assert kept["look_alike"] == [known], kept
    bruno.ok("contact", "merge", known, kept["contact"])
    page = bruno.ok("contact", "show", "D. Ito")
    assert page["org"] == "Ito Design" and page["shared_by"][0]["name"] == "Ana", page


if __name__ == "__main__":
    run(globals())
