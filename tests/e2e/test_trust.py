"""Whom one can trust, and through whom: vouch flow between real processes."""
from kithtest import link, run, until

WORDS = "We worked together for years; calm, exact and kind."


def endorse(issuer, subject, *more, about="carpentry", relation="worked-with", to="network"):
    """Written, arrived, accepted, shown."""
    sent = issuer.ok("endorse", subject.name, "--about", about, "--relation", relation,
                     "--words", WORDS, "--ceiling", "network", *more)
    until(lambda: any(row["id"] == sent["id"]
                      for row in subject.ok("endorsement", "list", "--pending")["endorsements"]),
          what=f"the endorsement did not reach {subject.name}")
    subject.ok("endorsement", "accept", sent["id"], "--to", to)
    return sent["id"]


def seen(viewer, who, count=1):
    until(lambda: len(viewer.ok("endorsement", "list", "--of", who)["endorsements"]) >= count,
          what=f"{viewer.name} does not see the endorsements")


def sentences(viewer, who, *more):
    return viewer.ok("trust", who, *more)["sentences"]


def friends_stand_for_a_peer(place):
    zora, ana, ben, dana = (place.member(name).start() for name in ("Zora", "Ana", "Ben", "Dana"))
    for one, other in ((zora, ana), (zora, ben), (zora, dana), (ana, dana), (ben, dana)):
        link(one, other)
    assert sentences(zora, "dana") == ["You know Dana yourself; nobody you know endorses them."]
    first = endorse(ana, dana)
    seen(zora, "dana")
    answer = zora.ok("trust", "dana")
    assert answer["sentences"] == ["One person you know has worked with Dana: Ana."], answer
    assert answer["sentence"] == answer["sentences"][0] and answer["closeness"] == "known"
    assert answer["who"] == {"member": dana.identity["member"], "name": "Dana"}
    endorse(ben, dana, about="joinery")
    seen(zora, "dana", 2)
    answer = zora.ok("trust", "dana")
    assert answer["sentence"] == "Two people you know have worked with Dana: Ana and Ben." or (
        answer["sentence"] == "Two people you know have worked with Dana: Ben and Ana."), answer
    assert {row["through"]["name"] for row in answer["branches"]} == {"Ana", "Ben"}
    branch = [row for row in answer["branches"] if row["through"]["name"] == "Ana"][0]
    assert branch["endorsement"] == first and branch["about"] == ["carpentry"]
    assert branch["sentence"].startswith("Ana has worked with Dana (carpentry; written 20"), branch
    assert "number" not in str(answer) and not any(
        isinstance(value, (int, float)) for row in answer["branches"] for value in row.values())
    # Whom I feel nearer to comes first.
    zora.ok("contact", "closeness", "ben", "close")
    assert zora.ok("trust", "dana")["sentence"].endswith("Ben and Ana.")
    assert [row["issuer"]["name"] for row in
            zora.ok("endorsement", "list", "--of", "dana")["endorsements"]] == ["Ben", "Ana"]
    zora.ok("contact", "closeness", "ben", "met")
    assert [row["issuer"]["name"] for row in
            zora.ok("endorsement", "list", "--of", "dana")["endorsements"]] == ["Ana", "Ben"]
    zora.ok("contact", "closeness", "ben", "close")
    for me in ("me", "Dana", dana.identity["member"]):
        mine = dana.ok("endorsement", "list", "--of", me)["endorsements"]
        assert mine == dana.ok("endorsement", "list", "--received")["endorsements"], me
    # Asked about one skill, the others say nothing.
    assert sentences(zora, "dana", "--about", "Carpentry") == [
        "One person you know endorses Dana for Carpentry: Ana."]
    assert sentences(zora, "dana", "--about", "cooking") == [
        "You know Dana yourself; nobody you know endorses them for cooking."]
    code, text = zora.call("trust", "dana", text=True)
    assert code == 0 and "Why:" in text and "Ben has worked with Dana (joinery" in text, text
    zora.fails(2, "trust", zora.identity["member"])
    zora.fails(3, "trust", "nobody at all")
    zora.stop()
    assert zora.ok("trust", "dana")["sentence"].endswith("Ben and Ana."), "without a node too"


def a_mute_takes_influence_away_at_once(place):
    zora, ana, dana = (place.member(name).start() for name in ("Zora", "Ana", "Dana"))
    for one, other in ((zora, ana), (zora, dana), (ana, dana)):
        link(one, other)
    endorse(ana, dana)
    seen(zora, "dana")
    for node in (True, False):
        if not node:
            zora.stop()
        assert sentences(zora, "dana") == ["One person you know has worked with Dana: Ana."]
        assert zora.ok("contact", "closeness", "ana", "muted")["closeness"] == "muted"
        assert sentences(zora, "dana") == [
            "You know Dana yourself; nobody you know endorses them.",
            "One endorsement is by someone nobody you know leads to; it counts for nothing here."]
        assert zora.ok("contact", "closeness", "ana", "unset")["closeness"] == "known"
    zora.ok("contact", "closeness", "dana", "muted")
    assert sentences(zora, "dana")[0].startswith("You have muted Dana")
    zora.fails(2, "contact", "closeness", "ana", "buddy")
    zora.fails(3, "contact", "closeness", "nobody", "good")
    zora.ok("contact", "add", "Pia Plain")
    assert zora.ok("contact", "closeness", "pia", "good")["closeness"] == "good"
    assert zora.ok("contact", "show", "pia")["closeness"] == "good"
    assert "closeness" not in zora.ok("contact", "show", "ana"), "nothing was said"
    answer = zora.ok("trust", "pia")
    assert answer["closeness"] == "good" and "does not use kith" in answer["sentence"]


def friends_of_friends_are_two_links_away(place):
    zora, ana, ivo, dana = (place.member(name).start() for name in ("Zora", "Ana", "Ivo", "Dana"))
    for one, other in ((zora, ana), (ana, ivo), (ana, dana), (ivo, dana)):
        link(one, other)
    endorse(ana, ivo)
    endorse(ivo, dana, relation="client")
    ana.ok("network", "quote", "ivo")
    ana.ok("network", "quote", "dana")
    for who in (ivo, dana):
        seen(zora, who.identity["member"])
    answer = zora.ok("trust", dana.identity["member"])
    name = dana.identity["member"][:20]
    assert answer["sentence"].startswith(f"You know nobody who endorses {name}"), answer
    assert f"Ana endorses Ivo, and Ivo was a client of {name}" in answer["sentence"]
    assert [one["name"] for one in answer["branches"][0]["chain"]] == ["Ana", "Ivo"]
    zora.ok("contact", "closeness", "ana", "muted")
    assert sentences(zora, dana.identity["member"])[0].startswith("No path")


def closeness_never_leaves_the_house(place):
    zora, ana, dana = (place.member(name).start() for name in ("Zora", "Ana", "Dana"))
    link(zora, ana)
    link(zora, dana)
    others = (ana, dana)

    def held():
        """What the others hold, once all is in step."""
        assert zora.ok("sync", "--wait", "20")["in_step"] is True
        return [one.ok("status")["entries"] for one in others]

    before, quiet = held(), 0
    while quiet < 3:  # Linking has settled when nothing moves any more.
        now = held()
        quiet, before = (quiet + 1 if now == before else 0), now
    own = zora.ok("status")["entries"]
    zora.ok("contact", "closeness", "ana", "muted")
    zora.ok("contact", "closeness", "dana", "close")
    assert zora.ok("status")["entries"] >= own + 2
    assert held() == before
    assert all(peer["undelivered"] == 0 for peer in zora.peers())
    for format in ("vcard", "vcard4", "csv", "json"):
        code, text = zora.call("export", "--format", format, text=True)
        assert code == 0 and "muted" not in text and "closeness" not in text.lower(), format


def paths(member, *words):
    return member.ok("path", *words)["paths"]


def those_one_knows_come_first(place):
    zora = place.member("Zora")
    add = ["contact", "add"]
    zora.ok(*add, "Ivo Lang", "--title", "Designer", "--place", "Norman", "--tag", "design")
    zora.ok(*add, "Mara Lindt", "--title", "Designer", "--org", "Acme", "--place",
            "Oklahoma City", "--tag", "design")
    zora.ok(*add, "Joon Kim", "--title", "Carpenter", "--org", "Acme", "--place", "Oklahoma City")
    zora.ok("contact", "closeness", "mara", "good")
    for node in (False, True):
        if node:
            zora.start()
        rows = paths(zora, "designer")
        assert [row["to"]["name"] for row in rows] == ["Mara Lindt", "Ivo Lang"], rows
        assert rows[0]["through"] == [] and rows[0]["next"] == 'kith contact show "Mara Lindt"'
        assert rows[0]["sentence"] == (
            "You know Mara Lindt yourself: Designer at Acme, Oklahoma City.")
        rows = paths(zora, "--tag", "design", "--place", "oklahoma city")
        assert [row["to"]["name"] for row in rows] == ["Mara Lindt"], rows
        rows = paths(zora, "--place", "norman")
        assert [row["to"]["name"] for row in rows] == ["Ivo Lang"], rows
        assert paths(zora, "--place", "Oklahoma", "carpenter")[0]["to"]["name"] == "Joon Kim"
        assert paths(zora, "Joon Kim")[0]["sentence"].startswith("You know Joon Kim yourself")
    zora.ok("contact", "log", "ivo", "lunch", "--kind", "met")
    zora.ok("contact", "closeness", "ivo", "good")
    assert paths(zora, "designer")[0]["to"]["name"] == "Ivo Lang", "met more lately"
    zora.ok("contact", "closeness", "ivo", "muted")
    assert [row["to"]["name"] for row in paths(zora, "designer")] == ["Mara Lindt"]
    zora.fails(2, "path")
    # Whatever somebody is called: no shell reads it.
    zora.ok(*add, "$(touch x)\"; true", "--title", "Plumber")
    row = paths(zora, "plumber")[0]
    assert "$" not in row["next"] and row["next"].endswith(row["to"]["id"]), row


def no_way_is_said_plainly(place):
    zora = place.member("Zora")
    zora.ok("contact", "add", "Joon Kim", "--title", "Carpenter", "--org", "Acme")
    for words in (["glazier"], ["Dana Reyes"], ["--tag", "glass", "--place", "Tulsa"]):
        code, answer = zora.call("path", *words)
        assert code == 0 and answer["paths"] == [], answer
        assert answer["sentence"].startswith("No known warm path.")
        assert answer["next"].startswith('kith ask post "I am looking for '), answer
    code, text = zora.call("path", "glazier", text=True)
    assert code == 0 and "No known warm path." in text and "kith ask post" in text
    assert "$" not in zora.ok("path", "$(id)")["next"]


def others_lead_to_those_they_know(place):
    zora, ana, ben, ivo, dana = (
        place.member(name).start() for name in ("Zora", "Ana", "Ben", "Ivo", "Dana"))
    for one, other in ((zora, ana), (zora, ben), (ana, ivo), (ana, dana), (ben, dana), (ivo, dana)):
        link(one, other)
    # All of one firm: that alone is no way to anybody.
    for one in (zora, ana, ben, ivo, dana):
        one.ok("me", "edit", "--org", "Acme")
    who = dana.identity["member"]
    assert paths(zora, who) == [], "a shared employer is no way"
    endorse(ivo, dana, about="Web design")
    ana.ok("network", "quote", "dana")
    seen(zora, who)
    rows = paths(zora, "designer")
    assert len(rows) == 1 and rows[0]["to"]["member"] == who, rows
    assert [one["name"] for one in rows[0]["through"]] == ["Ana"]
    assert rows[0]["through"][0]["why"].startswith("Ana is linked with did:key:"), rows
    assert rows[0]["next"] == f'kith intro want {who} --from "Ana" --blurb "..."', rows
    assert "place_known" not in rows[0], rows
    # Where people known by quotes are nobody has said; where the address book says it, it counts.
    rows = paths(zora, "designer", "--place", "Tulsa")
    assert len(rows) == 1 and rows[0]["place_known"] is False, rows
    assert "Nobody has told you where did:key:" in rows[0]["sentence"], rows
    endorse(ben, dana, about="carpentry")
    seen(zora, who, 2)
    rows = paths(zora, who)
    assert [[one["name"] for one in row["through"]] for row in rows][:2] in (
        [["Ana"], ["Ben"]], [["Ben"], ["Ana"]]), rows
    zora.ok("contact", "closeness", "ben", "close")
    rows = paths(zora, who)
    assert rows[0]["through"][0]["name"] == "Ben"
    assert rows[0]["sentence"].startswith("Ben has worked with did:key:"), rows
    assert rows[0]["sentence"].endswith("Ask Ben to introduce you."), rows
    zora.ok("contact", "closeness", "ben", "muted")
    assert [one["name"] for row in paths(zora, who) for one in row["through"]] == ["Ana"]
    # Two people away: Ana quotes Ivo as well; without her link with Dana it would be through Ivo.
    endorse(dana, ivo, about="joinery")
    ana.ok("network", "quote", "ivo")
    seen(zora, ivo.identity["member"])
    rows = paths(zora, "joinery")
    assert rows[0]["to"] == {"member": ivo.identity["member"], "name": "Ivo"}, rows
    assert rows[0]["next"] == (
        f'kith intro want {ivo.identity["member"]} --from "Ana" --blurb "..."'), rows
    # The line to type does what it says.
    want = zora.ok("intro", "want", who, "--from", "Ana", "--blurb", "I build doors.")
    assert want, want
    until(lambda: any("Zora" in str(row) for row in ana.ok("log")), what="Ana was not asked")


def a_peer_is_asked_for_an_endorsement(place):
    zora, ana = place.member("Zora").start(), place.member("Ana").start()
    link(zora, ana)
    words = "The stairs on Elm Street, last spring"
    zora.stop()  # Asked while nobody listens; it goes out later.
    want = zora.ok("endorsement", "want", "ana", "--words", words, "--about", "carpentry")
    assert want["to"]["name"] == "Ana" and want["words"] == words, want
    refused = zora.fails(1, "endorsement", "want", "ana", "--words", "And the doors?")
    assert "90 days" in refused["message"]
    zora.start()
    until(lambda: ana.ok("endorsement", "wants")["wants"], what="nothing arrived")
    row = ana.ok("endorsement", "wants")["wants"][0]
    assert row["from"]["name"] == "Zora" and row["about"] == ["carpentry"], row
    assert row["next"] == (
        'kith endorse "Zora" --about "carpentry" --relation worked-with --words "..."'), row
    log = ana.ok("log")
    assert [event["who"] for event in log if event["kind"] == "wanted"] == ["Zora"], log
    assert words in str(ana.ok("contact", "timeline", "zora"))
    assert "Waiting" not in ana.call("status", text=True)[1], "nobody is reminded of it"
    assert zora.ok("endorsement", "wants")["mine"][0]["to"]["name"] == "Ana"
    assert zora.ok("balance")["asked"]["total"] == 1, zora.ok("balance")
    endorse(ana, zora)
    assert ana.ok("endorsement", "wants") == {"wants": [], "mine": []}, "it was done"
    until(lambda: zora.ok("endorsement", "wants")["mine"] == [], what="it was done")
    code, text = ana.call("endorsement", "wants", text=True)
    assert code == 0 and "There are none." in text
    zora.fails(2, "endorsement", "want", "ana")
    zora.fails(2, "endorsement", "want", "ana", "--words", "x" * 601)
    zora.fails(3, "endorsement", "want", "nobody", "--words", words)


run(globals())
