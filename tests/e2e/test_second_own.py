"""The second node (second_*.py) as a device of a member who has a real one, too: it is admitted by
that one, or admits it. Written from PROTOCOL.md alone, as test_second.py is."""
import os
import subprocess

from kithtest import link, run, until
from second_keys import digest, kdf
from second_member import Further, Identity, Welcome, read_addresses
from second_node import Node
from second_own import Own, Sibling
from test_second import need_sodium

DEVICE = os.environ["KITH_DEVICE_BINARY"]


def tool(*arguments, given=b""):
    done = subprocess.run([DEVICE, *arguments], input=given, capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Household:
    """Ana's real node, with peers, and the second node as her other device."""

    def __init__(self, place, *peers):
        need_sodium()
        self.ana = place.member("Ana").start()
        self.friends = [place.member(name).start() for name in peers]
        for friend in self.friends:
            link(self.ana, friend)
        self.ana.ok("contact", "add", "Clara Campos", "--email", "clara@example.org")
        self.ana.stop()
        me = Further()
        told = Welcome.read(tool("--admit", self.ana.home, given=me.ask()))
        me.welcomed(told)
        self.node = Node(me)
        self.own = Own(self.node, told.space, told.secret)
        host = Identity(told.host)
        self.own.hear_facts([one.statement for one in host.chain])
        self.sibling = Sibling(self.own, host.last.device, read_addresses(told.addresses)[0])
        self.start()
        self.call()

    def start(self):
        host, port = self.sibling.address
        self.ana.start(f"{host}:{port}")

    def call(self):
        self.session = self.node.dial(self.sibling, self.node.me.identity.data)
        self.settle()

    def settle(self):
        self.session.until(self.session.is_settled, what="not in step")

    def told(self):
        self.node.commit()
        self.session.give()
        self.settle()

    def peer(self, name):
        return next(one for one in self.own.peers.values() if one.name == name)

    def contacts(self):
        return sorted(row["name"] for row in self.ana.ok("contact", "list")["contacts"])


def an_admitted_device_shares_everything(place):
    """OWN-1, OWN-3, OWN-5 to OWN-8, EPOCH-3: it reads what is there, all read what it writes."""
    home = Household(place, "Bruno")
    node, own, ana, (bruno,) = home.node, home.own, home.ana, home.friends
    assert own.contacts()["Clara Campos"] == ["clara@example.org"], own.contacts()
    epochs = [one for one in node.keys.epochs.values() if one.id in own.readers]
    assert len({one.space for one in epochs}) == 3, "not of self, card and pair space"
    for one in epochs:
        assert digest("kith readers", own.readers[one.id]) == one.readers
        assert own.split_readers(one.id) <= own.audience(one.space)
    first = min(one.id for one in epochs if one.depth == 1 and one.space == own.space)
    assert kdf(node.keys.keys[first], "kith sibling") == own.secret
    own.add_contact("Dora Dias", "dora@example.org")
    node.write_card(org="From the second")
    home.told()
    until(lambda: "Dora Dias" in home.contacts())
    until(lambda: bruno.card_of("Ana").get("org") == "From the second")
    ana.ok("me", "edit", "--org", "From the first")
    card = lambda: node.objects[node.me.card][(30, bytes(16))]
    home.session.until(lambda: card().value(2) == "From the first")


def it_calls_peers_and_is_called(place):
    """HANDSHAKE-9, FACT-1, OWN-2, OWN-3: a peer that never heard of it, and its own member."""
    home = Household(place, "Bruno")
    node, ana, (bruno,) = home.node, home.ana, home.friends
    peer = home.peer("Bruno")
    ana.stop()
    session = node.dial(peer, node.me.identity.data)
    session.until(session.is_settled)
    node.write_card(org="Directly")
    node.commit()
    session.give()
    until(lambda: bruno.card_of("Ana").get("org") == "Directly")
    bruno.ok("me", "edit", "--title", "Baker")
    session.until(lambda: node.card_of(peer).value(3) == "Baker")
    session.bye()
    node.open_door()
    home.start()
    home.call()  # Where it is reached stands in its hello.
    assert ana.ok("me", "show")["org"] == "Directly" and ana.card_of("Bruno")["title"] == "Baker"
    home.session.bye()
    ana.stop()
    home.start()
    session = node.listen(home.sibling)
    session.until(session.is_settled, what="Ana calls and is not in step")


def a_real_device_is_admitted_by_it(place):
    """OWN-1, OWN-6, OWN-9, OWN-11, EPOCH-8: the second node is there first, and linked."""
    need_sodium()
    ana = place.member("Ana").start()
    node = Node("Second")
    own = Own.begin(node)
    node.write_card(name="Second")
    own.add_contact("Clara Campos", "clara@example.org")
    session = node.accept(ana.ok("peer", "invite", "Second")["uri"])
    session.until(session.is_settled)
    peer = session.peer
    own.write_link(peer)
    node.commit()
    session.bye()
    node.open_door()
    lap = place.beside(ana, "lap")
    with subprocess.Popen([DEVICE, "--join", lap.home], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as joining:
        ask = joining.stdout.read(96)
        joining.communicate(own.admit(ask).wire(), timeout=60)
        assert joining.returncode == 0
    lap.start()
    session = node.listen(Sibling(own, ask[:32]))
    session.until(session.is_settled, what="not in step")
    assert [row["name"] for row in lap.ok("contact", "list")["contacts"]] == ["Clara Campos"]
    assert lap.ok("me", "show")["name"] == "Second"
    until(lambda: lap.call("contact", "add", "Dora Dias", "--email", "dora@example.org")[0] == 0,
          what="it may not write")
    session.until(lambda: own.contacts().get("Dora Dias") == ["dora@example.org"])
    until(lambda: [row["state"] for row in lap.peers()] == ["online"], what="Ana is not reached")
    lap.ok("me", "edit", "--org", "From the lap")
    until(lambda: ana.card_of("Second").get("org") == "From the lap")
    ana.ok("me", "edit", "--title", "Baker")
    session.until(lambda: node.card_of(peer).value(3) == "Baker", what="not by the lap")
    session.until(session.is_settled)
    session.bye()
    lap.stop()
    assert lap.ok("doctor")["healthy"]


if __name__ == "__main__":
    run(globals())
