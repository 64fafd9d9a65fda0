"""The network space that the second node (second_*.py) writes itself, and real nodes read."""
from kithtest import run, until
from second_endorsement import KIND_ENDORSEMENT, endorse
from second_node import Node
from second_own import Own
from test_second import can_read, need_sodium


def quoted(reader, member):
    rows = reader.ok("endorsement", "list", "--of", member)["endorsements"]
    return sorted((row["words"], row["via"]["name"]) for row in rows if row["verified"])


class Quoting:
    """The second node with Ana, whom it quotes, and with readers."""

    def __init__(self, place, *readers):
        need_sodium()
        self.node = node = Node("Second")
        self.own = Own.begin(node)
        node.write_card(name="Second")
        self.ana = place.member("Ana").start()
        self.readers = [place.member(name).start() for name in readers]
        self.sessions = {}
        for one in (self.ana, *self.readers):
            self.link(one)
        self.member = self.ana.identity["member"]

    def link(self, one):
        session = self.node.accept(one.ok("peer", "invite", "Second")["uri"])
        session.until(session.is_settled)
        self.own.write_link(session.peer)
        self.sessions[one.name] = session
        return one

    def told(self, *names):
        self.node.commit()
        for name in names or self.sessions:
            self.sessions[name].give()
            self.sessions[name].until(self.sessions[name].is_settled, what=f"{name} is behind")

    def meet(self, name):
        """A new session: what is shared is compared anew."""
        self.node.commit()
        self.sessions[name].bye()
        self.sessions[name] = self.node.dial(self.sessions[name].peer)
        self.sessions[name].until(lambda: self.sessions[name].marks_heard)
        self.told(name)

    def shown(self, words):
        """Ana shows to the network what the second node wrote of her; as it stands in her card."""
        session, ana = self.sessions["Ana"], self.ana
        endorsement = endorse(self.node, session.peer, words)
        self.told("Ana")
        pending = lambda: ana.ok("endorsement", "list", "--pending")["endorsements"]
        until(pending)
        ana.ok("endorsement", "accept", pending()[0]["id"], "--to", "network")
        there = lambda: [one for (kind, _), one in
                         self.node.objects[session.peer.card_in].items()
                         if kind == KIND_ENDORSEMENT and one.value(1) == endorsement]
        session.until(there, what="Ana does not show it")
        return there()[0]


def what_it_quotes_is_read_while_it_is_on(place):
    """NETWORK-1 to NETWORK-3, QUOTE-1, QUOTE-2, OWN-11, EPOCH-5, EPOCH-9: turned on, off and on
    again; who is let out reads nothing more."""
    home = Quoting(place, "Bruno", "Carla")
    own, (bruno, carla) = home.own, home.readers
    first, second = home.shown("Reads what is written."), home.shown("And no more than that.")
    third = home.shown("Says when the text is wrong.")
    own.turn_network(True)
    own.quote(first)
    home.told()
    one, two, three = [(words, "Second") for words in (
        "Reads what is written.", "And no more than that.", "Says when the text is wrong.")]
    for reader in (bruno, carla):
        until(lambda reader=reader: quoted(reader, home.member) == [one], what="not quoted")
    own.turn_network(False)
    own.quote(second)
    home.meet("Bruno")
    home.meet("Carla")
    assert quoted(bruno, home.member) == [one], "what is off is shared"
    own.turn_network(True)
    home.meet("Bruno")
    home.meet("Carla")
    for reader in (bruno, carla):
        until(lambda reader=reader: quoted(reader, home.member) == sorted([one, two]))
    own.let_out(home.sessions["Carla"].peer)
    own.quote(third)
    home.told()
    until(lambda: quoted(bruno, home.member) == sorted([one, two, three]))
    assert quoted(carla, home.member) == sorted([one, two]), "who was let out reads what is new"
    log = home.node.book(own.network(), home.node.me.device).log
    assert log.size() in can_read(home.node, home.node.book(own.network(), home.node.me.device))
    assert home.sessions["Bruno"].theirs[(own.network(), log.device)] == log.size()


if __name__ == "__main__":
    run(globals())
