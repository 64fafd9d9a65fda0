"""Four people of whom no more than two are ever there at once: each is away at each step, and what
they said is done all the same."""
from kithtest import link, run, until


def there(*members):
    """Only these run, until they have nothing new for one another."""
    for member in members:
        member.start()
    for member in members:
        member.call("sync", "--wait", "15")


def away(*members):
    for member in members:
        member.stop()


def meet(*members):
    there(*members)
    away(*members)


def state_of(member, intro):
    rows = {row["id"]: row["state"] for row in member.ok("intro", "list")["introductions"]}
    return rows.get(intro)


def wait_for(member, intro, state):
    until(lambda: state_of(member, intro) == state, 30,
          f"{member.name} is at {state_of(member, intro)}, not {state}")


def two_introductions_of_one_pair_with_each_of_four_away(place):
    iris, jo, ana, bruno = everybody = [place.member(name).start()
                                        for name in ("Iris", "Jo", "Ana", "Bruno")]
    for introducer in (iris, jo):
        link(introducer, ana)
        link(introducer, bruno)
    away(*everybody)
    by = {who: who.ok("introduce", "ana", "bruno", "--why", "Boats.", "--first", first)["id"]
          for who, first in ((iris, "both"), (jo, "A"))}
    for who in (iris, jo):
        meet(who, ana)
    for who in (iris, jo):
        assert state_of(ana, by[who]) == "offered"
        ana.ok("intro", "accept", by[who])
    assert state_of(bruno, by[iris]) is None and state_of(bruno, by[jo]) is None
    for who in (iris, jo):
        meet(who, ana)
        assert state_of(who, by[who]) == "open"
        there(who, bruno)
        wait_for(bruno, by[who], "offered")
        away(who, bruno)
        bruno.ok("intro", "accept", by[who])
    assert ana.peers() and not [peer for peer in ana.peers() if peer["name"] == "Bruno"]
    for who in (iris, jo):
        there(who, bruno)
        wait_for(who, by[who], "released")
        wait_for(bruno, by[who], "greeted")
        bruno.call("sync", "--wait", "15")
        away(who, bruno)
    for who in (jo, iris):
        there(who, ana)
        wait_for(ana, by[who], "connected")
        ana.call("sync", "--wait", "15")
        away(who, ana)
    for who in (iris, jo):
        there(who, bruno)
        wait_for(bruno, by[who], "connected")
        away(who, bruno)
    there(ana, bruno)
    until(lambda: ana.card_of("Bruno").get("name") == "Bruno", 30)
    until(lambda: bruno.card_of("Ana").get("name") == "Ana", 30)
    for one, other in ((ana, "bruno"), (bruno, "ana")):
        peer = one.ok("peer", "show", other)
        assert peer["level"] == "introduced" and len(peer["vouchers"]) == 2, peer
    away(ana, bruno)


def rows(member, *flags):
    return member.ok("endorsement", "list", *flags)["endorsements"]


def an_endorsement_that_is_quoted_with_each_of_four_away(place):
    ana, bruno, chie, dora = everybody = [place.member(name).start()
                                          for name in ("Ana", "Bruno", "Chie", "Dora")]
    for one, other in ((ana, bruno), (bruno, chie), (chie, dora)):
        link(one, other)
    away(*everybody)
    member = bruno.identity["member"]
    ref = ana.ok("endorse", "Bruno", "--about", "boats", "--relation", "client", "--words",
                 "Built our boat, on time and true.", "--ceiling", "network")["id"]
    assert rows(bruno, "--pending") == []
    meet(ana, bruno)
    assert [row["id"] for row in rows(bruno, "--pending")] == [ref]
    bruno.ok("endorsement", "accept", ref, "--to", "network")
    assert chie.ok("network", "quote", "Bruno")["quotes"] == 0
    assert rows(chie, "--of", "Bruno") == []
    meet(bruno, chie)
    assert [row["id"] for row in rows(chie, "--of", "Bruno")] == [ref]
    assert chie.ok("network", "list")["quotes"] == 1 and rows(dora, "--of", member) == []
    meet(chie, dora)
    seen = rows(dora, "--of", member)
    assert [(row["id"], row["via"]["name"], row["verified"]) for row in seen] == [
        (ref, "Chie", True)], seen
    ana.ok("endorsement", "revoke", ref)
    meet(chie, dora)
    assert rows(dora, "--of", member)
    for one, other in ((ana, bruno), (bruno, chie), (chie, dora)):
        meet(one, other)
    assert rows(bruno, "--received")[0]["state"] == "revoked"
    assert rows(chie, "--of", "Bruno") == [] and rows(dora, "--of", member) == []
    assert chie.ok("network", "list")["quotes"] == 0


run(dict(globals()))
