"""The address book by hand: history, taking back, the same person twice."""
from kithtest import run

CARD = ("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nEMAIL:{email}\r\nORG:{org}\r\nUID:{uid}\r\n"
        "END:VCARD\r\n")


def cards(*rows):
    return "".join(CARD.format(name=n, email=e, org=o, uid=u) for n, e, o, u in rows).encode()


def book(member):
    """Everything people see of the address book, times aside."""
    found = member.ok("contact", "list")["contacts"]
    return [{key: value for key, value in one.items() if key != "updated"} for one in found]


def each_change_can_be_taken_back(place):
    ana = place.member("Ana")
    for node in (False, True):
        if node:
            ana.start()
        ana.ok("contact", "add", "Joon Kim", "--email", "joon@example.org", "--tag", "choir")
        states = [book(ana)]
        for args in (["--set", "org=ACME", "--set", "place=Busan"],
                     ["--unset", "org", "--add", "tag=friends", "--unset", "tag=choir"],
                     ["--set", "email=other@example.org", "--set", "kind=org"]):
            ana.ok("contact", "edit", "joon", *args)
            states.append(book(ana))
        ana.ok("contact", "remove", "joon")
        assert book(ana) == []
        for state in reversed(states):
            undone = ana.ok("undo")
            assert undone["contacts"] == 1 and undone["left"] == 0
            after = book(ana)
            for one in after + state:
                one["tags"] = sorted(one.get("tags", []))
            assert after == state, (after, state)
        assert ana.ok("undo")["undone"] == "add Joon Kim" and book(ana) == []
        ana.fails(3, "undo")


def a_whole_import_can_be_taken_back(place):
    ana = place.member("Ana")
    ana.ok("import", "-", stdin=cards(("Joon Kim", "j@example.org", "ACME", "u1")))
    before = book(ana)
    ana.ok("import", "-", stdin=cards(("Joon Kim", "j@example.org", "Other", "u1"),
                                      ("Mara Lindt", "m@example.org", "Lindt", "u2"),
                                      ("Zora Bell", "z@example.org", "Bells", "u3")))
    assert len(book(ana)) == 3
    assert ana.ok("undo")["contacts"] == 3
    assert book(ana) == before
    assert ana.ok("contact", "search", "zora")["total"] == 0
    ana.ok("undo")
    assert book(ana) == []


def what_was_changed_since_stays(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon Kim")
    ana.ok("contact", "edit", "joon", "--set", "org=ACME", "--set", "place=Busan")
    ana.ok("contact", "edit", "joon", "--set", "org=Later")
    ana.ok("undo")
    shown = ana.ok("contact", "show", "joon")
    assert shown["org"] == "ACME" and shown["place"] == "Busan"
    ana.ok("undo")
    assert "org" not in ana.ok("contact", "show", "joon")


def history_says_who_changed_what(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon Kim", "--tag", "choir")
    ana.ok("contact", "edit", "joon", "--set", "org=ACME")
    ana.ok("contact", "edit", "joon", "--set", "org=Other", "--unset", "tag=choir")
    steps = ana.ok("contact", "history", "joon")["history"]
    assert len(steps) == 3 and steps[0]["created"] is True
    assert all(step["by"] == "this device" and step["at"].endswith("Z") for step in steps)
    changes = {change["field"]: change for change in steps[2]["changes"]}
    assert changes["org"] == {"field": "org", "from": "ACME", "to": "Other"}
    assert changes["tag"]["removed"] == "choir"
    code, text = ana.call("contact", "history", "joon", text=True)
    assert code == 0 and "org: ACME -> Other" in text and "tag: - choir" in text
    ana.fails(3, "contact", "history", "nobody")


def one_person_twice_is_found_merged_and_parted(place):
    ana = place.member("Ana")
    one = ana.ok("contact", "add", "Joon Kim", "--email", "joon@example.org", "--org", "ACME")
    two = ana.ok("contact", "add", "Kim, Joon", "--email", "JOON@example.org", "--tel", "+82 2 1",
                 "--place", "Busan", "--org", "Elsewhere")
    ana.ok("contact", "add", "Mara Lindt")
    pair = ana.ok("contact", "duplicates")["duplicates"]
    assert len(pair) == 1 and pair[0]["why"] == "the same e-mail"
    assert {c["id"] for c in pair[0]["contacts"]} == {one["id"], two["id"]}
    merged = ana.ok("contact", "merge", "Kim, Joon", "joon kim")
    assert merged["id"] == one["id"] and merged["same"] == [two["id"]]
    assert merged["org"] == "ACME" and merged["place"] == "Busan"
    assert merged["phones"] == ["+82 2 1"] and merged["emails"] == ["joon@example.org"]
    assert ana.ok("contact", "duplicates")["duplicates"] == []
    assert ana.ok("contact", "list")["total"] == 2 and ana.ok("status")["contacts"] == 2
    for who in ("joon kim", "JOON@example.org", two["id"], one["id"]):
        assert ana.ok("contact", "show", who)["id"] == one["id"], who
    found = ana.ok("contact", "search", "acme", "busan")
    assert [c["id"] for c in found["contacts"]] == [one["id"]] and found["total"] == 1
    assert ana.ok("contact", "edit", "joon kim", "--unset", "place")["org"] == "ACME"
    assert "place" not in ana.ok("contact", "show", "joon kim")
    ana.ok("undo")
    assert ana.ok("contact", "show", "joon kim")["place"] == "Busan"
    assert ana.ok("doctor")["healthy"] is True
    parted = ana.ok("contact", "split", "joon kim")["contacts"]
    assert {c["id"] for c in parted} == {one["id"], two["id"]}
    assert ana.ok("contact", "show", "Kim, Joon")["org"] == "Elsewhere"
    ana.fails(1, "contact", "split", "mara")
    ana.ok("undo")  # The parting.
    assert ana.ok("contact", "list")["total"] == 2
    ana.ok("undo")  # The merge.
    assert ana.ok("contact", "list")["total"] == 3
    ana.fails(6, "contact", "merge", "mara", "mara")
    ana.fails(3, "contact", "merge", "mara", "nobody")
    assert ana.ok("doctor")["healthy"] is True


def a_merged_person_can_be_removed_and_brought_back(place):
    ana = place.member("Ana")
    for name in ("One", "Two", "Three"):
        ana.ok("contact", "add", name, "--note", f"note of {name}")
    ana.ok("contact", "merge", "One", "Two")
    ana.ok("contact", "merge", "Two", "Three")
    assert ana.ok("contact", "list")["total"] == 1
    ana.ok("contact", "remove", "one")
    assert ana.ok("contact", "list")["total"] == 0
    assert ana.ok("undo")["contacts"] == 3
    shown = ana.ok("contact", "show", "one")
    assert len(shown["same"]) == 2 and ana.ok("contact", "list")["total"] == 1
    assert ana.ok("contact", "search", "three")["contacts"][0]["name"] == "One"
    assert ana.ok("doctor")["healthy"] is True


def circles_hold_contacts_and_peers(place):
    ana, bruno = place.pair()
    ana.ok("contact", "add", "Joon Kim", "--email", "joon@example.org")
    assert ana.ok("circle", "list")["circles"] == []
    assert ana.ok("circle", "create", "Ch\u0153ur")["circles"][0]["members"] == []
    ana.ok("circle", "create", "choeur")  # The same circle, spelt otherwise.
    ana.ok("circle", "add", "CHOEUR", "joon", "bruno")
    ana.ok("circle", "add", "choeur", "joon")
    circle, = ana.ok("circle", "list")["circles"]
    assert circle["name"] == "Ch\u0153ur"
    assert [one["name"] for one in circle["members"]] == ["Joon Kim", "Bruno"]
    assert circle["members"][1]["member"] == bruno.identity["member"]
    ana.fails(3, "circle", "add", "choeur", "joon", "nobody")
    ana.fails(3, "circle", "add", "other", "joon")
    ana.fails(2, "circle", "create", "  ")
    ana.ok("contact", "remove", "joon")
    assert [one["name"] for one in ana.ok("circle", "list", "choeur")["circles"][0]["members"]] == [
        "Bruno"]
    ana.ok("undo")
    ana.ok("circle", "remove", "choeur", "bruno")
    assert [one["name"] for one in ana.ok("circle", "list", "choeur")["circles"][0]["members"]] == [
        "Joon Kim"]
    ana.ok("circle", "remove", "choeur")
    ana.fails(3, "circle", "list", "choeur")
    assert ana.ok("circle", "create", "choeur")["circles"][0]["members"] == []
    code, text = ana.call("circle", "list", text=True)
    assert code == 0 and "nobody yet" in text


run(globals())
