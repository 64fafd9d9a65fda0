"""Endorsements between real processes: written, decided on, shown, exported, taken back."""
import json
import os

from kithtest import Skip, link, run, until

WORDS = "Led our rebrand from first sketch to launch."


def endorse(issuer, subject, *more, words=WORDS):
    return issuer.ok("endorse", subject.name, "--about", "rebranding", "--relation", "worked-with",
                     "--words", words, *more)


def rows(member, *flags):
    return member.ok("endorsement", "list", *flags)["endorsements"]


def first(member, *flags):
    until(lambda: rows(member, *flags), what=f"nothing arrived at {member.name}")
    return rows(member, *flags)[0]


def three(where):
    """Ana and Chie are both linked with Bruno, not with one another."""
    ana, bruno, chie = (where.member(name).start() for name in ("Ana", "Bruno", "Chie"))
    link(ana, bruno)
    link(bruno, chie)
    return ana, bruno, chie


def accepted(issuer, subject, to=None, *more, words=WORDS):
    """Written, arrived, accepted."""
    sent = endorse(issuer, subject, *more, words=words)
    until(lambda: any(row["id"] == sent["id"] for row in rows(subject, "--pending")))
    subject.ok("endorsement", "accept", sent["id"], *(("--to", to) if to else ()))
    return sent["id"]


def acts(member, who):
    """What the timeline says of acts of kith, apart from linking."""
    noted = member.ok("contact", "timeline", who)["interactions"]
    return [(row["kind"], row["text"], row["ref"]) for row in noted if row["kind"] != "linked"]


def log_kinds(member):
    events = member.ok("log")
    return [event["kind"] for event in (events if isinstance(events, list) else [events])]


def an_endorsement_is_offered_accepted_and_seen_by_a_third(place):
    ana, bruno, chie = three(place)
    sent = endorse(ana, bruno)
    assert (sent["state"], sent["shown_to"]) == ("sent", "nobody")
    assert sent["issuer"] == {"member": ana.identity["member"], "name": "Ana"}
    pending = first(bruno, "--pending")
    assert pending["id"] == sent["id"] and pending["state"] == "pending"
    assert pending["words"] == WORDS and pending["about"] == ["rebranding"]
    assert pending["subject"] == {"member": bruno.identity["member"], "name": "Bruno"}
    assert "endorsement" in log_kinds(bruno) and "endorsed" in log_kinds(ana)
    assert bruno.ok("status")["endorsements"] == {
        "given": 0, "received": 1, "shown": 0, "pending": 1}
    assert rows(chie, "--of", "Bruno") == []
    answer = bruno.ok("endorsement", "accept", sent["id"], "--to", "peers")
    assert (answer["state"], answer["shown_to"]) == ("accepted", "peers")
    assert "decided" in log_kinds(bruno)
    seen = first(chie, "--of", "Bruno")
    assert seen["id"] == sent["id"] and seen["verified"] is True and seen["words"] == WORDS
    assert seen["issuer"]["member"] == ana.identity["member"] and seen["issuer"]["name"] == "Ana"
    assert acts(ana, "bruno") == [("endorsed", "rebranding", sent["id"])]
    assert acts(bruno, "ana") == [("endorsed-me", "rebranding", sent["id"])]
    assert ana.ok("balance")["given"]["endorsed"] == 1, ana.ok("balance")
    assert bruno.ok("balance", "ana")["received"]["endorsed-me"] == 1, bruno.ok("balance", "ana")
    until(lambda: rows(ana, "--given")[0]["state"] == "accepted")
    assert bruno.ok("status")["endorsements"] == {
        "given": 0, "received": 1, "shown": 1, "pending": 0}
    assert ana.ok("status")["endorsements"]["given"] == 1
    for page in (chie.ok("peer", "show", "Bruno"), chie.ok("contact", "show", "Bruno")):
        assert [row["issuer"]["name"] for row in page["endorsements"]] == ["Ana"], page
    assert "dropped" not in chie.ok("peer", "show", "Bruno")


def each_of_the_three_may_be_away(place):
    ana, bruno, chie = three(place)
    bruno.stop()
    sent = endorse(ana, bruno)
    ana.stop()
    second = endorse(ana, bruno, words="And she did it again, for half of the price.")
    bruno.start()
    ana.start()
    until(lambda: len(rows(bruno, "--pending")) == 2, 30)
    bruno.stop()
    chie.stop()
    bruno.ok("endorsement", "accept", sent["id"], "--to", "peers")
    bruno.start()
    chie.start()
    until(lambda: [row["id"] for row in rows(chie, "--of", "Bruno")] == [sent["id"]], 30)
    ana.stop()
    ana.ok("endorsement", "revoke", second["id"])
    ana.start()
    until(lambda: rows(bruno, "--pending") == [], 30)


def what_is_revoked_is_gone_everywhere_and_for_good(place):
    ana, bruno, chie = three(place)
    ref = accepted(ana, bruno, "peers")
    first(chie, "--of", "Bruno")
    assert ana.ok("endorsement", "revoke", ref)["state"] == "revoked"
    ana.fails(1, "endorsement", "revoke", ref)
    until(lambda: rows(bruno, "--received")[0]["state"] == "revoked")
    until(lambda: rows(chie, "--of", "Bruno") == [])
    until(lambda: "revoked" in log_kinds(bruno))
    for verb in (("accept",), ("publish", "--to", "peers"), ("hide",), ("set-aside",)):
        bruno.fails(1, "endorsement", verb[0], ref, *verb[1:])
    bruno.fails(1, "endorsement", "export", ref)
    assert bruno.ok("status")["endorsements"]["received"] == 0


def the_subject_decides_and_the_writer_sees_only_what_is_shown(place):
    ana, bruno, chie = three(place)
    ref = accepted(ana, bruno)
    assert rows(bruno, "--received")[0]["shown_to"] == "nobody"
    bruno.ok("endorsement", "publish", ref, "--to", "peers")
    first(chie, "--of", "Bruno")
    until(lambda: rows(ana, "--given")[0]["state"] == "accepted")
    assert bruno.ok("endorsement", "hide", ref)["shown_to"] == "nobody"
    until(lambda: rows(chie, "--of", "Bruno") == [])
    until(lambda: rows(ana, "--given")[0]["state"] == "sent")
    assert bruno.ok("endorsement", "set-aside", ref)["state"] == "set aside"
    bruno.ok("sync", "--wait", "10")
    assert rows(ana, "--given")[0]["state"] == "sent"
    assert bruno.ok("endorsement", "publish", ref, "--to", "peers")["state"] == "accepted"
    first(chie, "--of", "Bruno")
    for _ in range(2):  # Both within one second: the show is the same, and shown all the same.
        bruno.ok("endorsement", "hide", ref)
        bruno.ok("endorsement", "publish", ref, "--to", "peers")
        bruno.ok("sync", "--wait", "10")
        first(chie, "--of", "Bruno")


def a_renewal_takes_the_place_of_what_it_renews(place):
    ana, bruno, chie = three(place)
    old = accepted(ana, bruno, "peers")
    new = accepted(ana, bruno, "peers", "--renews", old, "--expires", "60m",
                   words="Still the best, after all these years.")
    until(lambda: [row["id"] for row in rows(chie, "--of", "Bruno")] == [new])
    assert rows(bruno, "--received")[0]["renews"] == old
    ana.fails(2, "endorse", "Bruno", "--about", "x", "--relation", "client", "--words", WORDS,
              "--expires", "61m")


def peers_linked_later_see_what_is_shown(place):
    ana, bruno, chie = three(place)
    ref = accepted(ana, bruno, "peers")
    other = accepted(chie, bruno, "peers")
    bruno.ok("endorsement", "hide", other)
    dora = place.member("Dora").start()
    link(bruno, dora)
    until(lambda: [row["id"] for row in rows(dora, "--of", "Bruno")] == [ref])


def bounds_and_wrong_values_are_told(place):
    ana, bruno, chie = three(place)
    fine = ("--about", "x", "--relation", "client", "--words", WORDS)
    ana.fails(3, "endorse", "Nobody", *fine)
    ana.fails(2, "endorse", "Bruno", "--relation", "client", "--words", WORDS)
    ana.fails(2, "endorse", "Bruno", "--about", "a", "--about", "b", "--about", "c", "--about", "d",
              "--relation", "client", "--words", WORDS)
    ana.fails(2, "endorse", "Bruno", "--about", "x", "--relation", "boss", "--words", WORDS)
    ana.fails(2, "endorse", "Bruno", "--about", "x", "--relation", "client", "--words", "short")
    ana.fails(2, "endorse", "Bruno", "--about", "x", "--relation", "client")
    ana.fails(2, "endorse", "Bruno", "--about", "x", "--relation", "client", "--words", "w" * 1001)
    ana.fails(2, "endorse", "Bruno", *fine, "--since", "2024", "--until", "2021")
    ana.fails(2, "endorse", "Bruno", *fine, "--since", "soon")
    ana.fails(2, "endorse", "Bruno", *fine, "--ceiling", "world")
    ana.fails(3, "endorse", "Bruno", *fine, "--renews", "0198f2c4")
    ana.fails(2, "endorsement", "list", "--given", "--received")
    ids = [endorse(ana, bruno, words=WORDS + str(at))["id"] for at in range(3)]
    ana.fails(1, "endorse", "Bruno", *fine)
    until(lambda: len(rows(bruno, "--pending")) == 3)
    bruno.fails(1, "endorsement", "accept", ids[0], "--to", "network")
    bruno.fails(2, "endorsement", "accept", ids[0], "--to", "everybody")
    bruno.fails(2, "endorsement", "publish", ids[0])
    bruno.fails(1, "endorsement", "hide", ids[0])
    bruno.fails(1, "endorsement", "export", ids[0])
    bruno.fails(1, "endorsement", "revoke", ids[0])
    bruno.fails(3, "endorsement", "show", "ffffff")
    bruno.fails(3, "endorsement", "accept", "xyz")
    bruno.fails(6, "endorsement", "show", ids[0][:6])
    ana.fails(1, "endorsement", "accept", ids[0])
    chie.fails(3, "endorsement", "export", ids[0])
    ana.ok("endorsement", "revoke", ids[0])
    endorse(ana, bruno, words=WORDS + " Again.")


def peers_of_a_peer_see_what_is_quoted(place):
    ana, bruno, chie = three(place)
    dora = place.member("Dora").start()
    link(chie, dora)
    shown = accepted(ana, bruno, "network", "--ceiling", "network")
    kept = accepted(ana, bruno, "peers", "--ceiling", "network", words=WORDS + " Twice.")
    until(lambda: len(rows(chie, "--of", "Bruno")) == 2)
    member = bruno.identity["member"]
    assert rows(dora, "--of", member) == []
    assert [row["name"] for row in chie.ok("network", "quote", "Bruno")["quoting"]] == ["Bruno"]
    seen = first(dora, "--of", member)
    assert seen["id"] == shown and seen["via"]["name"] == "Chie" and seen["verified"] is True
    dora.fails(1, "endorsement", "export", shown)
    eva = place.member("Eva").start()
    link(dora, eva)
    dora.ok("network", "quote", "Chie")
    link(eva, chie)
    until(lambda: [row["id"] for row in rows(eva, "--of", member)] == [shown])
    assert rows(eva, "--of", member)[0]["via"]["name"] == "Chie"
    bruno.ok("endorsement", "hide", shown)
    until(lambda: rows(dora, "--of", member) == [] and rows(eva, "--of", member) == [])
    bruno.ok("endorsement", "publish", kept, "--to", "network")
    until(lambda: [row["id"] for row in rows(dora, "--of", member)] == [kept])
    chie.ok("network", "unquote", "Bruno")
    until(lambda: rows(dora, "--of", member) == [])


def removal_and_blocking_leave_nothing_half_done(place):
    ana, bruno, chie = three(place)
    dora = place.member("Dora").start()
    link(chie, dora)
    ref = accepted(ana, bruno, "network", "--ceiling", "network")
    chie.ok("network", "quote", "Bruno")
    member = bruno.identity["member"]
    first(dora, "--of", member)
    chie.ok("peer", "remove", "Bruno")
    until(lambda: rows(dora, "--of", member) == [])
    endorse(ana, bruno, words=WORDS + " Late.")
    ana.ok("peer", "block", "Bruno")
    ana.fails(1, "endorse", "Bruno", "--about", "x", "--relation", "client", "--words", WORDS)
    assert bruno.ok("endorsement", "show", ref)["state"] == "accepted"
    bruno.ok("endorsement", "hide", ref)
    bruno.ok("endorsement", "export", ref)


def an_export_is_verified_and_nothing_in_it_can_be_changed(place):
    ana, bruno = place.pair()
    ref = accepted(ana, bruno)
    path = os.path.join(place.path, "vc.json")
    bruno.ok("endorsement", "export", ref, "-o", path)
    verdict = bruno.ok("endorsement", "verify", path)
    assert verdict["valid"] is True and verdict["issuer"] == ana.identity["member"]
    assert verdict["subject"] == bruno.identity["member"] and verdict["words"] == WORDS
    with open(path, encoding="utf-8") as file:
        whole = json.load(file)
    assert whole["id"] == "urn:uuid:" + ref
    assert whole == bruno.ok("endorsement", "export", ref)
    assert [whole] == bruno.ok("endorsement", "export", "--all")
    for change in (lambda vc: vc["credentialSubject"].update(endorsementComment=WORDS + "!"),
                   lambda vc: vc.update(validUntil="2090-01-01T00:00:00Z"),
                   lambda vc: vc["issuer"].update(id=bruno.identity["member"]),
                   lambda vc: vc.pop("proof"),
                   lambda vc: vc.update(type=["VerifiableCredential"]),
                   lambda vc: vc["@context"].append("https://example.org/other")):
        altered = json.loads(json.dumps(whole))
        change(altered)
        code, verdict = bruno.call("endorsement", "verify", "-", stdin=json.dumps(altered).encode())
        assert code == 5 and verdict["valid"] is False and verdict["why"], verdict
    code, verdict = bruno.call("endorsement", "verify", "-", stdin=b"\xff\xfe no JSON")
    assert code == 5 and verdict["valid"] is False
    bruno.fails(1, "endorsement", "verify", os.path.join(place.path, "missing"))
    bruno.fails(2, "endorsement", "export")


def an_export_that_was_taken_back_is_not_valid_to_whoever_heard_of_it(place):
    ana, bruno = place.pair()
    ref = accepted(ana, bruno)
    whole = json.dumps(bruno.ok("endorsement", "export", ref)).encode()
    presented = json.dumps(bruno.ok("endorsement", "present")).encode()
    chie = place.member("Chie")
    ana.ok("endorsement", "revoke", ref)
    until(lambda: bruno.ok("endorsement", "show", ref)["state"] == "revoked")
    for member in (ana, bruno):
        for text in (whole, presented):
            code, verdict = member.call("endorsement", "verify", "-", stdin=text)
            assert code == 5 and verdict["valid"] is False, verdict
            assert verdict["why"] == "whoever signed it has taken it back since", verdict
    assert chie.ok("endorsement", "verify", "-", stdin=whole)["valid"] is True


def the_subject_can_present_and_nobody_else(place):
    ana, bruno = place.pair()
    bruno.fails(3, "endorsement", "present")
    ref = accepted(ana, bruno)
    whole = bruno.ok("endorsement", "present", "--challenge", "7f3a", "--domain", "jobs.example")
    verdict = bruno.call("endorsement", "verify", "-", stdin=json.dumps(whole).encode())[1]
    assert verdict["valid"] is True and verdict["presented_by"] == bruno.identity["member"]
    ana.fails(1, "endorsement", "present", ref)
    whole["proof"]["challenge"] = "another"
    assert bruno.call("endorsement", "verify", "-", stdin=json.dumps(whole).encode())[0] == 5


def later(days, call):
    """Runs a command or starts a node with the wall clock so many days ahead."""
    library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    if not os.path.exists(library):
        raise Skip("libfaketime is not installed")
    # A sanitized program minds what is loaded before it.
    os.environ.update(LD_PRELOAD=library, FAKETIME=f"+{days}d", FAKETIME_DONT_FAKE_MONOTONIC="1",
                      ASAN_OPTIONS="verify_asan_link_order=0")
    try:
        return call()
    finally:
        for name in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "ASAN_OPTIONS"):
            del os.environ[name]


def it_expires_by_the_calendar_and_a_wrong_clock_takes_nothing(place):
    ana, bruno, chie = three(place)
    ref = accepted(ana, bruno, "peers", "--expires", "2m")
    first(chie, "--of", "Bruno")
    path = os.path.join(place.path, "vc.json")
    bruno.ok("endorsement", "export", ref, "-o", path)
    for member in (ana, bruno, chie):
        member.stop()
    assert later(50, lambda: rows(chie, "--of", "Bruno"))[0]["state"] == "accepted"
    assert later(63, lambda: rows(chie, "--of", "Bruno")) == []
    assert later(63, lambda: rows(bruno, "--received"))[0]["state"] == "expired"
    assert later(63, lambda: rows(ana, "--given"))[0]["state"] == "expired"
    assert later(63, lambda: bruno.call("endorsement", "verify", path))[0] == 5
    later(63, lambda: bruno.fails(1, "endorsement", "accept", ref))
    later(400, bruno.start)
    bruno.stop()
    bruno.start()
    chie.start()
    assert rows(bruno, "--received")[0]["shown_to"] == "peers"
    assert rows(chie, "--of", "Bruno")[0]["state"] == "accepted"


def a_show_is_renewed_by_itself(place):
    ana, bruno = place.pair()
    accepted(ana, bruno, "peers")
    before = bruno.ok("status")["entries"]
    bruno.ok("status")
    bruno.stop()
    later(31, bruno.start)
    until(lambda: bruno.ok("status")["entries"] > before, 30)
    assert rows(bruno, "--received")[0]["shown_to"] == "peers"


def due(member, *flags):
    rows = member.ok("due", "--within", "6w", *flags)["due"]
    return [(row["who"], row["text"], row["id"]) for row in rows if row["kind"] == "endorsement"]


def what_expires_soon_is_due_until_it_is_renewed(place):
    ana, bruno = place.pair()
    long = accepted(ana, bruno)
    sent = endorse(ana, bruno, "--expires", "1m", words=WORDS + " Soon over.")
    first(bruno, "--pending")
    said = WORDS + " Soon over."
    assert due(ana) == [("Bruno", "you said: " + said, sent["id"])], due(ana)
    assert due(bruno) == [], "it is not accepted yet"
    code, text = bruno.call("status", text=True)
    assert code == 0 and ("Waiting for you:\n  1 endorsement of you: you decide who sees it\n"
                          "      kith endorsement list --pending\n") in text, text
    bruno.ok("endorsement", "accept", sent["id"])
    assert due(bruno) == [("Ana", "they said: " + said, sent["id"])], due(bruno)
    row = [row for row in ana.ok("due", "--within", "6w")["due"] if row["id"] == sent["id"]][0]
    assert row["due"] == sent["expires"][:10] and row["state"] == "soon" and row["contact"], row
    assert sent["id"] not in [row["id"] for row in ana.ok("due", "--within", "1w")["due"]]
    calendar = ana.ok("due", "--within", "6w", "--ical")["ical"].replace("\r\n ", "")
    assert "SUMMARY:Endorsement ends: Bruno\\, you said: " + WORDS in calendar, calendar
    code, text = ana.call("due", "--within", "6w", text=True)
    assert code == 0 and "endorsement  Bruno, you said: " + said in text, text
    accepted(ana, bruno, None, "--renews", sent["id"], words=WORDS + " Once more.")
    assert due(ana) == [] and due(bruno) == [], "it was renewed"
    assert long in [row["id"] for row in rows(bruno, "--received")]


def a_rebuild_keeps_every_decision(place):
    ana, bruno, chie = three(place)
    ref = accepted(ana, bruno, "peers")
    aside = accepted(ana, bruno, words=WORDS + " Twice.")
    bruno.ok("endorsement", "set-aside", aside)
    first(chie, "--of", "Bruno")
    noted = acts(bruno, "ana")
    assert sorted(act[2] for act in noted) == sorted((ref, aside)), noted
    before, entries = rows(bruno, "--received"), bruno.ok("status")["entries"]
    bruno.ok("doctor", "--rebuild")
    until(lambda: "views_behind" not in bruno.ok("status"))
    until(lambda: rows(bruno, "--received") == before)
    assert bruno.ok("status")["entries"] == entries and acts(bruno, "ana") == noted
    assert {row["id"]: row["state"] for row in before} == {ref: "accepted", aside: "set aside"}


run(dict(globals()))
