"""What comes back to an ask: hop by hop, readable by nobody on the way, and thanks walk forward."""
from kithtest import link, run, until

CANARY = "Ask Elena Quist at the harbour yard."


def members_in_a_row(here, *names):
    """Members, each linked with the next; all run."""
    members = [here.member(name).start() for name in names]
    for one, other in zip(members, members[1:]):
        link(one, other)
    return members


def post(member, title="Looking for work", *flags):
    return member.ok("ask", "post", "I design packaging and look for a job.", "--title", title,
                     *flags)


def heard(member, ask, seconds=30):
    until(lambda: any(row["id"] == ask["id"] for row in member.ok("ask", "list", "--all")["asks"]),
          seconds, f"{member.name} has not heard of it")


def lead(member, number=1, seconds=30):
    until(lambda: len(member.leads()) >= number, seconds, f"{member.name} has {member.leads()}")
    return member.leads()[0]


def acts(member, who):
    noted = member.ok("contact", "timeline", who)["interactions"]
    return [(row["kind"], row.get("text")) for row in reversed(noted) if row["kind"] != "linked"]


def a_lead_comes_back_over_one_hop(place):
    ana, bruno = members_in_a_row(place, "Ana", "Bruno")
    ask = post(ana)
    heard(bruno, ask)
    made = bruno.ok("ask", "reply", ask["id"][:8], "--text", CANARY)
    assert (made["role"], made["kind"], made["state"], made["through"]) == \
        ("answered", "lead", "sent", "Ana"), made
    got = lead(ana)
    assert (got["role"], got["kind"], got["text"], got["through"]) == \
        ("asked", "lead", CANARY, "Bruno"), got
    assert got["from"] == {"name": "Bruno", "member": bruno.identity["member"], "peer": True}, got
    assert got["ask"] == {"id": ask["id"], "title": "Looking for work"}, got
    assert got["id"] == made["id"]
    assert [text for _, text in ana.events("lead")] == [
        'brought a lead about "Looking for work", by Bruno']
    assert bruno.ok("ask", "show", ask["id"])["state"] == "answered"
    shown = ana.ok("ask", "show", ask["id"])
    assert [row["text"] for row in shown["leads"]] == [CANARY], shown
    assert ana.ok("status")["leads"] == {"waiting_for_me": 1, "introductions_wanted": 0}
    code, text = ana.call("status", text=True)
    assert code == 0 and "1 answer from your network\n      kith lead list" in text, text
    thanked = ana.ok("thanks", got["id"][:8], "I start on Monday.")
    assert thanked["thanks"] == "I start on Monday." and thanked["thanked"], thanked
    until(lambda: bruno.leads()[0].get("thanks") == "I start on Monday.")
    assert acts(ana, "bruno") == [("asked", "Looking for work"),
                                  ("answered-me", "Looking for work"),
                                  ("thanked", "I start on Monday.")], acts(ana, "bruno")
    assert acts(bruno, "ana") == [("asked-me", "Looking for work"),
                                  ("answered", "Looking for work"),
                                  ("thanked-me", "I start on Monday.")], acts(bruno, "ana")
    assert ana.ok("balance", "bruno")["received"] == {"total": 1, "answered-me": 1}
    assert bruno.ok("balance", "ana")["given"] == {"total": 1, "answered": 1}
    assert ana.fails(1, "thanks", got["id"], "Again.")["hint"] == \
        f"kith lead answer {got['id'][:12]} TEXT"
    bruno.fails(1, "thanks", made["id"], "Me.")


def waits(member):
    return member.ok("status")["leads"]["waiting_for_me"]


def a_lead_comes_back_over_two_hops_and_nobody_between_reads_it(place):
    ana, bruno, carla = members_in_a_row(place, "Ana", "Bruno", "Carla")
    ask = post(ana)
    heard(bruno, ask)
    bruno.ok("ask", "pass", ask["id"], "--to", "carla")
    heard(carla, ask)
    carla.ok("ask", "reply", ask["id"], "--text", CANARY, "--kind", "offer-help")
    got = lead(ana)
    assert (got["kind"], got["text"], got["through"]) == ("offer-help", CANARY, "Bruno"), got
    assert got["from"] == {"name": "Carla", "member": carla.identity["member"], "peer": False}, got
    assert bruno.leads() == [] and bruno.events("lead") == []
    ana.ok("lead", "answer", got["id"], "When could we talk, my number is 555-0134?")
    until(lambda: len(carla.ok("lead", "show", got["id"])["thread"]) == 2)
    # Each side is told that the other one has written, until it has written back.
    assert (waits(ana), waits(carla)) == (0, 1)
    row = carla.leads()[0]
    assert row["waiting_for_me"] and row["newest"]["text"].startswith("When could we"), row
    assert "1 answer from your network" in carla.call("status", text=True)[1]
    assert "now: When could we talk" in carla.call("lead", "list", text=True)[1]
    carla.ok("lead", "answer", got["id"], "On Friday at the harbour gate.")
    until(lambda: len(ana.ok("lead", "show", got["id"])["thread"]) == 3)
    assert (waits(ana), waits(carla)) == (1, 0) and "newest" not in carla.leads()[0]
    thread = ana.ok("lead", "show", got["id"])["thread"]
    assert [(row["mine"], row["text"]) for row in thread] == [
        (False, CANARY), (True, "When could we talk, my number is 555-0134?"),
        (False, "On Friday at the harbour gate.")], thread
    ana.ok("thanks", got["id"], "We met on Friday.")
    assert waits(ana) == 0, "thanks are a word, too"
    until(lambda: carla.leads()[0].get("thanks") == "We met on Friday.")
    assert bruno.events("thanks") == [
        ("Ana", 'thanks you: your pass of "Looking for work" brought something back: '
                "We met on Friday.")], bruno.events("thanks")
    assert carla.events("thanks") == [
        ("Bruno", 'brings thanks for your answer to "Looking for work": We met on Friday.')]
    assert acts(ana, "bruno")[1:] == [("passed-mine", "Looking for work"),
                                      ("thanked", "We met on Friday.")], acts(ana, "bruno")
    assert acts(bruno, "carla") == [("carried-me", "Looking for work")], acts(bruno, "carla")
    assert ("thanked-me", "We met on Friday.") in acts(bruno, "ana"), acts(bruno, "ana")
    assert acts(carla, "bruno") == [("answered", "Looking for work"),
                                    ("thanked-me", "We met on Friday.")], acts(carla, "bruno")
    everything = str(bruno.call("log")[1]) + str(bruno.ok("ask", "list", "--all"))
    bruno.stop()
    for secret in (CANARY, "555-0134", "harbour gate"):
        assert secret not in everything and not bruno.holds(secret), secret


def people_may_be_away_in_turn(place):
    ana, bruno, carla = members_in_a_row(place, "Ana", "Bruno", "Carla")
    ask = post(ana)
    heard(bruno, ask)
    bruno.ok("ask", "pass", ask["id"], "--to", "carla")
    heard(carla, ask)
    for member in (ana, bruno, carla):
        member.stop()
    made = carla.ok("ask", "reply", ask["id"], "--text", CANARY)
    assert made["state"] == "sent", made
    carla.start()
    bruno.start()
    until(lambda: bruno.ok("peer", "show", "carla")["in_step"])
    carla.stop()
    bruno.stop()
    ana.start()
    bruno.start()
    got = lead(ana)
    bruno.stop()
    ana.ok("thanks", got["id"], "Thank you all.")
    ana.ok("lead", "answer", got["id"], "And you?")
    ana.stop()
    bruno.start()
    ana.start()
    until(lambda: bruno.events("thanks"))
    until(lambda: ana.ok("peer", "show", "bruno")["in_step"])
    ana.stop()
    carla.start()
    until(lambda: carla.leads()[0].get("thanks") == "Thank you all.")
    until(lambda: carla.leads()[0]["letters"] == 2)


def who_answers_may_stay_unnamed(place):
    ana, bruno, carla = members_in_a_row(place, "Ana", "Bruno", "Carla")
    ask = post(ana)
    heard(bruno, ask)
    bruno.ok("ask", "pass", ask["id"], "--to", "carla")
    heard(carla, ask)
    carla.ok("ask", "reply", ask["id"], "--text", "Keep going!", "--kind", "cheer", "--unnamed")
    got = lead(ana)
    assert (got["kind"], got["text"]) == ("cheer", "Keep going!") and "from" not in got, got
    assert carla.identity["member"] not in str(ana.ok("lead", "show", got["id"]))
    carla.ok("lead", "answer", got["id"], "Truly.")
    until(lambda: ana.leads()[0]["letters"] == 2)
    ana.ok("lead", "answer", got["id"], "Who are you?")
    until(lambda: carla.leads()[0]["letters"] == 3)
    code, text = ana.call("lead", "show", got["id"][:8], text=True)
    assert code == 0 and "Keep going!" in text and "somebody without a name" in text, text


def nobody_is_named_who_was_not_asked_and_nothing_of_them_goes_unchosen(place):
    ana, bruno = members_in_a_row(place, "Ana", "Bruno")
    ask = post(ana)
    heard(bruno, ask)
    bruno.ok("contact", "add", "Elena Quist", "--email", "elena@example.org", "--tel",
             "+49 30 5550134", "--org", "Harbour Yard")
    reply = ["ask", "reply", ask["id"], "--text", "Ask her.", "--about", "elena quist"]
    why = bruno.fails(6, *reply)
    assert "have you asked them?" in why["message"] and "--asked" in why["hint"], why
    bruno.fails(6, "ask", "reply", ask["id"], "--text", "Ask her.", "--about", "A Stranger")
    bruno.fails(2, "ask", "reply", ask["id"], "--text", "Ask her.", "--about", "\u00e9" * 101)
    assert "no peer of yours" in bruno.fails(2, *reply, "--asked", "--introduce")["message"]
    bruno.fails(2, *reply, "--asked", "--share", "note")
    assert bruno.leads() == []
    bruno.ok(*reply, "--asked")
    assert lead(ana)["about"] == {"name": "Elena Quist"}, lead(ana)
    bruno.ok(*reply, "--asked", "--share", "org", "--share", "email")
    assert lead(ana, 2)["about"] == {"name": "Elena Quist", "org": "Harbour Yard",
                                     "emails": ["elena@example.org"]}, lead(ana)
    ana.stop()
    assert not ana.holds("5550134")


def shall_i_introduce_you(place):
    bruno, ana, elena = (place.member(name).start() for name in ("Bruno", "Ana", "Elena"))
    link(bruno, ana)
    link(bruno, elena)
    ask = post(ana, "Boat shed")
    heard(bruno, ask)
    made = bruno.ok("ask", "reply", ask["id"], "--text", "Elena has one. Shall I introduce you?",
                    "--about", "elena", "--introduce")
    got = lead(ana)
    assert (got["about"], got["introduction"]) == ({"name": "Elena"}, "offered"), got
    assert "not said yes" in bruno.fails(1, "lead", "introduce", made["id"])["message"]
    ana.ok("lead", "introduce", got["id"], "--message", "Gladly.")
    until(lambda: bruno.leads()[0]["introduction"] == "wanted")
    bruno.ok("peer", "rename", "elena", "Lena")  # It is she who was meant, however she is called.
    bruno.ok("contact", "add", "Elena")
    assert bruno.ok("status")["leads"] == {"waiting_for_me": 0, "introductions_wanted": 1}
    code, text = bruno.call("lead", "show", made["id"], text=True)
    assert code == 0 and "Next           kith lead introduce " + made["id"][:12] in text, text
    intro = bruno.ok("lead", "introduce", made["id"])
    assert bruno.leads()[0]["introduction"] == "begun"
    assert bruno.ok("status")["leads"] == {"waiting_for_me": 0, "introductions_wanted": 0}
    assert intro["state"] == "open" and intro["why"] == "An ask brought this up: Boat shed", intro
    for member in (elena, ana):
        until(lambda m=member: m.ok("intro", "list")["introductions"])
        member.ok("intro", "accept", member.ok("intro", "list")["introductions"][0]["id"])
    until(lambda: ana.card_of("Elena").get("name") == "Elena")
    assert ana.ok("peer", "show", "elena")["via"] == "Bruno"


def who_is_not_linked_yet_is_invited_within_the_thread(place):
    ana, bruno, carla = members_in_a_row(place, "Ana", "Bruno", "Carla")
    elena = place.member("Elena").start()
    link(carla, elena)
    ask = post(ana, "Boat shed", "--name", "on-request")
    heard(bruno, ask)
    bruno.ok("ask", "pass", ask["id"], "--to", "carla")
    heard(carla, ask)
    assert "author" not in carla.ok("ask", "show", ask["id"])
    made = carla.ok("ask", "reply", ask["id"], "--text", "Elena has one.", "--about", "elena",
                    "--introduce")
    got = lead(ana)
    ana.ok("lead", "introduce", got["id"])
    until(lambda: carla.leads()[0]["introduction"] == "wanted")
    why = carla.fails(1, "lead", "introduce", made["id"])
    assert "Ana and you are not linked" in why["message"] and "peer invite" in why["hint"], why
    ana.ok("lead", "answer", got["id"], ana.ok("peer", "invite", "Carla")["uri"])
    until(lambda: carla.leads()[0]["letters"] == 3)
    uri = carla.ok("lead", "show", made["id"])["thread"][-1]["text"]
    assert carla.ok("peer", "accept", uri)["state"] == "linked"
    assert carla.ok("lead", "introduce", made["id"])["state"] == "open"
    bruno.stop()
    until(lambda: not any(name in str(bruno.call("log")[1]) for name in ("Elena", uri)))
    assert not bruno.holds(uri)


def who_is_killed_on_the_way_loses_nothing_and_tells_nothing_twice(place):
    ana, bruno, carla = members_in_a_row(place, "Ana", "Bruno", "Carla")
    ask = post(ana)
    heard(bruno, ask)
    bruno.ok("ask", "pass", ask["id"], "--to", "carla")
    heard(carla, ask)
    for number in range(9):
        carla.ok("ask", "reply", ask["id"], "--text", f"Number {number}.")
        if number % 3 == 1:
            (bruno if number != 4 else ana).kill9()
            (bruno if number != 4 else ana).start()
    lead(ana, 9, 60)
    assert sorted(row["text"] for row in ana.leads()) == [f"Number {at}." for at in range(9)]
    assert len(ana.events("lead")) == 9, ana.events("lead")
    thanked = ana.leads()[0]["id"]
    ana.ok("thanks", thanked)
    bruno.kill9()
    ana.kill9()
    bruno.start()
    ana.start()
    until(lambda: carla.events("thanks"), 60)
    assert len(bruno.events("thanks")) == len(carla.events("thanks")) == 1
    for member in (ana, bruno, carla):
        member.stop()
        member.ok("doctor")


def bad_input_is_refused_with_what_to_type(place):
    ana, bruno = members_in_a_row(place, "Ana", "Bruno")
    ask = post(ana)
    heard(bruno, ask)
    bruno.fails(2, "ask", "reply", ask["id"], "--text", "")
    bruno.fails(2, "ask", "reply", ask["id"])
    bruno.fails(2, "ask", "reply", ask["id"], "--text", "x" * 8001)
    bruno.fails(2, "ask", "reply", ask["id"], "--text", "x", "--kind", "prize")
    bruno.fails(2, "ask", "reply", ask["id"], "--text", "x", "--introduce")
    bruno.fails(3, "ask", "reply", "0123456789ab", "--text", "x")
    bruno.fails(2, "ask", "reply", "01", "--text", "x")
    ana.fails(2, "ask", "reply", ask["id"], "--text", "x")
    for words in (["lead", "show"], ["thanks"], ["lead", "introduce"]):
        bruno.fails(3, *words, "0123456789ab")
    assert bruno.leads() == [] and ana.leads() == []
    bruno.ok("me", "edit", "--name", "Bru\x1b[31mno\u202e")
    nasty = "a\x1b[31mred\u202egnp.\u200b\n\n  b" + "e" + "\u0301" * 40 + "\u00e9"
    made = bruno.ok("ask", "reply", ask["id"], "--text", nasty)
    assert lead(ana)["text"] == nasty
    bruno.ok("lead", "answer", made["id"], nasty)
    until(lambda: ana.leads()[0]["letters"] == 2)
    for words in (["lead", "show", made["id"]], ["lead", "list"], ["log"], ["status"]):
        code, text = ana.call(*words, text=True)
        assert code == 0 and "\x1b" not in text and "\u202e" not in text, text
    bruno.ok("ask", "reply", ask["id"], "--text", "x" * 8000)
    assert len(lead(ana, 2)["text"]) == 8000
    ana.fails(2, "thanks", made["id"], "x" * 281)
    ana.fails(1, "lead", "introduce", made["id"])
    ana.ok("ask", "close", ask["id"], "--reason", "changed")
    until(lambda: bruno.ok("ask", "show", ask["id"])["state"] == "closed")
    assert "over" in bruno.fails(1, "ask", "reply", ask["id"], "--text", "x")["message"]
    ana.ok("peer", "remove", "bruno")
    assert "nobody is left" in ana.fails(1, "thanks", made["id"])["message"]


run(dict(globals()))
