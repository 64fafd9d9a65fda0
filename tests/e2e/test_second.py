"""A second node, written from PROTOCOL.md alone: it shares no code with the first, and meets a real
node on loopback. Where the text and the code part, this fails. second_*.py is that node."""
import second_ask
from kithtest import Skip, run, until
from second_keys import SODIUM, did
from second_node import Node


class Meeting:
    """Ana's node, and the second one."""

    def __init__(self, place, title=""):
        if SODIUM is None:
            raise Skip("libsodium.so cannot be loaded by ctypes")
        self.ana = place.member("Ana")
        self.ana.ok("me", "edit", "--title", "Translator", "--email", "ana@example.org")
        self.ana.start("127.0.0.1:0")
        self.node = Node("Second")
        self.node.write_card(name="Second", title=title)
        self.session = self.node.accept(self.ana.ok("peer", "invite", "Second")["uri"])
        self.peer = self.session.peer
        self.settle()

    def settle(self):
        """Each holds all of the other's."""
        self.session.until(self.session.is_settled, what="not in step")

    def meet(self):
        """A new session, under the link's secret."""
        self.session.bye()
        self.session = self.node.dial(self.peer)
        self.session.until(lambda: self.session.counts.get(1), what="no hello")

    def card(self, field):
        card = self.node.card_of(self.peer)
        return card and card.value(field)

    def told(self):
        """Ana's card has come to this text in this field."""
        self.node.commit()
        self.session.give()
        self.settle()

    def row(self):
        return self.ana.peers()[0]


def an_invitation_makes_a_link(place):
    """INVITE, KNOCK, HANDSHAKE, LINK, SYNC: from its text to two cards."""
    meeting = Meeting(place, "Second hand")
    row = meeting.row()
    assert row["name"] == "Second" and row["state"] == "online" and row["in_step"], row
    assert row["member"] == did(meeting.node.me.member), row
    card = meeting.ana.card_of("Second")
    assert card["title"] == "Second hand", card
    assert meeting.card(1) == "Ana" and meeting.card(3) == "Translator"
    assert meeting.node.card_of(meeting.peer).values(20) == ["ana@example.org"]
    assert did(meeting.peer.member) == meeting.ana.identity["member"]


def who_meets_again_says_two_digests(place):
    """KNOCK-4, HANDSHAKE-4, SYNC-2, SYNC-3: and nothing else."""
    meeting = Meeting(place)
    meeting.meet()
    meeting.session.hear(0.5)
    assert meeting.session.in_step and meeting.session.counts == {1: 1}, meeting.session.counts
    until(lambda: meeting.row()["state"] == "online" and meeting.row()["in_step"])


def what_was_written_apart_goes_both_ways(place):
    """SYNC-6, SYNC-13, MERGE-1: offline, then live."""
    meeting = Meeting(place, "At home")
    meeting.session.bye()
    meeting.ana.ok("me", "edit", "--title", "Interpreter")
    meeting.node.write_card(title="On the way")
    meeting.node.commit()
    meeting.meet()
    meeting.settle()
    assert meeting.card(3) == "Interpreter"
    assert meeting.ana.card_of("Second")["title"] == "On the way"
    meeting.ana.ok("me", "edit", "--title", "Poet")
    meeting.session.until(lambda: meeting.card(3) == "Poet")
    meeting.node.write_card(title="Arrived", place="Braga")
    meeting.told()
    until(lambda: meeting.ana.card_of("Second").get("title") == "Arrived")


def many_entries_cross_blocks(place):
    """LOG-3, BATCH-3, SYNC-9: three blocks of a log, within the credit."""
    meeting = Meeting(place)
    for number in range(700):
        meeting.node.write_card(title=f"Edit {number}", place="x" * 900)
    meeting.told()
    until(lambda: meeting.ana.card_of("Second").get("title") == "Edit 699")


def a_contact_is_shared_and_an_ask_answered(place):
    """SHARE, ASK, LETTER, REPLY: objects of a pair space, and a letter only the asker opens."""
    meeting = Meeting(place)
    node, peer, ana = meeting.node, meeting.peer, meeting.ana
    second_ask.share(node, peer, "Joon Kim", "joon@example.org")
    ask = second_ask.Ask(node, "Looking for work", "I would love to stay with wood.")
    grant = ask.pass_to(node, peer, "Do you know a workshop?")
    meeting.told()
    assert ana.ok("share", "list")["shares"][0]["emails"] == ["joon@example.org"]
    shown = ana.ok("ask", "list")["asks"][0]
    assert shown["id"] == ask.hash[:16].hex() and shown["author"]["name"] == "Second", shown
    assert shown["note"] == "Do you know a workshop?" and shown["hops"] == 1, shown
    ana.ok("ask", "reply", shown["id"], "--text", "My brother looks for one.", "--kind", "lead")
    meeting.session.until(lambda: node.said(peer, second_ask.KIND_REPLY))
    heard = ask.read_reply(node.said(peer, second_ask.KIND_REPLY)[0].value(1))
    assert heard == (grant, second_ask.LEAD, "My brother looks for one.", "Ana", peer.member), heard


if __name__ == "__main__":
    run(globals())
