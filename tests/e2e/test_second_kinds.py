"""What stands in a home that has lived is what PROTOCOL.md says, field for field: the second node
(second_*.py), as its other device, reads every object."""
import second_ask
from kithtest import link, run, until
from second_keys import about
from second_kinds import SPACES, ids, introduction_key_fits, kinds, seeds_fit
from second_member import now_ms
from test_second_own import Household

KEPT, ASK, PASSED, LEAD = 61, 81, 83, 86

WORDS = "Built our stairs on time, and true to the last step."


def endorsed(issuer, subject, to):
    sent = issuer.ok("endorse", subject.name, "--about", "stairs", "--relation", "client",
                     "--words", WORDS, "--ceiling", "network")
    until(lambda: any(row["id"] == sent["id"] for row in
                      subject.ok("endorsement", "list", "--pending")["endorsements"]))
    if to:
        subject.ok("endorsement", "accept", sent["id"], "--to", to)
    return sent["id"]


class Life(Household):
    """Ana with Bruno and Carla, and a little of everything."""

    def meet(self, ana, bruno, carla):
        carla_uri = carla.ok("peer", "invite", "Ana")["uri"]
        assert ana.ok("peer", "accept", carla_uri)["state"] == "linked"
        ana.ok("contact", "add", "Joon Kim", "--email", "joon@example.org", "--tel", "+49 30 1",
               "--org", "ACME", "--tag", "choir", "--note", "sings", "--url", "https://joon.org")
        ana.ok("contact", "log", "Joon", "coffee", "--kind", "met")
        ana.ok("remind", "Joon", "--every", "3m")
        ana.ok("contact", "closeness", "Joon", "good")
        ana.ok("contact", "closeness", "Bruno", "close")
        ana.ok("circle", "create", "Chœur")
        ana.ok("circle", "add", "Chœur", "Joon", "Bruno")
        ana.ok("peer", "compared", "Bruno")
        ana.ok("peer", "rename", "Bruno", "Bru")
        ana.ok("me", "edit", "--title", "Carpenter", "--email", "ana@example.org")
        ana.ok("contact", "add", "Gone")
        ana.ok("contact", "remove", "Gone", "--forget")

    def speak(self, ana, bruno, carla):
        endorsed(ana, bruno, "network")
        endorsed(bruno, ana, "peers")
        ana.ok("endorsement", "revoke", endorsed(ana, carla, None))
        ana.ok("endorsement", "want", "Carla", "--words", "The stairs of 2024")
        ana.ok("network", "on")
        ana.ok("network", "quote", "Bruno")
        ana.ok("contact", "share", "Joon", "--with", "Bruno", "--field", "email", "--agreed")
        bruno.ok("contact", "add", "Mara", "--email", "mara@example.org")
        bruno.ok("contact", "share", "Mara", "--with", "Ana", "--field", "email", "--agreed")
        until(lambda: ana.ok("share", "list")["shares"])
        ana.ok("share", "keep", ana.ok("share", "list")["shares"][0]["id"])
        ana.ok("introduce", "Bruno", "Carla", "--why", "You both restore boats.")
        ana.ok("intro", "mute", "Carla")

    def ask(self, ana, bruno, carla):
        ana.ok("ask", "post", "I would love to stay with wood.", "--title", "Looking for work",
               "--to", "Bruno", "--hops", "2")
        until(lambda: bruno.ok("ask", "list")["asks"])
        ask = bruno.ok("ask", "list")["asks"][0]["id"]
        bruno.ok("ask", "reply", ask, "--text", "Ask at the theatre.", "--kind", "lead")
        until(ana.leads)
        ana.ok("thanks", ana.leads()[0]["id"], "I start on Monday.")
        ana.ok("ask", "close", ana.ok("ask", "list", "--mine")["asks"][0]["id"])
        bruno.ok("ask", "post", "Who has a boat for a week?", "--title", "A boat", "--to", "Ana",
                 "--hops", "2")
        until(lambda: ana.ok("ask", "list")["asks"])
        ask = ana.ok("ask", "list")["asks"][0]["id"]
        ana.ok("ask", "pass", ask, "--to", "Carla", "--note", "Bruno sails well")
        ana.ok("ask", "reply", ask, "--text", "Mine, in June.", "--kind", "offer-help")
        ana.ok("ask", "dismiss", ask)


    def be_introduced(self, ana, bruno, dora):
        link(bruno, dora)
        bruno.ok("introduce", "Ana", "Dora", "--why", "You both sing.", "--first", "both")
        until(lambda: any(row["state"] == "offered" for row in
                          ana.ok("intro", "list")["introductions"]), what="not offered")
        ana.ok("intro", "accept", "Dora")


def every_object_is_as_the_table_says(place):
    """KIND-1, KIND-3, EDIT-4: its space, its fields, their types and bounds, and its id."""
    table, seen = kinds(), set()
    home = Life(place, "Bruno")
    carla = place.member("Carla").start()
    bruno = home.friends[0]
    home.session.bye()
    for live in (home.meet, home.speak, home.ask):
        live(home.ana, bruno, carla)
    home.be_introduced(home.ana, bruno, place.member("Dora").start())
    home.admit()
    own, node = home.own, home.node
    for space, objects in node.objects.items():
        for (number, object_id), one in objects.items():
            kind = table[number]
            seen.add(number)
            assert SPACES[own.spaces[space]] in kind.spaces, (kind.name, own.spaces[space])
            for field, register in one.registers.items():
                assert kind.fits(field, register[4], False), (kind.name, field, register[4])
            for field, value in one.adds.values():
                assert kind.fits(field, value, True), (kind.name, field, value)
            may = ids(number, one, own, space)
            assert may is None or object_id in may, (kind.name, object_id.hex())
            assert number != 81 or seeds_fit(one)
            assert number != 72 or introduction_key_fits(one, own.me.member)
    assert 72 in seen, "it never said yes to an introduction"
    assert len(set(table) - seen) < 6, f"never seen: {set(table) - seen}"


def what_one_device_decides_the_other_does(place):
    """KIND-3 (kept, ask, passed), ENDORSE-7, REPLY-4: it accepts what Bruno wrote and posts an ask;
    Ana's node shows the one, and opens what comes back to the other."""
    home = Household(place, "Bruno")
    node, own, ana, (bruno,) = home.node, home.own, home.ana, home.friends
    endorsed(bruno, ana, None)
    home.session.until(lambda: own.objects(KEPT))
    key = next(key for key in node.objects[own.space] if key[0] == KEPT)
    node.write(own.space, *key, {}, adds=[(20, "peers")])
    home.told()
    given = lambda: bruno.ok("endorsement", "list", "--given")["endorsements"][0]
    until(lambda: given().get("shown_to") == "peers", what="Ana does not show it")
    ask = second_ask.Ask(node, "Looking for work", "I would love to stay with wood.")
    node.write(own.space, ASK, ask.hash[:16], {1: ask.body, 2: ask.secret, 3: ask.reply,
                                               4: ask.author})
    peer = home.peer("Bruno")
    grant = ask.pass_to(node, peer, "Do you know a workshop?")
    node.write(own.space, PASSED, about("kith passed", grant), {
        1: ask.hash[:16], 2: peer.member, 3: grant, 6: "Do you know a workshop?", 7: now_ms()})
    home.told()
    until(lambda: bruno.ok("ask", "list")["asks"])
    assert [row["title"] for row in ana.ok("ask", "list", "--mine")["asks"]] == ["Looking for work"]
    bruno.ok("ask", "reply", ask.hash[:16].hex(), "--text", "My brother has one.", "--kind", "lead")
    until(ana.leads, what="Ana has no lead")
    assert ana.leads()[0]["text"] == "My brother has one.", ana.leads()
    home.session.until(lambda: own.objects(LEAD))
    heard = ask.read_reply(node.said(peer, second_ask.KIND_REPLY)[0].value(1))
    assert heard[0] == grant and heard[2] == "My brother has one."


if __name__ == "__main__":
    run(globals())
