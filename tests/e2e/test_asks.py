"""An ask walks from neighbour to neighbour, by hand, as far as its author allowed."""
import json
import os

from kithtest import KITH, Terminal, link, on_terminal, run, until


def chain(here, *names):
    """Members, each linked with the next; all run."""
    members = [here.member(name).start() for name in names]
    for one, other in zip(members, members[1:]):
        link(one, other)
    return members


def names(people):
    return [who["name"] for who in people]


def asks(member, *flags):
    return member.ok("ask", "list", *flags)["asks"]


def has(member, ask, seconds=30):
    until(lambda: any(row["id"] == ask["id"] for row in asks(member)), seconds,
          f"{member.name} has not heard of it: {member.ok('ask', 'list', '--all')}")
    return member.ok("ask", "show", ask["id"])


def events(member, kind):
    code, answer = member.call("log")
    rows = answer if isinstance(answer, list) else [answer]
    return [row for row in rows if row.get("kind") == kind]


def acts(member, who):
    noted = member.ok("contact", "timeline", who)["interactions"]
    return [(row["kind"], row.get("text"), row["ref"]) for row in reversed(noted)
            if row["kind"] != "linked"]


def an_ask_reaches_a_peer_and_is_passed_on_as_far_as_allowed(place):
    ana, bruno, carla, dora = chain(place, "Ana", "Bruno", "Carla", "Dora")
    ana.ok("me", "edit", "--title", "Packaging designer")
    made = ana.ok("ask", "post", "I design packaging and look for a job.", "--title",
                  "Looking for work", "--tag", "design", "--tag", "place:Norman", "--hops", "2",
                  "--caution", "Please not to my firm.")
    assert (made["state"], made["kind"], made["hop_limit"], made["mine"]) == \
        ("open", "ask", 2, True), made
    assert names(made["to"]) == ["Bruno"], made
    heard = has(bruno, made)
    assert (heard["title"], heard["text"], heard["tags"], heard["caution"]) == \
        (made["title"], made["text"], ["design", "place:Norman"], "Please not to my firm."), heard
    assert (heard["from"], heard["author"]["name"], heard["hops"], heard["state"]) == \
        ("Ana", "Ana", 1, "shown"), heard
    assert heard["expires"] == made["expires"] and "mine" not in heard
    assert asks(carla) == []
    passed = bruno.ok("ask", "pass", made["id"][:8], "--to", "carla", "--note",
                      "You know everybody in packaging.")
    assert passed["state"] == "passed", passed
    assert names(passed["passed_to"]) == ["Carla"], passed
    there = has(carla, made)
    assert (there["from"], there["author"]["name"], there["hops"], there["note"]) == \
        ("Bruno", "Ana", 2, "You know everybody in packaging."), there
    assert there["author"]["member"] == ana.identity["member"], there
    assert "no further" in carla.fails(1, "ask", "pass", made["id"], "--to", "dora")["message"]
    assert asks(dora) == []
    assert bruno.ok("status")["asks"] == {"mine": 0, "open": 1, "new": 0}
    assert carla.ok("status")["asks"] == {"mine": 0, "open": 1, "new": 1}
    assert ana.ok("status")["asks"] == {"mine": 1, "open": 0, "new": 0}
    code, text = carla.call("status", text=True)
    assert code == 0 and "1 ask from your network\n      kith ask list" in text, text
    assert acts(ana, "bruno") == [("asked", "Looking for work", made["id"])]
    assert acts(bruno, "ana") == [("asked-me", "Looking for work", made["id"]),
                                  ("passed", "Looking for work", made["id"])]
    assert acts(carla, "bruno") == [], acts(carla, "bruno")
    assert [row["text"] for row in events(bruno, "ask")] == ["asks: Looking for work"]
    assert [(row["who"], row["text"]) for row in events(carla, "ask")] == [
        ("Bruno", "passed an ask on to you: Looking for work")]


def people_may_be_away_in_turn(place):
    ana, bruno, carla = chain(place, "Ana", "Bruno", "Carla")
    for member in (ana, bruno, carla):
        member.stop()
    made = ana.ok("ask", "post", "A boat shed for the winter.", "--title", "Boat shed")
    ana.start()
    bruno.start()
    has(bruno, made)
    ana.stop()
    bruno.stop()
    bruno.ok("ask", "pass", made["id"], "--to", "carla")
    bruno.start()
    carla.start()
    assert has(carla, made)["author"]["name"] == "Ana"
    bruno.stop()
    carla.stop()
    ana.ok("ask", "close", made["id"], "--reason", "found")
    ana.start()
    bruno.start()
    until(lambda: bruno.ok("ask", "show", made["id"])["state"] == "closed")
    ana.stop()
    carla.start()
    until(lambda: carla.ok("ask", "show", made["id"])["state"] == "closed")
    there = carla.ok("ask", "show", made["id"])
    assert there["reason"] == "found" and asks(carla) == [], there
    bruno.fails(1, "ask", "pass", made["id"], "--to", "carla")
    for member in (bruno, carla):
        assert events(member, "ask")[-1]["text"] == "says that the ask is closed: found"



def the_same_by_two_people_shows_once(place):
    ana, bruno, carla = chain(place, "Ana", "Bruno", "Carla")
    emil = place.member("Emil").start()
    link(ana, emil)
    link(emil, carla)
    made = ana.ok("offer", "post", "A desk in our workshop is free.", "--title", "Room for one",
                  "--until", "20d")
    assert made["kind"] == "offer" and sorted(names(made["to"])) == ["Bruno", "Emil"]
    has(emil, made)
    has(bruno, made)
    emil.ok("ask", "pass", made["id"], "--to", "carla")
    has(carla, made)
    bruno.ok("ask", "pass", made["id"], "--to", "carla", "--note", "A good place.")
    until(lambda: "also_from" in carla.ok("ask", "show", made["id"]))
    there = asks(carla)
    assert len(there) == 1 and (there[0]["from"], there[0]["also_from"]) == ("Emil", ["Bruno"])
    code, text = carla.call("ask", "show", made["id"], text=True)
    assert code == 0 and "Emil (one person in between)" in text and "and by" in text, text
    assert acts(bruno, "ana")[0][:2] == ("offered-me", "Room for one")
    assert ana.ok("balance")["given"]["offered"] == 2


def what_is_kept_from_people_does_not_reach_them(place):
    ana, bruno, carla = chain(place, "Ana", "Bruno", "Carla")
    emil = place.member("Emil").start()
    link(ana, emil)
    link(ana, carla)
    ana.ok("me", "edit", "--org", "Acme")
    emil.ok("me", "edit", "--org", "ACME")
    until(lambda: ana.card_of("Emil").get("org") == "ACME")
    ana.ok("contact", "add", "Zoe Zimmer", "--org", "acme")
    warned = ana.fails(6, "ask", "post", "I look for another job.", "--title", "A new place")
    assert "Emil works where you do (Acme): nothing was sent" in warned["message"], warned
    assert '--keep-from "Emil"' in warned["hint"] and "--anyway" in warned["hint"], warned
    assert ana.ok("ask", "list", "--mine")["asks"] == []
    # Whoever cannot get it is no reason to hold it back.
    near = ("ask", "post", "I look for a bicycle.", "--title", "A bicycle", "--hops", "1")
    assert "Emil works" in ana.fails(6, *near)["message"]
    assert names(ana.ok(*near, "--to", "bruno")["to"]) == ["Bruno"]
    made = ana.ok("ask", "post", "I look for another job.", "--title", "A new place",
                  "--keep-from", "emil", "--keep-from", "carla", "--name", "first")
    assert names(made["to"]) == ["Bruno"] and made["colleagues"] == ["Zoe Zimmer"], made
    assert sorted((row["name"], row["why"]) for row in made["left_out"]) == [
        ("Carla", "you keep it from them"), ("Emil", "you keep it from them")], made
    has(bruno, made)
    failed = bruno.fails(1, "ask", "pass", made["id"], "--to", "carla")
    assert "the author may want it kept from them" in failed["message"], failed
    assert asks(carla) == [] and asks(emil) == []
    ana.ok("contact", "add", "Nobody Here")
    ana.fails(1, "offer", "post", "x", "--title", "y", "--keep-from", "Nobody Here")


def a_name_is_told_to_those_who_may_know_it(place):
    ana, bruno, carla = chain(place, "Ana", "Bruno", "Carla")
    made = ana.ok("ask", "post", "I look for a job.", "--title", "Work", "--name", "on-request")
    assert has(bruno, made)["author"]["name"] == "Ana"
    bruno.ok("ask", "pass", made["id"], "--to", "carla")
    there = has(carla, made)
    assert "author" not in there and there["named"] == "on-request", there
    code, text = carla.call("ask", "show", made["id"], text=True)
    assert code == 0 and "somebody" in text and "Ana" not in text, text
    code, text = carla.call("ask", "list", text=True)
    assert "Work, asked by somebody, passed on by Bruno" in text, text


def limits_are_told_with_the_time_they_end(place):
    ana, bruno, carla = chain(place, "Ana", "Bruno", "Carla")
    post = ["ask", "post", "Text.", "--title", "Title"]
    made = ana.ok(*post)
    told = ana.fails(1, *post)
    assert "after 20" in told["message"] and "--hops 1" in told["hint"], told
    near = ana.ok(*post, "--hops", "1")
    assert "after 20" in ana.fails(1, *post, "--hops", "1")["message"]
    ana.ok("offer", "post", "Text.", "--title", "Title")  # Offers have budgets of their own.
    has(bruno, near)
    bruno.fails(1, "ask", "pass", near["id"], "--to", "carla")
    ana.fails(1, "ask", "post", "Text.")  # Its first words are its title.
    ana.fails(2, "ask", "post", "--title", "Title")
    ana.fails(2, *post, "--hops", "4")
    ana.fails(2, *post, "--until", "31d")
    ana.fails(2, *post, "--until", "2020-01-01")
    ana.fails(2, *post, "--until", "soon")
    ana.fails(2, *post, "--name", "never")
    ana.fails(2, *post, *["--tag", "t"] * 9)
    ana.fails(3, *post, "--to", "nobody")
    ana.fails(3, *post, "--circle", "nobody")
    assert "140 characters" in ana.fails(2, "ask", "post", "T", "--title", "ü" * 141)["message"]
    assert "2,000" in ana.fails(2, "ask", "post", "x" * 2001, "--title", "T")["message"]
    ana.fails(2, "ask", "show", "ff")
    ana.fails(3, "ask", "show", "ffffffff")
    ana.fails(2, "ask", "close", made["id"], "--reason", "bored")
    ana.fails(1, "ask", "pass", made["id"], "--to", "bruno")
    ana.fails(1, "ask", "dismiss", made["id"])
    has(bruno, made)
    bruno.fails(1, "ask", "close", made["id"])
    bruno.fails(2, "ask", "pass", made["id"])
    back = bruno.fails(1, "ask", "pass", made["id"], "--to", "ana")
    assert "it came from them" in back["message"], back
    bruno.fails(2, "ask", "pass", made["id"], "--to", "carla", "--note", "x" * 281)
    bruno.ok("ask", "pass", made["id"], "--to", "carla")
    assert "already" in bruno.fails(1, "ask", "pass", made["id"], "--to", "carla")["message"]
    dismissed = carla.ok("ask", "dismiss", has(carla, made)["id"])
    assert dismissed["state"] == "not now" and asks(carla) == [], dismissed
    assert [row["id"] for row in asks(carla, "--all")] == [made["id"]]
    closed = ana.ok("ask", "close", made["id"], "--reason", "changed")
    assert (closed["state"], closed["reason"]) == ("closed", "changed"), closed
    ana.fails(1, "ask", "close", made["id"])
    assert [row["state"] for row in asks(ana, "--mine")].count("closed") == 1


def a_circle_gets_it_and_ten_people_at_most_from_one(place):
    ana = place.member("Ana").start()
    others = [place.member(f"P{at}").start() for at in range(13)]
    for other in others:
        link(ana, other)
    bruno = others[0]
    ana.ok("circle", "create", "choir")
    ana.ok("circle", "add", "choir", "p0")
    ana.ok("contact", "add", "Not On Kith")
    ana.ok("circle", "add", "choir", "Not On Kith")
    made = ana.ok("ask", "post", "We need a tenor.", "--title", "Tenor", "--circle", "choir")
    assert names(made["to"]) == ["P0"], made
    assert made["left_out"] == [{"name": "Not On Kith", "why": "no peer of yours"}], made
    has(bruno, made)
    for other in others[1:]:
        link(bruno, other)
    told = bruno.fails(1, "ask", "pass", made["id"],
                       *[word for at in range(1, 12) for word in ("--to", f"p{at}")])
    assert "10 people at most" in told["message"], told
    bruno.ok("ask", "pass", made["id"], *[w for at in range(1, 11) for w in ("--to", f"p{at}")])
    bruno.fails(1, "ask", "pass", made["id"], "--to", "p11")
    has(others[10], made)
    assert asks(others[11]) == []


def longer_text_is_written_in_an_editor_or_read(place):
    ana, _ = place.pair()
    editor = os.path.join(place.path, "editor")
    with open(editor, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n[ \"$1\" = --wait ] || exit 9\nprintf '%s' \"$WRITE\" > \"$2.new\"\n"
                   "cat \"$2\" >> \"$2.new\"\nmv \"$2.new\" \"$2\"\n")
    os.chmod(editor, 0o755)

    def written(text, *args, how=editor + " --wait"):
        os.environ["WRITE"] = text
        terminal = Terminal(KITH, "--home", ana.home, *args, EDITOR=how, VISUAL="")
        terminal.say("y\n")  # Where it is asked whether to send it.
        answer = (terminal.wait(60), terminal.text())
        terminal.close()
        left = [name for name in os.listdir(ana.home) if name.startswith("text-")]
        return (*answer, left)

    post = ["ask", "post", "--title", "Work", "--hops", "1"]
    code, shown, left = written("First line.\n\n  $(touch injected) `id`; \"quoted\"\n", *post)
    assert code == 0 and left == [], (shown, left)
    made = asks(ana, "--mine")[0]
    assert made["text"] == "First line.\n\n  $(touch injected) `id`; \"quoted\"", made
    assert "First line." in shown and "left out" not in made["text"]
    code, shown, left = written("Too soon.", *post)
    assert code == 1 and "cancelled" not in shown and left == [], "told before it was written"
    post[0] = "offer"
    code, shown, left = written(" \n", *post)
    assert code == 8 and "cancelled" in shown and left == [], (code, shown, left)
    code, shown, left = written("w" * 2001, *post)
    assert code == 2 and len(left) == 1 and left[0] in shown, (code, shown, left)
    with open(os.path.join(ana.home, left[0]), encoding="utf-8") as file:
        assert file.read().startswith("w" * 2001)
    assert os.stat(os.path.join(ana.home, left[0])).st_mode & 0o77 == 0
    os.unlink(os.path.join(ana.home, left[0]))
    for bad in ("false", "no-such-editor-anywhere", editor, "sh -c 'touch injected'"):
        code, shown, left = written("x", *post, how=bad)
        assert code == 8 and left == [], (bad, code, shown, left)
    assert not os.path.exists("injected") and len(asks(ana, "--mine")) == 1
    code, shown, left = written("Built our boat shed, and it still stands today.", "endorse",
                                "bruno", "--about", "carpentry", "--relation", "client")
    assert code == 0 and left == [], shown
    code, shown, left = written("Coffee.\nWe talked about boats.", "contact", "log", "bruno")
    assert code == 0 and left == [], shown
    note = ana.ok("contact", "timeline", "bruno")["interactions"][0]
    assert note["text"] == "Coffee.\nWe talked about boats.", note
    ana.ok("contact", "log", "bruno", "-", stdin=b"A call.\n")
    ana.fails(2, "contact", "log", "bruno")
    made = ana.ok("offer", "post", "-", "--title", "Boats", stdin="Two.\nGrüße.\n".encode())
    assert made["text"] == "Two.\nGrüße.", made
    ana.fails(8, "offer", "post", "-", "--title", "Boats", stdin=b" \n")
    ana.fails(2, "offer", "post", "-", "--title", "Boats", stdin=b"\xff\xfe")
    ana.fails(2, "offer", "post", "--title", "Boats")
    assert "text" not in json.dumps(os.listdir(ana.home))


def a_note_is_written_in_an_editor_and_changed_there(place):
    """Adding somebody asks for nothing; changing somebody without saying what is about the note."""
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon", "--note", "-", stdin="Left-handed.\nGrüße.\n".encode())
    assert ana.ok("contact", "show", "joon")["note"] == "Left-handed.\nGrüße."
    ana.fails(8, "contact", "add", "Mara", "--note", "-", stdin=b"\n")
    editor = os.path.join(place.path, "editor")
    with open(editor, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nsed -i \"$CHANGE\" \"$1\"\n")
    os.chmod(editor, 0o755)

    def edited(change, *args):
        os.environ["CHANGE"] = change
        answer = on_terminal(KITH, "--home", ana.home, *args, EDITOR=editor, VISUAL="")
        assert not [name for name in os.listdir(ana.home) if name.startswith("text-")]
        return answer

    code, shown = edited("1s/Left/Right/", "contact", "edit", "joon")
    assert code == 0, shown
    assert ana.ok("contact", "show", "joon")["note"] == "Right-handed.\nGrüße."
    code, shown = edited("1,2d", "contact", "edit", "joon")
    assert code == 8 and "cancelled" in shown, (code, shown)
    assert edited("1d", "contact", "add", "Chie")[0] == 0
    assert "note" not in ana.ok("contact", "show", "chie")
    assert edited("1s/^/Sings./", "contact", "edit", "chie")[0] == 0
    assert ana.ok("contact", "show", "chie")["note"] == "Sings."
    assert edited("1d", "contact", "edit", "nobody")[0] == 3
    ana.fails(2, "contact", "edit", "joon")
    ana.ok("undo")
    assert "note" not in ana.ok("contact", "show", "chie")


def hostile_text_is_harmless_where_it_is_shown(place):
    ana, bruno = place.pair()
    made = ana.ok("ask", "post", "Fine.\x1b[2J\u202e\nSecond.", "--title", "\x1b]0;owned\x07Hi",
                  "--tag", "a\x1b[31m", "--caution", "\u202eno")
    has(bruno, made)
    for args in (("ask", "list"), ("ask", "show", made["id"]), ("log",)):
        code, text = bruno.call(*args, text=True)
        assert code == 0 and not set(text) & set("\x1b\x07\u202e"), text


def what_ends_soon_is_due(place):
    ana, bruno = place.pair()
    made = ana.ok("ask", "post", "A boat shed.", "--title", "Boat shed", "--until", "5d")
    due = [row for row in ana.ok("due")["due"] if row["kind"] == "ask"]
    assert [(row["id"], row["text"]) for row in due] == [
        (made["id"], "your ask ends: Boat shed")], due
    has(bruno, made)
    assert [row for row in bruno.ok("due")["due"] if row["kind"] == "ask"] == []
    ana.ok("ask", "close", made["id"])
    assert [row for row in ana.ok("due")["due"] if row["kind"] == "ask"] == []


def nothing_is_lost_or_told_twice_by_kill_and_rebuild(place):
    ana, bruno, carla = chain(place, "Ana", "Bruno", "Carla")
    made = ana.ok("ask", "post", "A boat shed.", "--title", "Boat shed")
    ana.kill9()
    ana.start()
    has(bruno, made)
    bruno.ok("ask", "pass", made["id"], "--to", "carla")
    bruno.kill9()
    bruno.start()
    has(carla, made)
    told = len(events(carla, "ask"))
    for member in (ana, bruno, carla):
        before = member.ok("ask", "show", made["id"])
        member.ok("doctor", "--rebuild")
        until(lambda m=member: "views_behind" not in m.ok("status"))
        assert member.ok("ask", "show", made["id"]) == before
    assert len(events(carla, "ask")) == told


def a_no_said_again_is_one_no(place):
    """Five passes in a row that nobody wanted make a neighbour's next ones wait: five, not one."""
    ana, bruno = place.pair()
    ask = ana.ok("ask", "post", "I look for a boat.", "--title", "A boat", "--hops", "1")
    has(bruno, ask)
    for _ in range(6):
        assert bruno.ok("ask", "dismiss", ask["id"])["state"] == "not now"
    offer = ana.ok("offer", "post", "I have a shed to lend.", "--title", "A shed", "--hops", "1")
    until(lambda: bruno.call("ask", "show", offer["id"])[0] == 0, 30)
    assert bruno.ok("ask", "show", offer["id"])["state"] == "shown"


run(dict(globals()))
