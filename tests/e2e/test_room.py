"""What is kept of whom, by the owner's wish: room for a peer, quotes, and forgetting."""
from kithtest import link, run, until

WORDS = "She built our boat and it has not leaked in ten years."


def told(member, kind):
    return len(member.events(kind))


def a_peer_has_as_much_room_as_its_host_says(place):
    ana, bruno = place.pair()
    until(lambda: ana.card_of("Bruno").get("name") == "Bruno")
    usual = ana.ok("peer", "quota", "bruno")
    assert (usual["entries_max"], usual["bytes_max"], usual["full"]) == (100000, 64 << 20, False)
    assert 0 < usual["bytes"] < 1 << 16 and 0 < usual["entries"] < 100, usual
    assert ana.ok("peer", "quota", "bruno", "--mib", "1")["bytes_max"] == 1 << 20
    for number in range(160):  # 7 KB each
        urls = [f"https://example.org/{number}/{at}/" + "x" * 940 for at in range(7)]
        made = bruno.request("contact.add", name=f"Person {number}", url=urls)["result"]
        shared = bruno.request("contact.share", who=made["id"], agreed=True, field=["url"],
                               **{"with": ["Ana"]})
        assert "result" in shared, shared
    until(lambda: told(ana, "full") == 1 and told(bruno, "full") == 1, 30, "nobody was told")
    full = ana.ok("peer", "quota", "bruno")
    assert full["full"] and full["bytes"] <= 1 << 20, full
    assert ana.ok("peer", "show", "bruno")["full"] is True
    until(lambda: bruno.ok("peer", "show", "ana").get("full_there"))
    assert bruno.ok("peer", "show", "ana")["in_step"] is False
    bruno.ok("me", "edit", "--title", "in the end")
    # The other way nothing is held up.
    ana.ok("me", "edit", "--title", "all the time")
    until(lambda: bruno.card_of("Ana").get("title") == "all the time")
    assert ana.card_of("Bruno").get("title") is None
    ana.ok("peer", "quota", "bruno", "--mib", "0")
    until(lambda: ana.card_of("Bruno").get("title") == "in the end", 30, "it did not go on")
    until(lambda: "full" not in ana.ok("peer", "show", "bruno"))
    ana.stop()
    assert ana.ok("peer", "quota", "bruno", "--entries", "5000")["entries_max"] == 5000
    for words in (["--mib", "-1"], ["--mib", "2000000"], ["--entries", "3"], ["--mib", "much"]):
        ana.fails(2, "peer", "quota", "bruno", *words)
    ana.fails(3, "peer", "quota", "nobody")
    assert ana.ok("peer", "quota", "bruno")["entries_max"] == 5000


def the_network_is_turned_on_and_off_by_hand(place):
    ana, bruno, chie, dora = (place.member(name).start()
                              for name in ("Ana", "Bruno", "Chie", "Dora"))
    link(ana, bruno)
    link(bruno, chie)
    sent = ana.ok("endorse", "Bruno", "--about", "boats", "--relation", "client", "--words", WORDS,
                  "--ceiling", "network")
    until(lambda: bruno.ok("endorsement", "list", "--pending")["endorsements"])
    bruno.ok("endorsement", "accept", sent["id"], "--to", "network")
    assert chie.ok("network", "list") == {"quoting": [], "quotes": 0, "all": False}
    answer = chie.ok("network", "on")
    assert answer["all"] and [row["name"] for row in answer["quoting"]] == ["Bruno"]
    until(lambda: chie.ok("network", "list")["quotes"] == 1)
    link(chie, dora)  # Reads it, and is quoted, from now on.
    assert {row["name"] for row in chie.ok("network", "list")["quoting"]} == {"Bruno", "Dora"}

    def seen():
        return dora.ok("endorsement", "list", "--of", bruno.identity["member"])["endorsements"]

    until(lambda: [row["words"] for row in seen()] == [WORDS], 20, "the quote did not come")
    left = chie.ok("network", "unquote", "Dora")
    assert left["all"] and [row["name"] for row in left["quoting"]] == ["Bruno"]
    off = chie.ok("network", "off")
    assert off == {"quoting": [], "quotes": 0, "all": False}, off
    until(lambda: seen() == [], 20, "what was quoted was not taken back")
    assert len(chie.ok("network", "on")["quoting"]) == 2


def who_is_forgotten_is_nowhere_any_more(place):
    ana = place.member("Ana").start()
    ana.ok("contact", "add", "Joon Kim", "--note", "allergic to nuts")
    ana.ok("contact", "add", "Kept", "--note", "kind")
    ana.ok("contact", "log", "joon", "talked of the divorce")
    ana.ok("remind", "joon", "--every", "3m")
    ana.ok("contact", "closeness", "joon", "close")
    other = ana.ok("contact", "add", "J. Kim", "--note", "the same")["id"]
    ana.ok("contact", "merge", "joon kim", other)
    forgotten = ana.ok("contact", "remove", "joon kim", "--forget")
    assert forgotten["forgotten"] is True
    ana.fails(3, "contact", "show", "joon")
    assert ana.ok("contact", "search", "nuts")["total"] == 0
    assert ana.ok("reminder", "list")["reminders"] == []
    for _ in range(4):
        code, answer = ana.call("undo")
        assert code in (0, 3) and "Kim" not in str(answer), answer
    ana.fails(3, "contact", "show", "joon")
    ana.fails(3, "contact", "show", other)
    ana.stop()
    assert ana.ok("doctor", "--rebuild")["healthy"] is True
    ana.fails(3, "contact", "show", "joon")
    assert "reminder" not in str(ana.ok("due"))


run(dict(globals()))
