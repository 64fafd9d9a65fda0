"""The story: twelve people, one honest ask, a lead from three hops away, an introduction, thanks,
and the mirror that each looks into alone. People come and go meanwhile."""
from kithtest import link, run, until

# Who is linked with whom: Ana asks; Ivo, three hops away, knows Lena, who hires.
TIES = {"Ana": ["Bruno", "Chie", "Dora"],
        "Bruno": ["Emil", "Farah"],
        "Chie": ["Emil", "Goran"],
        "Dora": ["Hana"],
        "Emil": ["Ivo", "Jana"],
        "Hana": ["Kofi"],
        "Ivo": ["Lena"]}
NAMES = ["Ana", "Bruno", "Chie", "Dora", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jana", "Kofi",
         "Lena"]
ASK = "I design packaging and look for a job. Fifteen years, four of them in food."
LEAD = "Lena's firm in Porto needs exactly you, and nobody has read the advertisement yet."
WORDS = "May I ring you on Thursday at a quarter past three?"


def state(member, ask):
    code, shown = member.call("ask", "show", ask)
    return shown["state"] if code == 0 else None


def hears(member, ask):
    until(lambda: state(member, ask) is not None, 60, f"{member.name} has not heard of it")


def in_step(*members):
    """Each pair of these that is linked holds what the other wrote."""
    for member in members:
        for other in members:
            if any(peer["name"] == other.name for peer in member.peers()):
                until(lambda m=member, o=other: m.ok("peer", "show", o.name)["in_step"], 60,
                      f"{member.name} and {other.name} are not in step")


def accept(member, intro):
    until(lambda: any(row["id"] == intro for row in member.ok("intro", "list")["introductions"]),
          60, f"{member.name} was not asked")
    member.ok("intro", "accept", intro)


def from_one_ask_to_a_job_and_back_to_everybody_who_helped(place):
    people = {name: place.member(name).start() for name in NAMES}
    for one, others in TIES.items():
        for other in others:
            link(people[one], people[other])
    ana, bruno, chie, dora, emil, farah, goran, hana, ivo, jana, kofi, lena = people.values()

    # The ask goes as far as people carry it by hand.
    ask = ana.ok("ask", "post", ASK, "--title", "Looking for work", "--tag", "design",
                 "--name", "first")["id"]
    for member in (bruno, chie, dora):
        hears(member, ask)
    ana.stop()
    assert state(emil, ask) is None and state(hana, ask) is None
    bruno.ok("ask", "pass", ask, "--to", "Emil", "--to", "Farah", "--note", "She is the best.")
    chie.ok("ask", "pass", ask, "--to", "Emil", "--to", "Goran")
    dora.ok("ask", "pass", ask, "--to", "Hana")
    for member in (emil, farah, goran, hana):
        hears(member, ask)
    until(lambda: emil.ok("ask", "show", ask).get("also_from"), 60)
    shown = emil.ok("ask", "show", ask)
    assert sorted([shown["from"]] + shown["also_from"]) == ["Bruno", "Chie"], shown
    assert shown["hops"] == 2 and "author" not in shown, shown
    bruno.stop()
    chie.stop()
    emil.ok("ask", "pass", ask, "--to", "Ivo", "--to", "Jana")
    hana.ok("ask", "pass", ask, "--to", "Kofi", "--note", "You know everybody in Porto.")
    for member in (ivo, jana, kofi):
        hears(member, ask)
    assert ivo.ok("ask", "show", ask)["hops"] == 3
    assert "no further" in ivo.fails(1, "ask", "pass", ask, "--to", "Lena")["message"]
    assert state(lena, ask) is None

    # A lead, an offer of help and two cheers set out while half of the way is asleep.
    hana.stop()
    made = ivo.ok("ask", "reply", ask, "--text", LEAD, "--about", "Lena", "--introduce")["id"]
    kofi.ok("ask", "reply", ask, "--text", "I can look over your letter.", "--kind", "offer-help")
    goran.ok("ask", "reply", ask, "--text", "You will find it.", "--kind", "cheer", "--unnamed")
    in_step(ivo, emil)
    ivo.stop()
    goran.stop()
    assert emil.ok("lead", "list")["leads"] == []
    back = emil.ok("ask", "show", ask)["from"]
    middle = people[back]
    middle.start()
    in_step(middle, emil)
    emil.stop()
    ana.start()
    until(lambda: len(ana.leads()) == 1, 60, f"Ana has {ana.leads()}")
    for member in (goran, hana, chie if middle is bruno else bruno):
        member.start()
    until(lambda: len(ana.leads()) == 3, 60, f"Ana has {ana.leads()}")
    got = {row["kind"]: row for row in ana.leads()}
    assert got["lead"]["text"] == LEAD and got["lead"]["through"] == back, got
    assert got["lead"]["from"] == {"name": "Ivo", "member": ivo.identity["member"],
                                   "peer": False}, got
    assert (got["offer-help"]["through"], got["cheer"]["through"]) == ("Dora", "Chie"), got
    assert "from" not in got["cheer"] and got["lead"]["about"] == {"name": "Lena"}, got

    # She says yes; they have never met, so an invitation goes by the same sealed way.
    ana.ok("lead", "introduce", made, "--message", WORDS)
    ana.ok("lead", "answer", made, ana.ok("peer", "invite", "Ivo")["uri"])
    emil.start()
    in_step(ana, middle, emil)
    ivo.start()
    until(lambda: ivo.leads()[0]["letters"] == 3, 60, f"Ivo has {ivo.leads()}")
    thread = ivo.ok("lead", "show", made)["thread"]
    assert thread[1]["text"] == WORDS and thread[1]["wants_introduction"], thread
    assert "not linked" in ivo.fails(1, "lead", "introduce", made)["message"]
    assert ivo.ok("peer", "accept", thread[2]["text"])["state"] == "linked"
    intro = ivo.ok("lead", "introduce", made)["id"]
    accept(lena, intro)
    accept(ana, intro)
    until(lambda: ana.card_of("Lena").get("name") == "Lena", 60)
    assert ana.ok("peer", "show", "Lena")["via"] == "Ivo"

    # Thanks and the close walk the way the ask and the lead went.
    jana.stop()
    ana.ok("thanks", made, "I start on Monday.")
    ana.ok("ask", "close", ask, "--reason", "found")
    jana.start()
    until(lambda: ivo.leads()[0].get("thanks") == "I start on Monday.", 60)
    for member in (bruno, chie, dora, emil, farah, goran, hana, ivo, jana, kofi):
        until(lambda m=member: state(m, ask) == "closed", 60, f"{member.name} has not heard")
    title = '"Looking for work"'
    for member, by in ((middle, "Ana"), (emil, back)):
        assert member.events("thanks") == [
            (by, f"thanks you: your pass of {title} brought something back: I start on Monday.")]
    assert ivo.events("thanks") == [
        ("Emil", f"brings thanks for your answer to {title}: I start on Monday.")]

    # The mirror is private. Credit went, at each step, to the neighbour who handed it over.
    assert ana.ok("balance", back)["received"].get("passed-mine") == 1
    assert ana.ok("balance", "Ivo")["received"] == {"total": 2, "answered-me": 1,
                                                    "introduced-me": 1}
    assert middle.ok("balance", "Emil")["received"] == {"total": 1, "carried-me": 1}
    assert emil.ok("balance", "Ivo")["received"] == {"total": 1, "carried-me": 1}
    assert middle.ok("balance", "Ana")["given"] == {"total": 1, "passed": 1}
    assert ivo.ok("balance")["given"] == {"total": 3, "answered": 1, "introduced": 2}
    assert ana.ok("balance")["asked"]["asked"] == 3  # people, by one ask
    assert "helped you" in ana.ok("balance")["sentence"]

    # Nobody on the way holds a word of it.
    for member in people.values():
        told = str(member.call("log")[1]) + str(member.leads()) + \
            str(member.ok("ask", "list", "--all"))
        member.stop()
        member.ok("doctor")
        for secret in (LEAD, WORDS):
            if member not in (ana, ivo):
                assert secret not in told and not member.holds(secret), member.name


run(dict(globals()))
