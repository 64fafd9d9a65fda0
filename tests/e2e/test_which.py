"""Introductions, asks, leads and endorsements by the names they go by, instead of their ids."""
from kithtest import link, run, until


def an_introduction_goes_by_the_name_of_the_other(place):
    iris, ana, bruno = (place.member(name).start() for name in ("Iris", "Ana Lima", "Bruno Sá"))
    link(iris, ana)
    link(iris, bruno)
    made = iris.ok("introduce", "ana", "bruno", "--why", "Boats.", "--first", "both")
    assert iris.ok("intro", "show", "sa")["id"] == made["id"]  # By either side, without accents.
    assert iris.ok("intro", "show", "LIMA")["id"] == made["id"]
    for one, other in ((ana, "Bruno"), (bruno, "lima ana")):
        until(lambda o=one: o.ok("intro", "list")["introductions"])
        assert one.ok("intro", "accept", other)["id"] == made["id"]
    until(lambda: ana.ok("intro", "show", "bruno")["state"] == "connected")
    nobody = ana.fails(3, "intro", "show", "Chie")
    assert "there is no introduction Chie" in nobody["message"], nobody
    assert nobody["hint"] == "kith intro list", nobody
    short = ana.fails(2, "intro", "show", "ab12")
    assert "or words of its name" in short["message"], short


def of_two_with_one_name_the_one_under_way_is_meant(place):
    ana = place.member("Ana").start()
    iris, hugo = place.member("Iris").start(), place.member("Hugo").start()
    chie = place.member("Chie").start()
    for one in (iris, hugo):
        link(one, ana)
        link(one, chie)
    first = iris.ok("introduce", "ana", "chie", "--why", "Boats.")["id"]
    second = hugo.ok("introduce", "ana", "chie", "--why", "Sails.")["id"]
    until(lambda: len(ana.ok("intro", "list")["introductions"]) == 2)
    both = ana.fails(6, "intro", "accept", "chie")
    assert 'several introductions fit "chie"' in both["message"], both
    assert first[:12] in both["message"] and second[:12] in both["message"], both
    ana.ok("intro", "decline", first)
    assert ana.ok("intro", "accept", "chie")["id"] == second


def asks_and_leads_go_by_titles_and_who_answered(place):
    ana, bruno = place.pair()
    ana.ok("ask", "post", "Dry, please.", "--title", "A boat shed")
    until(lambda: bruno.ok("ask", "list")["asks"])
    bruno.ok("ask", "reply", "shed", "--text", "By the mill.")
    until(ana.leads)
    lead = ana.leads()[0]["id"]
    assert ana.ok("lead", "show", "shed")["id"] == lead
    assert ana.ok("lead", "show", "bruno")["id"] == lead
    ana.ok("thanks", "boat shed", "Thank you.")
    ana.ok("ask", "close", "boat", "--reason", "found")
    missing = ana.fails(3, "ask", "show", "barn")
    assert missing["hint"] == "kith ask list", missing
    missing = ana.fails(3, "lead", "show", "Zoe")
    assert missing["hint"] == "kith lead list", missing


def an_endorsement_goes_by_who_wrote_it(place):
    ana, bruno = place.pair()
    words = ["--about", "boats", "--relation", "client", "--words", "Sails well, and tells truth."]
    made = ana.ok("endorse", "bruno", *words)["id"]
    until(lambda: bruno.ok("endorsement", "list", "--pending")["endorsements"])
    assert bruno.ok("endorsement", "accept", "ana", "--to", "peers")["id"] == made
    assert ana.ok("endorsement", "show", "bruno")["id"] == made
    ana.ok("endorsement", "revoke", "bruno")
    again = ana.ok("endorse", "bruno", *words)["id"]
    assert ana.ok("endorsement", "show", "Bruno")["id"] == again  # The other is over.
    third = ana.ok("endorse", "bruno", *words)["id"]
    several = ana.fails(6, "endorsement", "revoke", "bruno")
    assert 'several endorsements fit "bruno"' in several["message"], several
    assert third.replace("-", "").removeprefix("urn:uuid:")[:12] in several["message"], several
    assert ana.fails(3, "endorsement", "show", "chie")["hint"] == "kith endorsement list"


run(globals())
