"""Whom one can trust, as the second node (second_*.py) reads PROTOCOL.md, and as kith says."""
import os
import random
import struct
import subprocess
import time

from kithtest import link, run, until
from second_keys import about
from second_own import COMPARED, KIND_LINK
from second_trust import CLOSE, GOOD, KNOWN, MET, Flow, Vouch, left
from test_second_own import Household

FLOW = os.environ["KITH_FLOW_BINARY"]
TODAY = 20000


class Town:
    """A network of people with few names and many words."""

    def __init__(self, seed):
        draw = random.Random(seed)
        self.people = draw.randrange(4, 60)
        self.vouches = [
            Vouch(*draw.sample(range(self.people), 2), TODAY - draw.choice([
                draw.randrange(40), draw.randrange(1500), draw.randrange(20000), -3]),
                draw.randrange(1, 9), draw.randrange(1, 4))
            for _ in range(draw.randrange(1, 6 * self.people))]
        self.friends = {one: draw.choice([CLOSE, GOOD, KNOWN, MET, 0]) for one in
                        sorted(draw.sample(range(self.people), draw.randrange(1, 5)))}
        self.words = [(issuer, left(draw.randrange(1500)))
                      for issuer in draw.sample(range(self.people), draw.randrange(self.people))]

    def told(self):
        """What kith_flow reckons of it: [(hop, amount, {friend: amount})], and of the claim."""
        numbers = [self.people, len(self.vouches), len(self.friends), len(self.words), TODAY]
        for one in self.vouches:
            numbers += [one.issuer, one.subject, one.day, one.relation, one.tag]
        for pair in [*self.friends.items(), *self.words]:
            numbers += pair
        done = subprocess.run([FLOW], input=struct.pack(f">{len(numbers)}I", *numbers),
                              capture_output=True, timeout=60, check=True).stdout
        answer = iter(struct.unpack(f">{len(done) // 4}I", done))
        friends, rows = list(self.friends), []
        for _ in range(self.people):
            hop, amount = next(answer), next(answer)
            rows.append((hop, amount, {friends[next(answer)]: next(answer)
                                       for _ in range(next(answer))}))
        return rows, next(answer)


def amounts_are_those_of_the_rules(place):
    """TRUST-2 to TRUST-7, number for number, in a hundred networks."""
    for seed in range(100):
        town = Town(seed)
        flow = Flow(town.vouches, town.friends, TODAY)
        rows, carried = town.told()
        for person, row in enumerate(rows):
            branches = {one: amount for one, amount in flow.branches.get(person, {}).items()
                        if amount}
            mine = flow.layer_of(person), flow.amounts.get(person, 0), branches
            assert row == mine, (seed, person, row, mine)
        assert carried == flow.carried(town.words, sorted(town.friends)), (seed, carried)


def endorse(issuer, subject, relation, words="Calm, exact and kind; we worked together for years."):
    sent = issuer.ok("endorse", subject.name, "--about", "carpentry", "--relation", relation,
                     "--words", words, "--ceiling", "network")
    until(lambda: any(row["id"] == sent["id"] for row in
                      subject.ok("endorsement", "list", "--pending")["endorsements"]))
    subject.ok("endorsement", "accept", sent["id"], "--to", "peers")


def order_of(home, near, vouches):
    """TRUST-5, TRUST-6: the friends through whom Dana is stood for, the strongest first."""
    flow = Flow([Vouch(issuer, "Dana", day_of(time.time()), relation, 1)
                 for issuer, relation in vouches], {**near, "Dana": KNOWN}, day_of(time.time()))
    came = {issuer: flow.branches[issuer][issuer] for issuer, _ in vouches
            if flow.layer_of(issuer)}
    names = [row["through"]["name"] for row in home.ana.ok("trust", "Dana")["branches"]]
    assert set(names) == set(came), names
    assert [came[one] for one in names] == sorted(came.values(), reverse=True), names
    return len(names)


def day_of(seconds):
    return int(seconds) // 86400


def closeness_and_levels_hold_on_all_devices(place):
    """KIND-3 (link, closeness), TRUST-2, TRUST-5: what either device says, both go by."""
    home = Household(place, "Ben", "Cara", "Dana")
    own, node, ana, (ben, cara, dana) = home.own, home.node, home.ana, home.friends
    link(ben, dana)
    link(cara, dana)
    endorse(ben, dana, "worked-with")
    endorse(cara, dana, "know-personally")
    until(lambda: len(ana.ok("endorsement", "list", "--of", "Dana")["endorsements"]) == 2)
    vouches = [("Ben", 1), ("Cara", 8)]
    assert order_of(home, {"Ben": KNOWN, "Cara": KNOWN}, vouches) == 2
    cara_said = home.peer("Cara")
    node.write(own.space, KIND_LINK, about("kith link", cara_said.member), {3: COMPARED})
    home.told()
    levels = {"Cara": "compared", "Ben": "invited", "Dana": "invited"}
    until(lambda: {row["name"]: row["level"] for row in ana.peers()} == levels)
    order_of(home, {"Ben": KNOWN, "Cara": GOOD}, vouches)
    own.say_near(home.peer("Ben").member, 4)  # met
    home.told()
    until(lambda: ana.ok("trust", "Ben")["closeness"] == "met")
    order_of(home, {"Ben": MET, "Cara": GOOD}, vouches)
    ana.ok("contact", "closeness", "Cara", "muted")
    home.session.until(lambda: own.near(cara_said.member) == 5)
    assert order_of(home, {"Ben": MET, "Cara": 0}, vouches) == 1
    ana.ok("peer", "compared", "Ben")
    key = KIND_LINK, about("kith link", home.peer("Ben").member)
    home.session.until(lambda: node.objects[own.space][key].value(3) == COMPARED)


if __name__ == "__main__":
    run(globals())
