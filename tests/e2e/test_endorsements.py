"""Endorsements between real processes: written, decided on, shown, exported, taken back."""
import json
import os

from kithtest import link, run, until

WORDS = "Led our rebrand from first sketch to launch."


def endorse(issuer, subject, words=WORDS, *more):
    return issuer.ok("endorse", subject.name, "--about", "rebranding", "--relation", "worked-with",
                     "--words", words, *more)


def received(member, *flags):
    return member.ok("endorsement", "list", *(flags or ("--received",)))["endorsements"]


def first(member, *flags):
    until(lambda: received(member, *flags), what=f"nothing arrived at {member.name}")
    return received(member, *flags)[0]


def an_endorsement_is_offered_accepted_and_seen_by_a_third(place):
    ana, bruno, chie = (place.member(name).start() for name in ("Ana", "Bruno", "Chie"))
    link(ana, bruno)
    link(bruno, chie)
    sent = endorse(ana, bruno)
    assert (sent["state"], sent["shown_to"]) == ("sent", "nobody")
    assert sent["issuer"] == {"member": ana.identity["member"], "name": "Ana"}
    pending = first(bruno, "--pending")
    assert pending["id"] == sent["id"] and pending["state"] == "pending"
    assert pending["words"] == WORDS and pending["about"] == ["rebranding"]
    assert pending["subject"] == {"member": bruno.identity["member"], "name": "Bruno"}
    assert received(chie, "--of", "Bruno") == []
    accepted = bruno.ok("endorsement", "accept", sent["id"], "--to", "peers")
    assert (accepted["state"], accepted["shown_to"]) == ("accepted", "peers")
    seen = first(chie, "--of", "Bruno")
    assert seen["id"] == sent["id"] and seen["verified"] is True and seen["words"] == WORDS
    assert seen["issuer"]["member"] == ana.identity["member"] and seen["issuer"]["name"] == "Ana"
    until(lambda: received(ana, "--given")[0]["state"] == "accepted")
    assert bruno.ok("status")["endorsements"] == {
        "given": 0, "received": 1, "shown": 1, "pending": 0}
    assert ana.ok("status")["endorsements"]["given"] == 1


def an_export_is_verified_and_nothing_in_it_can_be_changed(place):
    ana, bruno = place.pair()
    sent = endorse(ana, bruno)
    first(bruno, "--pending")
    bruno.ok("endorsement", "accept", sent["id"])
    path = os.path.join(place.path, "vc.json")
    bruno.ok("endorsement", "export", sent["id"], "-o", path)
    verdict = bruno.ok("endorsement", "verify", path)
    assert verdict["valid"] is True and verdict["issuer"] == ana.identity["member"]
    assert verdict["subject"] == bruno.identity["member"] and verdict["words"] == WORDS
    with open(path, encoding="utf-8") as file:
        whole = json.load(file)
    assert whole["id"] == "urn:uuid:" + sent["id"]
    assert whole == bruno.ok("endorsement", "export", sent["id"])
    whole["credentialSubject"]["endorsementComment"] += "!"
    code, verdict = bruno.call("endorsement", "verify", "-", stdin=json.dumps(whole).encode())
    assert code == 5 and verdict["valid"] is False and verdict["why"]


run(dict(globals()))
