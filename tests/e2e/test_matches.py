"""An arriving ask held against what its reader knows: who might fit, for the reader alone."""
from kithtest import link, run, until


def heard(member, ask, seconds=20):
    until(lambda: any(row["id"] == ask["id"] for row in member.ok("ask", "list")["asks"]), seconds,
          f"{member.name} has not heard of it")
    return member.ok("ask", "show", ask["id"])


def named(ask):
    return [match["contact"]["name"] for match in ask.get("matches", [])]


def received(member):
    """Bytes of batches that came from each peer since the node began."""
    return {row["name"]: row["bytes_received"] for row in member.ok("sync")["peers"]}


def fill(member):
    member.ok("contact", "add", "Dana Ito", "--title", "Designer", "--org", "Ito Design",
              "--place", "Norman OK")
    member.ok("contact", "log", "dana", "coffee", "--kind", "met", "--on", "2026-03-20")
    member.ok("contact", "add", "Emil Berg", "--tag", "design")
    member.ok("contact", "add", "Fay Cole", "--note", "draws well, would like to design #match")
    member.ok("contact", "add", "Gil Dorn", "--note", "hopes to design one day")
    member.ok("contact", "add", "Hana Eck", "--place", "Norman OK")


def post(member, *more):
    return member.ok("ask", "post", "We look for somebody for our packaging.", "--title",
                     "A designer near Norman", "--tag", "skill:design", "--tag", "place:Norman OK",
                     *more)


def an_arriving_ask_shows_who_may_fit_and_why(place):
    ana, bruno = place.pair()
    fill(bruno)
    ask = post(ana)
    shown = heard(bruno, ask)
    assert named(shown) == ["Dana Ito", "Emil Berg", "Fay Cole"], shown["matches"]
    first = shown["matches"][0]
    assert first["why"].startswith("Designer at Ito Design; in Norman OK; last in touch "), first
    assert first["why"].endswith(" months ago") and first["last"].startswith("2026-03-20"), first
    assert first["contact"]["id"] == bruno.ok("contact", "show", "dana")["id"]
    assert first["peer"] is False
    assert shown["matches"][1]["why"] == "tagged design; never noted as in touch"
    assert shown["matches"][2]["why"] == "your note fits; never noted as in touch"
    short = ask["id"][:12]
    who = first["contact"]["id"][:12]
    assert first["next"] == [f"kith contact show {who}",
                             f"kith ask reply {short} --about {who} --text \"...\""], first
    for command in first["next"]:
        if "reply" not in command:
            bruno.ok(*command.split()[1:])
    listed = bruno.ok("ask", "list")["asks"][0]
    assert listed["matches"] == shown["matches"]
    assert shown == bruno.ok("ask", "show", ask["id"]), "the same question has the same answer"
    assert "matches" not in ana.ok("ask", "show", ask["id"]), "one's own asks are not matched"
    code, text = bruno.call("ask", "show", ask["id"], text=True)
    assert code == 0 and "You may know   Dana Ito: Designer at Ito Design" in text, text
    assert "Nobody is told" in text and f"kith contact show {who}" in text, text
    code, text = bruno.call("ask", "list", text=True)
    assert code == 0 and "(you may know somebody)" in text, text
    ana.ok("ask", "close", ask["id"])
    until(lambda: bruno.ok("ask", "show", ask["id"])["state"] == "closed")
    assert "matches" not in bruno.ok("ask", "show", ask["id"])


def cards_and_endorsements_of_peers_count(place):
    ana, bruno = place.pair()
    chie, dora = place.member("Chie").start(), place.member("Dora").start()
    link(bruno, chie)
    link(bruno, dora)
    link(chie, dora)
    chie.ok("me", "edit", "--title", "Packaging designer")
    sent = chie.ok("endorse", "Dora", "--about", "design", "--relation", "worked-with", "--words",
                   "She drew every box we sold.")
    until(lambda: dora.ok("endorsement", "list", "--pending")["endorsements"])
    dora.ok("endorsement", "accept", sent["id"], "--to", "peers")
    until(lambda: bruno.ok("endorsement", "list", "--of", "Dora")["endorsements"])
    until(lambda: bruno.card_of("chie").get("title"))
    ask = post(ana)
    shown = heard(bruno, ask)
    assert sorted(named(shown)) == ["Chie", "Dora"], shown
    by_name = {match["contact"]["name"]: match for match in shown["matches"]}
    assert by_name["Chie"]["why"].startswith("Packaging designer; last in touch today"), by_name
    assert by_name["Dora"]["why"].startswith("endorsed for design by Chie; "), by_name
    assert by_name["Dora"]["peer"] is True
    commands = by_name["Dora"]["next"]
    assert any(command.startswith("kith ask pass ") for command in commands), commands
    assert any(command.startswith("kith introduce " + ana.identity["member"])
               for command in commands), commands
    for command in commands:
        if command.startswith("kith ask pass"):
            bruno.ok(*command.split()[1:])
    assert heard(dora, ask)["from"] == "Bruno"
    far = heard(dora, ask)
    assert "Bruno" not in named(far) and "Ana" not in named(far), far


def who_asks_passed_it_or_is_kept_away_is_not_named(place):
    ana, bruno = place.pair()
    chie = place.member("Chie").start()
    link(ana, chie)
    link(bruno, chie)
    for member in (ana, chie):
        member.ok("me", "edit", "--title", "Designer")
    until(lambda: bruno.card_of("ana").get("title") and bruno.card_of("chie").get("title"))
    kept = post(ana, "--to", "bruno", "--keep-from", "chie")
    assert named(heard(bruno, kept)) == [], "Ana asks, and Chie is kept away"
    ana.ok("ask", "close", kept["id"])
    fits = ana.ok("ask", "post", "A box.", "--title", "A box", "--tag", "skill:design", "--hops",
                  "1", "--to", "bruno")
    assert named(heard(bruno, fits)) == ["Chie"]


def nothing_leaves_before_a_press(place):
    """A node with matches and one without send the same: nothing."""
    ana, bruno = place.pair()
    fill(bruno)
    bruno.ok("contact", "add", "Canary Kestrel", "--title", "Designer", "--note", "canary #match")
    assert ana.ok("sync", "--wait", "20")["in_step"]
    before = received(ana)
    ask = post(ana)
    assert "Canary Kestrel" in named(heard(bruno, ask))
    for _ in range(5):
        bruno.ok("ask", "list")
        bruno.ok("ask", "show", ask["id"])
        bruno.call("ask", "show", ask["id"], text=True)
    assert bruno.ok("sync", "--wait", "20")["in_step"]
    assert ana.ok("sync", "--wait", "20")["in_step"]
    assert received(ana) == before, "something left Bruno's machine"
    assert bruno.ok("status")["undelivered"] == 0
    entries = bruno.ok("status")["entries"]
    bruno.ok("ask", "show", ask["id"])
    assert bruno.ok("status")["entries"] == entries, "looking wrote something"
    ana.stop()
    bruno.stop()
    with open(ana.home + "/store/data.mdb", "rb") as file:
        assert b"Kestrel" not in file.read()


if __name__ == "__main__":
    run(globals())
