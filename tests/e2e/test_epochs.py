"""What was withdrawn before a link, and what is written after a removal, with real processes."""
import os

from kithtest import link, run, until


def bytes_of(member):
    """Everything the member's store holds, as it lies on the disk."""
    with open(os.path.join(member.home, "store", "data.mdb"), "rb") as file:
        return file.read()


def a_peer_linked_later_holds_nothing_withdrawn(place):
    ana, bruno = place.pair()
    ana.ok("me", "edit", "--title", "Withdrawn in haste", "--place", "Oslo")
    until(lambda: bruno.card_of("Ana").get("title") == "Withdrawn in haste")
    assert b"Withdrawn in haste" in bytes_of(bruno)  # Later its page may be reused.
    ana.ok("me", "edit", "--title", "Carpenter")
    until(lambda: bruno.card_of("Ana").get("title") == "Carpenter")
    chie = place.member("Chie").start()
    link(ana, chie)
    until(lambda: chie.card_of("Ana").get("title") == "Carpenter")
    assert chie.card_of("Ana")["place"] == "Oslo"
    until(lambda: bruno.card_of("Ana").get("title") == "Carpenter")
    ana.ok("me", "edit", "--org", "Workshop")
    until(lambda: chie.card_of("Ana").get("org") == "Workshop")
    until(lambda: bruno.card_of("Ana").get("org") == "Workshop")
    until(lambda: ana.ok("status")["undelivered"] == 0)
    for member in (ana, bruno, chie):
        member.stop()
        assert member.ok("doctor")["healthy"] is True
    assert b"Withdrawn in haste" not in bytes_of(chie)
    chie.ok("doctor", "--rebuild")
    assert b"Withdrawn in haste" not in bytes_of(chie)
    assert chie.card_of("Ana")["title"] == "Carpenter"


def a_removed_peer_gets_nothing_and_others_go_on(place):
    ana, bruno = place.pair()
    chie = place.member("Chie").start()
    link(ana, chie)
    until(lambda: chie.card_of("Ana").get("name") == "Ana")
    ana.ok("peer", "remove", "Chie")
    ana.ok("me", "edit", "--title", "Said to those who stay")
    until(lambda: bruno.card_of("Ana").get("title") == "Said to those who stay")
    ana.stop()
    ana.start()
    ana.ok("me", "edit", "--place", "Oslo")
    until(lambda: bruno.card_of("Ana").get("place") == "Oslo", 30)
    assert "title" not in chie.card_of("Ana")
    for member in (ana, bruno, chie):
        member.stop()
        assert member.ok("doctor")["healthy"] is True
    assert b"Said to those who stay" not in bytes_of(chie)
    assert b"Said to those who stay" in bytes_of(bruno)


run(dict(globals()))
