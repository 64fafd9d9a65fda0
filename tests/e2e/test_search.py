"""Finding people by any word, at once, with and without a node."""
from kithtest import run, until

CARDS = "".join(
    f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person {n:04d}\r\nORG:{org}\r\n"
    f"NOTE:likes {thing}\r\nEND:VCARD\r\n"
    for n, (org, thing) in enumerate((o, t) for o in ("Caf\u00e9 M\u00fcller", "Harbour Works")
                                     for t in ("boats", "trains", "\u0141\u00f3d\u017a")
                                     for _ in range(40))).encode()


def names(member, *words):
    return [one["name"] for one in member.ok("contact", "search", *words)["contacts"]]


def what_was_imported_is_found_at_once(place):
    ana = place.member("Ana")
    for node in (False, True):
        if node:
            ana.start()
            ana.ok("contact", "add", "Zora Extra", "--note", "boats in the Cafe Muller")
        else:
            ana.ok("import", "-", stdin=CARDS)
        found = ana.ok("contact", "search", "boat", "CAFE", "--limit", "3")
        assert found["total"] == 40 + node, found["total"]
        assert [one["name"] for one in found["contacts"]] == [
            "Person 0000", "Person 0001", "Person 0002"]
        assert len(names(ana, "lodz")) == 50 and names(ana, "lodz", "0117") == ["Person 0117"]
    assert names(ana, "zora") == ["Zora Extra"]


def edits_move_what_is_found(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon Kim", "--tel", "+49 30 123-456", "--tag", "choir")
    assert names(ana, "4930123456") == ["Joon Kim"] and names(ana, "choir") == ["Joon Kim"]
    ana.ok("contact", "edit", "joon", "--unset", "tag", "--set", "place=Busan")
    assert names(ana, "choir") == [] and names(ana, "busan") == ["Joon Kim"]
    ana.ok("contact", "remove", "joon")
    assert names(ana, "busan") == []


def what_peers_say_of_themselves_is_found(place):
    ana, bruno = place.pair()
    bruno.ok("me", "edit", "--title", "Luthier", "--place", "Cremona")
    until(lambda: names(ana, "luthier", "cremona") == ["Bruno"], what="his card was not found")
    bruno.ok("me", "edit", "--title", "Baker")
    until(lambda: names(ana, "luthier") == [], what="his old card is still found")


def questions_that_are_none_say_what_to_type(place):
    ana = place.member("Ana")
    assert "contact search" in ana.fails(2, "contact", "search")["hint"]
    assert "contact search" in ana.fails(2, "contact", "search", "...")["hint"]
    ana.fails(2, "contact", "search", *"abcdefghijklmnopq")
    ana.fails(2, "contact", "search", "x", "--limit", "-1")


run(globals())
