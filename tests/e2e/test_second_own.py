"""The second node (second_*.py) as a device of a member who has a real one, too: it is admitted by
that one, or admits it. Written from PROTOCOL.md alone, as test_second.py is."""
import os
import subprocess

from kithtest import link, run, until
from second_epoch import Book
from second_fork import GIVEN_UP, STOLEN
from second_handshake import Closed
from second_keys import about, digest, kdf, u16
from second_member import Further, Identity, Welcome, read_addresses
from second_node import KIND_CARD, NOBODY, Node
from second_own import KIND_CONTACT, Own, Sibling
from second_pack import unpack
from second_session import BATCH, FACTS, WANT, Ended
from test_second import can_read, need_sodium

KIND_REACH = 32
CARD_KEY = KIND_CARD, NOBODY
DEVICE = os.environ["KITH_DEVICE_BINARY"]


def tool(*arguments, given=b""):
    done = subprocess.run([DEVICE, *arguments], input=given, capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def sized(data):
    """As the tool wants it."""
    return u16(len(data)) + data


class Household:
    """Ana's real node, with peers, and the second node as her other device."""

    def __init__(self, place, *peers):
        need_sodium()
        self.ana = place.member("Ana").start()
        self.friends = [place.member(name).start() for name in peers]
        for friend in self.friends:
            link(self.ana, friend)
        self.ana.ok("contact", "add", "Clara Campos", "--email", "clara@example.org")
        self.admit()

    def admit(self):
        """A second node that Ana's has admitted, in a session with it."""
        self.ana.stop()
        me = Further()
        told = Welcome.read(tool("--admit", self.ana.home, given=sized(me.ask()))[2:])
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
        self.own.reread()

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
    home.session.until(
        lambda: node.objects[node.me.card][CARD_KEY].value(2) == "From the first")


def it_calls_peers_and_is_called(place):
    """HANDSHAKE-9, FACT-1, OWN-2, OWN-3, OWN-10: by a peer that never heard of it, and by Ana."""
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
    for by_card in (False, True):  # OWN-10: another place, told in the card space alone.
        if by_card:
            node.listener.close()
            node.open_door()
            node.write(node.me.card, KIND_REACH, about("kith device", node.me.device),
                       {1: node.addresses})
            node.commit()
            session.give()
            session.until(session.is_settled)
            session.bye()
        else:
            home.session.bye()
        ana.stop()
        home.start()
        session = node.listen(home.sibling)
        session.until(session.is_settled, what="Ana calls and is not in step")


def whom_one_device_removes_no_device_writes_for(place):
    """EPOCH-6, EPOCH-9, SELF-1, SELF-4, KNOCK-6, P5: removed by it, then by Ana."""
    home = Household(place, "Bruno", "Carla", "Dario")
    node, own, ana, (bruno, carla, dario) = home.node, home.own, home.ana, home.friends
    card = node.me.card
    gone = home.peer("Bruno"), home.peer("Carla")
    own.remove(gone[0])
    home.told()
    until(lambda: {row["name"] for row in ana.peers()} == {"Carla", "Dario"},
          what="not removed")
    ana.ok("me", "edit", "--title", "After Bruno")
    for friend in (carla, dario):
        until(lambda friend=friend: friend.card_of("Ana").get("title") == "After Bruno")
    home.session.until(lambda: node.objects[card][CARD_KEY].value(3) == "After Bruno")
    home.session.until(home.session.is_settled)
    theirs = node.books[(card, home.sibling.speaker)]
    assert gone[0].member not in own.split_readers(theirs.named[-1])
    assert bruno.card_of("Ana").get("title") is None
    ana.ok("peer", "remove", "Carla")
    home.session.until(lambda: [one.name for one in own.peers.values()] == ["Dario"])
    home.session.until(lambda: gone[1].member not in own.split_readers(theirs.named[-1]),
                       what="Ana opened no epoch")
    node.write_card(title="After Carla")
    assert node.current(card).id == theirs.named[-1], "it writes under another epoch"
    home.told()
    until(lambda: dario.card_of("Ana").get("title") == "After Carla")
    assert carla.card_of("Ana")["title"] == "After Bruno"
    home.session.bye()
    home.session = node.dial(home.sibling, node.me.identity.data)
    home.session.until(lambda: home.session.marks_heard)
    assert home.session.in_step, "the two do not share the same"


def a_link_of_one_device_is_the_others(place):
    """OWN-8, OWN-9, OWN-11, SELF-2, SELF-3, EPOCH-4, EPOCH-5: it accepts Carla's invitation; Ana's
    node calls her by what stands in self, and the other way."""
    home = Household(place, "Bruno")
    node, own, ana = home.node, home.own, home.ana
    ana.ok("me", "edit", "--title", "Carpenter")
    home.session.until(lambda: node.objects[node.me.card][CARD_KEY].value(3) == "Carpenter")
    carla = place.member("Carla").start()
    session = node.accept(carla.ok("peer", "invite", "Ana")["uri"])
    session.until(session.is_settled)
    session.until(lambda: node.card_of(session.peer))
    until(lambda: carla.card_of("Ana").get("title") == "Carpenter")
    own.write_link(session.peer)
    own.keep_keys(session.peer)
    home.told()
    session.bye()
    until(lambda: {row["name"]: row["state"] for row in ana.peers()}.get("Carla") == "online",
          what="Ana does not reach Carla")
    until(lambda: ana.card_of("Carla").get("name") == "Carla", what="Ana reads no card of Carla")
    ana.ok("me", "edit", "--title", "Joiner")
    until(lambda: carla.card_of("Ana").get("title") == "Joiner")
    carla.ok("me", "edit", "--title", "Baker")
    until(lambda: ana.card_of("Carla").get("title") == "Baker")
    until(lambda: all(row["in_step"] for row in ana.peers()))


def one_circle_has_one_id(place):
    """KIND-3, FOLD-1: whichever device makes it, however its name is spelt."""
    home = Household(place)
    own, ana = home.own, home.ana
    clara = own.contact("Clara Campos")
    own.add_to_circle("  CHŒUR d'Été\t\u1e9e \ufb01 Ⅳ ＡＢ Ørsted\u00ad ", clara.hex())
    home.told()
    ana.ok("circle", "create", "Chœur d\u2019e\u0301te\u0301 ss fi IV AB ørsted")
    circles = ana.ok("circle", "list")["circles"]
    assert len(circles) == 1 and len(circles[0]["members"]) == 1, circles


def what_is_forgotten_is_gone_on_every_device(place):
    """FORGET-1, FORGET-2, ENTRY-1, ABSENT-1 to ABSENT-3: by Ana, then by it; who comes later gets
    headers, and nobody asks for what they leave out."""
    home = Household(place)
    node, own, ana = home.node, home.own, home.ana
    ana.ok("contact", "remove", "Clara Campos", "--forget")
    home.session.until(lambda: "Clara Campos" not in own.contacts(), what="Clara is still there")
    ana.ok("contact", "add", "Dora Dias", "--email", "dora@example.org")
    ana.ok("contact", "add", "Eva", "--email", "eva@example.org")
    home.session.until(lambda: "Eva" in own.contacts())
    dora = own.contact("Dora Dias")
    node.write(own.space, KIND_CONTACT, dora, {5: "This device was there, too."})
    home.told()
    node.forget(own.space, KIND_CONTACT, dora)
    named = own.drop_forgotten()
    assert {home.sibling.speaker, node.me.device} == {device for device, _ in named}
    home.told()
    until(lambda: home.contacts() == ["Eva"], what="Ana shows what is forgotten")
    assert WANT not in home.session.counts
    home.session.bye()
    home.admit()
    assert list(home.own.contacts()) == ["Eva"]
    absent = {(book.log.device, seq) for book in home.node.books_of(own.space)
              for seq in range(1, book.log.size() + 1) if book.log.entry(seq).payload is None}
    assert absent == named and WANT not in home.session.counts, (absent, named)
    ana.stop()
    assert ana.ok("doctor")["healthy"]


class Guest:
    """The second node with a peer, and a real node as the other device that it has admitted."""

    def __init__(self, place):
        need_sodium()
        self.ana = place.member("Ana").start()
        self.node = node = Node("Second")
        self.own = Own.begin(node)
        node.write_card(name="Second")
        self.own.add_contact("Clara Campos", "clara@example.org")
        session = node.accept(self.ana.ok("peer", "invite", "Second")["uri"])
        session.until(session.is_settled)
        self.peer = session.peer
        self.own.write_link(self.peer)
        node.commit()
        session.bye()
        node.open_door()
        self.lap = place.beside(self.ana, "lap")
        ask, said = join(self.lap.home, lambda ask: self.own.admit(ask).wire())
        assert not said, said
        self.device = unpack(ask)[1]
        self.lap.start()
        self.session = node.listen(Sibling(self.own, self.device))
        self.session.until(self.session.is_settled, what="not in step")
        until(lambda: self.lap.call("contact", "add", "Dora Dias", "--email",
                                    "dora@example.org")[0] == 0, what="it may not write")
        until(lambda: [row["state"] for row in self.lap.peers()] == ["online"],
              what="Ana is not reached")
        self.own.reread()


def join(home, welcome):
    """A real device asks, is told what welcome() makes of it, and says what is wrong with it."""
    with subprocess.Popen([DEVICE, "--join", home], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as joining:
        ask = joining.stdout.read(int.from_bytes(joining.stdout.read(2), "big"))
        _, said = joining.communicate(sized(welcome(ask)), timeout=60)
        assert (joining.returncode == 0) == (not said), said
        return ask, said.decode()


def a_welcome_that_does_not_fit_is_refused(place):
    """WELCOME-1 to WELCOME-4: for other keys, by another member's device, of a newer form, with
    more behind it or less in it."""
    need_sodium()
    own, stranger, device = Own.begin(Node("Second")), Node("Stranger"), Further()

    def others(told):
        told.identity = own.admit(device.ask()).identity

    def hosted(told):
        told.host = stranger.me.identity.data

    def longer(told):
        told.addresses = bytes([4, 127, 0, 0, 1, 0, 1]) * 5

    homes = (os.path.join(place.path, f"lap{number}") for number in range(9))
    for change, why in ((others, "does not fit"), (hosted, "does not fit"), (longer, "break")):
        def changed(ask, change=change):
            told = own.admit(ask)
            change(told)
            return told.wire()
        assert why in join(next(homes), changed)[1], change
    for cut, why in ((lambda data: data[:1] + b"\x02" + data[2:], "newer version"),
                     (lambda data: data + b"\xc0", "break"), (lambda data: data[:-1], "break")):
        assert why in join(next(homes), lambda ask, cut=cut: cut(own.admit(ask).wire()))[1], why


def a_real_device_is_admitted_by_it(place):
    """OWN-1, OWN-6, OWN-9, OWN-11, EPOCH-8: the second node is there first, and linked."""
    guest = Guest(place)
    own, session, lap, ana = guest.own, guest.session, guest.lap, guest.ana
    names = [row["name"] for row in lap.ok("contact", "list")["contacts"]]
    assert sorted(names) == ["Clara Campos", "Dora Dias"], names
    assert lap.ok("me", "show")["name"] == "Second"
    session.until(lambda: own.contacts().get("Dora Dias") == ["dora@example.org"])
    lap.ok("me", "edit", "--org", "From the lap")
    until(lambda: ana.card_of("Second").get("org") == "From the lap")
    ana.ok("me", "edit", "--title", "Baker")
    session.until(lambda: guest.node.card_of(guest.peer).value(3) == "Baker", what="not by the lap")
    session.until(session.is_settled)
    session.bye()
    lap.stop()
    assert lap.ok("doctor")["healthy"]


def a_real_device_is_given_up_by_it(place):
    """RETIRE-1, RETIRE-2, STOLEN-5 to STOLEN-8, FACT-1, P5: the peer tells it, its owner hears."""
    guest = Guest(place)
    node, own, lap, ana = guest.node, guest.own, guest.lap, guest.ana
    lap.ok("me", "edit", "--org", "From the lap")
    guest.session.until(lambda: node.objects[node.me.card][CARD_KEY].value(2) == "From the lap")
    guest.session.until(guest.session.is_settled)
    guest.session.bye()
    own.shut_out(guest.device, GIVEN_UP)
    node.write_card(title="Without the lap")
    node.commit()
    session = node.dial(guest.peer)
    session.until(session.is_settled)
    until(lambda: ana.card_of("Second").get("title") == "Without the lap")
    assert ana.card_of("Second")["org"] == "From the lap"
    until(lambda: lap.ok("status").get("shut_out") == "given up", what="it does not hear of it")
    assert lap.call("contact", "add", "Too Late")[0] == 5
    assert lap.ok("me", "show").get("title") is None, "it reads what is new"


def shut_out(reason, place):
    """Two of Ana's devices are second nodes; one, that wrote to Bruno beyond her mark, goes."""
    home = Household(place, "Bruno")
    node, ana, (bruno,) = home.node, home.ana, home.friends
    node.write_card(title="Before")
    home.told()
    until(lambda: bruno.card_of("Ana").get("title") == "Before")
    home.session.bye()
    gone = node, home.sibling, home.peer("Bruno")
    home.admit()
    home.session.bye()
    ana.stop()
    session = node.dial(gone[2], node.me.identity.data)
    node.write_card(place="Beyond")
    node.commit()
    session.until(session.is_settled)
    until(lambda: bruno.card_of("Ana").get("place") == "Beyond")
    session.bye()
    tool("--shut-out", ana.home, str(reason), given=node.me.device)
    home.start()
    home.call()
    heard = list(home.session.counts)
    assert heard.index(FACTS) < heard.index(BATCH), "what is shut out is told first"
    assert home.own.retired == {node.me.device: reason}, home.own.retired
    ana.ok("contact", "add", "Eva")
    ana.ok("me", "edit", "--title", "Afterwards")
    until(lambda: bruno.card_of("Ana").get("title") == "Afterwards")
    home.session.until(lambda: "Eva" in home.own.contacts() and
                       home.node.objects[node.me.card][CARD_KEY].value(3) == "Afterwards")
    for (space, device), book in home.node.books.items():
        if device == home.sibling.speaker:
            node.books[(space, device)] = Book(book.log, node.keys)
    node.own.reread()
    for space in (node.own.space, node.me.card):
        theirs = home.node.books[(space, home.sibling.speaker)]
        assert theirs.log.size() in can_read(home.node, theirs)
        assert theirs.log.size() not in can_read(node, theirs), "it reads what is new"
    return home, gone


def is_ended(session):
    try:
        session.hear(0.2)
    except (Closed, Ended):
        return True
    return False


def no_answer(node, door, content):
    try:
        session = node.dial(door, content)
        raise AssertionError(f"it heard {session.hear(5)}, {session.counts}")
    except Closed:
        pass


def a_device_of_its_own_is_given_up(place):
    """OWN-4, STOLEN-1, STOLEN-5, STOLEN-6, STOLEN-8, RETURN-2, RETURN-9, FACT-1, P5: what it wrote
    last comes back, by Bruno; he tells it, and its own member answers no more."""
    home, (node, sibling, peer) = shut_out(GIVEN_UP, place)
    until(lambda: home.ana.ok("me", "show").get("place") == "Beyond", what="it did not come back")
    no_answer(node, sibling, node.me.identity.data)
    session = node.dial(peer, node.me.identity.data)
    session.until(lambda: node.forks.ends, what="it was not told")
    assert node.forks.ends == {node.me.device: [b"", GIVEN_UP]}
    node.write_card(title="Too late")
    node.commit()
    session.give()
    session.hear(1)
    assert not session.is_acked() and home.friends[0].card_of("Ana")["title"] == "Afterwards"


def a_device_of_its_own_is_stolen(place):
    """OWN-4, OWN-12, STOLEN-1, STOLEN-3, STOLEN-5, STOLEN-6, STOLEN-8, FACT-1, P5: what it wrote
    last says nothing, and nobody answers, however it knocks; the other still is heard so."""
    home, (node, sibling, peer) = shut_out(STOLEN, place)
    until(lambda: home.friends[0].card_of("Ana").get("place") is None, what="it still counts")
    for knock in (None, node.own.knock_between(), node.own.knock_with(sibling.static)):
        sibling.knock = knock
        no_answer(node, sibling, node.me.identity.data)
    no_answer(node, peer, node.me.identity.data)
    assert home.ana.ok("me", "show").get("place") is None
    home.session.bye()
    home.sibling.knock = home.own.knock_with(home.sibling.static)
    home.call()
    assert home.session.in_step


if __name__ == "__main__":
    run(globals())
