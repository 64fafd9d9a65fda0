"""Three and four people: a member brings two peers together, and both must agree."""
from kithtest import link, run, start_later, until


def three(here):
    """Iris, linked with Ana and with Bruno; all run."""
    iris, ana, bruno = (here.member(name).start() for name in ("Iris", "Ana", "Bruno"))
    link(iris, ana)
    link(iris, bruno)
    return iris, ana, bruno


def intros(member):
    return member.ok("intro", "list")["introductions"]


def acts(member, who):
    """What the timeline says of acts of kith, apart from linking, the oldest first."""
    noted = member.ok("contact", "timeline", who)["interactions"]
    return [(row["kind"], row.get("text"), row["ref"]) for row in reversed(noted)
            if row["kind"] != "linked"]


def state_of(member):
    rows = intros(member)
    return rows[0]["state"] if rows else None


def wait_for(member, state, seconds=30):
    until(lambda: state_of(member) == state, seconds,
          f"{member.name} is at {state_of(member)}, not {state}")


def introduced_people_are_linked_and_sync_directly(place):
    iris, ana, bruno = three(place)
    ana.ok("me", "edit", "--title", "Baker")
    made = iris.ok("introduce", "ana", "bruno", "--why", "You both restore boats.")
    assert made["state"] == "open" and made["role"] == "introducer"
    wait_for(ana, "offered")
    offer = intros(ana)[0]
    assert offer["other"] == {"name": "Bruno"}, offer
    assert offer["introducer"]["name"] == "Iris" and offer["why"] == "You both restore boats."
    assert intros(bruno) == []
    assert ana.ok("status")["introductions"] == {"waiting_for_me": 1, "open": 0}
    due = [row for row in ana.ok("due")["due"] if row["kind"] == "introduction"]
    assert [(row["who"], row["text"], row["id"], row["due"], row["state"]) for row in due] == [
        ("Iris", "suggests you meet Bruno: You both restore boats.", made["id"],
         offer["expires"][:10], "soon")], due
    assert "Iris" not in ana.ok("due", "--ical")["ical"]
    code, told = ana.call("status", text=True)
    assert code == 0 and ("Waiting for you:\n  Iris suggests you meet Bruno: You both restore "
                          "boats.\n      kith intro show " + made["id"][:12]) in told, told
    assert not iris.ok("due")["due"] and not bruno.ok("due")["due"]
    ana.ok("intro", "accept", offer["id"], "--message", "Glad to meet you.")
    assert ana.ok("due")["due"] == []
    assert "Waiting" not in ana.call("status", text=True)[1]
    wait_for(bruno, "offered")
    bruno.ok("intro", "accept", intros(bruno)[0]["id"])
    wait_for(iris, "released")
    for one, other in ((ana, "Bruno"), (bruno, "Ana")):
        wait_for(one, "connected")
        until(lambda o=one, n=other: o.card_of(n).get("name") == n)
        peer = one.ok("peer", "show", other)
        assert (peer["level"], peer["via"]) == ("introduced", "Iris"), peer
    assert intros(bruno)[0]["other"]["message"] == "Glad to meet you."
    assert "message" not in intros(ana)[0]["other"]
    code, text = bruno.call("peer", "show", "ana", text=True)
    assert code == 0 and "introduced by Iris on 20" in text, text
    assert bruno.card_of("Ana")["title"] == "Baker"
    assert acts(iris, "ana") == [("introduced", "Bruno", made["id"])]
    assert acts(iris, "bruno") == [("introduced", "Ana", made["id"])]
    assert acts(ana, "iris") == [("introduced-me", "Bruno", made["id"])]
    assert acts(bruno, "iris") == [("introduced-me", "Ana", made["id"])]
    assert iris.ok("balance")["given"] == {"total": 2, "introduced": 2}
    assert ana.ok("balance", "iris")["received"] == {"total": 1, "introduced-me": 1}
    iris.stop()
    until(lambda: ana.ok("peer", "show", "bruno")["state"] == "online")
    bruno.ok("me", "edit", "--title", "Sailmaker")
    until(lambda: ana.card_of("Bruno").get("title") == "Sailmaker")
    ana.ok("me", "edit", "--title", "Boat builder")
    until(lambda: bruno.card_of("Ana").get("title") == "Boat builder")



def agree(member, seconds=30):
    wait_for(member, "offered", seconds)
    return member.ok("intro", "accept", intros(member)[0]["id"])


def each_may_be_away_in_turn(place):
    iris, ana, bruno = three(place)
    ana.stop()
    bruno.stop()
    iris.ok("introduce", "ana", "bruno", "--why", "Boats.", "--first", "both")
    iris.stop()
    ana.start()
    bruno.start()
    assert intros(ana) == [] and intros(bruno) == []
    iris.start()
    wait_for(ana, "offered")
    wait_for(bruno, "offered")
    iris.stop()
    ana.stop()
    ana.ok("intro", "accept", intros(ana)[0]["id"])
    bruno.ok("intro", "accept", intros(bruno)[0]["id"])
    bruno.stop()
    ana.start()
    iris.start()
    until(lambda: iris.ok("intro", "list")["introductions"][0]["a"]["answer"] == "yes")
    assert state_of(iris) == "open"
    ana.stop()
    bruno.start()
    wait_for(iris, "released")
    wait_for(bruno, "greeted")
    bruno.ok("sync", "iris", "--wait", "10")
    bruno.stop()
    ana.start()
    wait_for(ana, "connected")
    ana.ok("sync", "iris", "--wait", "10")
    ana.stop()
    bruno.start()
    wait_for(bruno, "connected")
    ana.start()
    until(lambda: ana.card_of("Bruno").get("name") == "Bruno")
    until(lambda: bruno.card_of("Ana").get("name") == "Ana")


def whoever_is_cut_off_in_the_middle_is_still_reached(place):
    iris, ana, bruno = three(place)
    iris.ok("introduce", "ana", "bruno", "--why", "Boats.", "--first", "B")
    agree(bruno)
    wait_for(ana, "offered")
    bruno.stop()
    agree(ana)
    wait_for(ana, "greeted")
    ana.ok("sync", "--wait", "10")
    ana.stop()
    bruno.start()
    wait_for(bruno, "connected")
    bruno.ok("sync", "iris", "--wait", "10")
    iris.ok("peer", "remove", "ana")
    ana.start()
    wait_for(ana, "connected", 90)
    until(lambda: ana.card_of("Bruno").get("name") == "Bruno")
    peer = ana.ok("peer", "show", "bruno")
    assert (peer["level"], peer["via"]) == ("introduced", "Iris"), peer
    until(lambda: bruno.card_of("Ana").get("name") == "Ana")


def who_is_deleted_while_greeted_is_linked_once_and_removed(place):
    iris, ana, bruno = three(place)
    iris.ok("introduce", "ana", "bruno", "--why", "Boats.", "--first", "B")
    agree(bruno)
    wait_for(ana, "offered")
    bruno.stop()
    agree(ana)
    wait_for(ana, "greeted")
    ana.ok("intro", "decline", intros(ana)[0]["id"])
    bruno.start()
    wait_for(bruno, "connected")
    wait_for(ana, "connected")
    until(lambda: [p["name"] for p in ana.peers()] == ["Iris"])
    until(lambda: bruno.ok("peer", "show", "ana")["state"] == "offline")
    assert bruno.ok("peer", "show", "ana")["last_seen"]


def a_no_cannot_be_told_from_silence(place):
    """Two introducers do the same; one other declines, one says nothing. Ana sees the same."""
    iris, ana, bruno = three(place)
    jo, carl = place.member("Jo").start(), place.member("Carl").start()
    link(jo, ana)
    link(jo, carl)
    seen = {}
    for who, other in ((iris, bruno), (jo, carl)):
        made = who.ok("introduce", "ana", other.name, "--why", "Boats.", "--first", "both")
        until(lambda i=made["id"]: any(r["id"] == i for r in intros(ana)))
        ana.ok("intro", "accept", made["id"])
        wait_for(other, "offered")
        if other is bruno:
            until(lambda: iris.ok("intro", "list")["introductions"][0]["a"]["answer"] == "yes")
            bruno.ok("intro", "decline", intros(bruno)[0]["id"])
            wait_for(iris, "closed")
            assert iris.ok("intro", "show", made["id"])["b"]["answer"] == "no"
        ana.ok("sync", "--wait", "10")
        code, text = ana.call("intro", "show", made["id"], text=True)
        assert code == 0
        row = ana.ok("intro", "show", made["id"])
        entries = len([e for e in ana.ok("log")["events"] if e.get("ref") == made["id"]]) \
            if isinstance(ana.ok("log"), dict) else None
        seen[who.name] = (sorted(row), row["state"], sorted(row["other"]), len(text.split()),
                          entries)
    assert seen["Iris"] == seen["Jo"], seen
    iris.fails(1, "intro", "withdraw", intros(iris)[0]["id"])
    assert all(row["state"] == "yes" for row in intros(ana))
    assert bruno.ok("intro", "list")["introductions"][0]["state"] == "no"


def the_introducer_may_take_it_back(place):
    iris, ana, bruno = three(place)
    made = iris.ok("introduce", "ana", "bruno", "--why", "Boats.")
    wait_for(ana, "offered")
    iris.ok("intro", "withdraw", made["id"])
    wait_for(ana, "withdrawn")
    ana.fails(1, "intro", "accept", made["id"])
    assert intros(bruno) == []
    iris.fails(1, "introduce", "bruno", "ana", "--why", "Again.")


def whoever_asked_is_asked_last_and_agrees_by_itself(place):
    iris, ana, bruno = three(place)
    ana.ok("intro", "want", "Bruno", "--from", "iris", "--blurb", "I restore boats.")
    until(lambda: iris.ok("intro", "list")["wants"])
    want = iris.ok("intro", "list")["wants"][0]
    assert (want["from"]["name"], want["words"]) == ("Ana", "Bruno"), want
    iris.ok("introduce", "ana", "bruno", "--why", "Ana restores boats.")
    agree(bruno)
    wait_for(ana, "connected")
    wait_for(bruno, "connected")
    said = ana.ok("intro", "thanks", intros(ana)[0]["id"], "We start on Monday.")
    assert said["state"] == "connected"
    until(lambda: intros(iris)[0]["a"].get("thanks") == "We start on Monday.")
    ana.ok("intro", "thanks", intros(ana)[0]["id"], "We start on Monday.")
    met = intros(ana)[0]["id"]
    mine = [("wanted", "Bruno", want["id"]), ("introduced-me", "Bruno", met),
            ("thanked", "We start on Monday.", met)]
    theirs = [("wanted-me", "Bruno", want["id"]), ("introduced", "Bruno", met),
              ("thanked-me", "We start on Monday.", met)]
    assert acts(ana, "iris") == mine, acts(ana, "iris")
    assert acts(iris, "ana") == theirs, acts(iris, "ana")
    assert ana.ok("balance")["asked"] == {"total": 1, "wanted": 1}
    for member in (ana, iris):
        member.ok("doctor", "--rebuild")
        until(lambda m=member: "views_behind" not in m.ok("status"))
    assert acts(ana, "iris") == mine and acts(iris, "ana") == theirs, "noted again by a rebuild"
    code, text = iris.call("log", text=True)
    assert code == 0 and "thanks you for your introduction: We start on Monday." in text, text
    assert "both said yes to your introduction" in text
    code, text = ana.call("log", text=True)
    assert "introduced by Iris" in text, text
    code, text = bruno.call("log", text=True)
    assert "suggests you meet Ana" in text, text


def a_blocked_person_is_never_offered_and_never_notices(place):
    iris, ana, bruno = three(place)
    link(ana, bruno)
    ana.ok("peer", "block", "bruno")
    iris.ok("introduce", "ana", "bruno", "--why", "Boats.", "--first", "both")
    agree(bruno)
    ana.ok("sync", "iris", "--wait", "10")
    assert intros(ana) == []
    assert ana.ok("status")["introductions"] == {"waiting_for_me": 0, "open": 0}
    wait_for(bruno, "yes")


def a_blind_offer_names_nobody_before_both_agree(place):
    iris, ana, bruno = three(place)
    iris.ok("introduce", "ana", "bruno", "--why", "You two should talk.", "--blind",
            "--first", "both")
    wait_for(ana, "offered")
    row = intros(ana)[0]
    assert row["other"] == {} and row["blind"] is True, row
    agree(ana)
    agree(bruno)
    wait_for(ana, "connected")
    assert intros(ana)[0]["other"]["name"] == "Bruno"


def wrong_names_and_states_say_what_to_type(place):
    iris, ana, bruno = three(place)
    iris.fails(2, "introduce", "ana", "ana", "--why", "x")
    iris.fails(3, "introduce", "ana", "nobody", "--why", "x")
    iris.fails(2, "introduce", "ana", "bruno")
    iris.fails(2, "introduce", "ana", "bruno", "--why", "x", "--expires", "1d")
    iris.fails(2, "introduce", "ana", "bruno", "--why", "x", "--first", "C")
    iris.fails(2, "introduce", "ana", "bruno", "--why", "x" * 601)
    made = iris.ok("introduce", "ana", "bruno", "--why", "x")
    iris.fails(1, "introduce", "ana", "bruno", "--why", "x")
    iris.fails(1, "intro", "accept", made["id"])
    iris.fails(3, "intro", "show", "ffffffffffff")
    iris.fails(2, "intro", "show", "ff")
    asked = iris.fails(3, "intro", "want", "--tag", "boats", "--from", "Zoe", "--blurb", "x")
    assert asked["message"] == 'no peer of yours is called "Zoe"', asked
    wait_for(ana, "offered")
    for words, message, hint in (
            (["withdraw"], "you did not begin this introduction: you can decline it", "decline"),
            (["thanks"], "that cannot be done now: you have not answered it yet", "show")):
        error = ana.fails(1, "intro", *words, "bruno")
        assert error["message"] == message, error
        assert error["hint"] == f"kith intro {hint} {made['id'][:12]}", error
    ana.ok("intro", "known", made["id"])
    wait_for(iris, "closed")
    ana.fails(1, "intro", "thanks", made["id"])
    bruno.ok("intro", "mute", "iris")


def whoever_has_not_used_an_invitation_yet_is_told_of_as_such(place):
    ana, _ = place.pair()
    words = ("introduce", "bruno", "zoe", "--why", "Both sail.")
    again = 'send it again, or a new one: kith peer invite "Zoe Ng"'
    ana.ok("contact", "add", "Zoe Ng")
    ana.ok("contact", "add", "Mia")
    stranger = ana.fails(3, *words)
    assert stranger["message"] == 'no peer of yours is called "zoe"', stranger
    made = ana.ok("peer", "invite", "zoe", "--expires", "5d")
    for typed in (words, ("introduce", "Zoe Ng", "bruno", "--why", "Both sail."),
                  ("peer", "show", "zoe"), ("contact", "share", "bruno", "--with", "zoe"),
                  ("endorse", "zoe", "--about", "boats", "--relation", "client",
                   "--words", "Sails well and tells the truth.")):
        told = ana.fails(3, *typed)
        assert told["message"] == ("Zoe Ng has not accepted your invitation yet: it can be used "
                                   f"until {made['expires'][:10]}"), (typed, told)
        assert told["hint"] == again, (typed, told)
    assert "no peer" in ana.fails(3, "introduce", "bruno", "mia", "--why", "x")["message"]
    ana.ok("peer", "revoke", made["id"])
    assert ana.fails(3, *words) == stranger
    # Once parted, and asked again.
    ana.ok("contact", "add", "Joon")
    ana.ok("peer", "remove", "bruno")
    ana.ok("peer", "invite", "Bruno")
    told = ana.fails(3, "introduce", "joon", "bruno", "--why", "x")["message"]
    assert told == 'no peer of yours is called "joon"', told
    told = ana.fails(3, "introduce", "bruno", "joon", "--why", "x")["message"]
    assert told.startswith("Bruno has not accepted your invitation yet"), told
    # No shell reads more in the line than a name.
    ana.ok("peer", "invite", "$(reboot)", "--expires", "5d")
    told = ana.fails(3, "introduce", "$(reboot)", "joon", "--why", "x")
    assert "not accepted" in told["message"] and "$" not in told["hint"], told
    ana.ok("peer", "invite", told["hint"].split()[-1])


def what_was_taken_back_before_it_was_offered_is_not_shown(place):
    """Two devices of Iris have a log each: what one took back may come before what one offered."""
    iris, ana, _ = three(place)
    iris.stop()
    start_later(iris, "early")
    made = iris.ok("introduce", "ana", "bruno", "--why", "Boats.", "--first", "both")
    iris.ok("sync", "--wait", "20")
    received = iris.ok("sync", "ana", "--wait", "20")["peers"][0]
    assert received["in_step"], received
    assert intros(ana) == []
    assert "No introductions." in ana.call("intro", "list", text=True)[1]
    assert ana.ok("status")["introductions"] == {"waiting_for_me": 0, "open": 0}
    ana.fails(3, "intro", "show", made["id"])


run(dict(globals()))
