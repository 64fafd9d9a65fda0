"""A second node, written from PROTOCOL.md alone: it shares no code with the first, and meets a real
node on loopback. Where the text and the code part, this fails. second_*.py is that node."""
import copy
import os
import shutil
import threading
import time

import second_ask
from kithtest import Skip, link, run, until
from second_handshake import Closed
from second_endorsement import DAY, KIND_ENDORSEMENT, NETWORK, PEERS, check, endorse, show
from second_epoch import Book
from second_fork import CARD, GIVEN_UP, STOLEN
from second_introduction import OFFER, RELAY, RELEASE, Introduction
from second_keys import SODIUM, did, digest, fresh
from second_member import open_statement
from second_node import Node, Peer
from second_pack import unpack
from second_restate import restate
from second_session import FACTS, WANT, Ended


def need_sodium():
    if SODIUM is None:
        raise Skip("libsodium.so cannot be loaded by ctypes")


class Meeting:
    """Ana's node, and the second one."""

    def __init__(self, place, title=""):
        need_sodium()
        self.ana = place.member("Ana")
        self.address = self.ana.start("127.0.0.1:0").listen[0]
        self.ana.request("me.edit", title="Translator", email=["ana@example.org"])
        self.node = Node("Second")
        self.node.write_card(name="Second", title=title)
        self.uri = self.ana.ok("peer", "invite", "Second")["uri"]
        self.session = self.node.accept(self.uri)
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

    def is_ended(self):
        try:
            self.session.hear(0.2)
        except (Closed, Ended):
            return True
        return False

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


def it_invites_and_is_called(place):
    """KNOCK-2, HANDSHAKE-3, LINK-1 to LINK-5 as the inviter; then the other side calls."""
    need_sodium()
    ana = place.member("Ana").start()
    node = Node("Second")
    node.write_card(name="Second", title="Inviter")
    uri = node.invite()
    accepting = threading.Thread(target=lambda: ana.ok("peer", "accept", uri), daemon=True)
    accepting.start()
    session = node.link()
    session.until(session.is_settled)
    accepting.join(20)
    row = ana.peers()[0]
    assert row["state"] == "online" and row["name"] == "Second", row
    assert ana.card_of("Second")["title"] == "Inviter"
    session.bye()
    node.write_card(title="Called")
    node.commit()
    ana.call("sync", "Second")
    session = node.listen(session.peer)
    session.until(session.is_settled)
    until(lambda: ana.card_of("Second")["title"] == "Called")


def who_meets_again_says_two_digests(place):
    """KNOCK-4, HANDSHAKE-4, SYNC-2, SYNC-3: and nothing else."""
    meeting = Meeting(place)
    meeting.meet()
    meeting.session.hear(0.5)
    assert meeting.session.in_step and meeting.session.counts == {1: 1}, meeting.session.counts
    until(lambda: meeting.row()["state"] == "online" and meeting.row()["in_step"])


def an_invitation_is_spent_once(place):
    """INVITE-3, LINK-4: who comes later is answered, and refused."""
    meeting = Meeting(place)
    meeting.meet()
    late = Node("Late")
    late.write_card(name="Late")
    session = None
    try:
        session = late.open(meeting.uri)
        session.until(lambda: False)
    except Ended:
        assert session.refused == 1, session.refused
    assert len(meeting.ana.peers()) == 1


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


def what_is_missing_is_asked_for(place):
    """ENTRY-1, ABSENT-2, ABSENT-3: a header stands in the chain, its payload comes later."""
    meeting = Meeting(place, "Before")
    node = meeting.node
    node.write_card(title="Kept back")
    node.commit()
    entry = node.book(node.me.card, node.me.device).log.entries[-1]
    entry.payload, kept = None, entry.payload
    meeting.session.give()
    entry.payload = kept
    meeting.session.until(lambda: meeting.session.counts.get(WANT), what="it was not asked for")
    until(lambda: meeting.ana.card_of("Second")["title"] == "Kept back")
    meeting.settle()


def a_contact_is_shared_and_an_ask_answered(place):
    """SHARE, FORGET-1, ASK, LETTER, REPLY: what stands in a pair space, and a letter."""
    meeting = Meeting(place)
    node, peer, ana = meeting.node, meeting.peer, meeting.ana
    shared = second_ask.share(node, peer, "Joon Kim", "joon@example.org")
    ask = second_ask.Ask(node, "Looking for work", "I would love to stay with wood.")
    grant = ask.pass_to(node, peer, "Do you know a workshop?")
    meeting.told()
    assert ana.ok("share", "list")["shares"][0]["emails"] == ["joon@example.org"]
    node.forget(peer.pair_out, second_ask.KIND_SHARE, shared)
    meeting.told()
    until(lambda: not ana.ok("share", "list")["shares"], what="what is forgotten still shows")
    shown = ana.ok("ask", "list")["asks"][0]
    assert shown["id"] == ask.hash[:16].hex() and shown["author"]["name"] == "Second", shown
    assert shown["note"] == "Do you know a workshop?" and shown["hops"] == 1, shown
    ana.ok("ask", "reply", shown["id"], "--text", "My brother looks for one.", "--kind", "lead")
    meeting.session.until(lambda: node.said(peer, second_ask.KIND_REPLY))
    heard = ask.read_reply(node.said(peer, second_ask.KIND_REPLY)[0].value(1))
    assert heard == (grant, second_ask.LEAD, "My brother looks for one.", "Ana", peer.member), heard


def an_ask_is_passed_on_and_the_answer_carried_back(place):
    """ASK-4 at depth 2, ASK-7, REPLY-6: between two who are not linked with one another."""
    meeting = Meeting(place)
    node, ana, peer = meeting.node, meeting.ana, meeting.peer
    bruno = place.member("Bruno").start()
    other = node.accept(bruno.ok("peer", "invite", "Second")["uri"])
    other.until(other.is_settled)
    ana.ok("ask", "post", "I would love to stay with wood.", "--title", "Looking for work",
           "--to", "Second", "--hops", "2")
    meeting.session.until(lambda: node.said(peer, second_ask.KIND_PASS), what="no pass")
    passed = second_ask.Passed(node, node.said(peer, second_ask.KIND_PASS)[0].value(1))
    assert (passed.title, passed.name, passed.writer) == ("Looking for work", "Ana", peer.member)
    grant = passed.pass_on(other.peer, "Ana builds stages")
    node.commit()
    other.give()
    other.until(other.is_settled)
    shown = bruno.ok("ask", "list")["asks"][0]
    assert shown["author"]["name"] == "Ana" and shown["hops"] == 2, shown
    bruno.ok("ask", "reply", shown["id"], "--text", "Ask at the theatre.", "--kind", "lead")
    other.until(lambda: node.said(other.peer, second_ask.KIND_REPLY), what="no reply")
    reply = node.said(other.peer, second_ask.KIND_REPLY)[0].value(1)
    passed.carry(peer, reply, grant)
    meeting.told()
    lead = ana.leads()[0]
    assert lead["text"] == "Ask at the theatre." and lead["from"]["name"] == "Bruno", lead


def a_fork_of_its_own_is_proved_and_healed(place):
    """FORK-2, FORK-3, FORK-7, RETIRE, FACT-1, ORIGIN, HANDSHAKE-9: it was restored from an old
    copy; the other side gives the branch that was lost, and sees both under a new key."""
    meeting = Meeting(place, "Before")
    node, peer = meeting.node, meeting.peer
    meeting.session.bye()
    book = node.book(node.me.card, node.me.device)
    saved = copy.deepcopy(book.log), dict(node.counters)
    node.write_card(title="On the first branch")
    node.commit()
    meeting.meet()
    meeting.settle()
    meeting.session.bye()
    book.log, node.counters = saved
    node.write_card(place="On the second")
    node.write_card(place="On the second branch")
    node.commit()
    meeting.meet()
    meeting.session.until(lambda: node.forks.healed, what="no proof came")
    meeting.session.bye()
    meeting.session = node.dial(peer, node.me.identity.data)
    meeting.settle()
    card = meeting.ana.card_of("Second")
    assert card["title"] == "On the first branch", card
    assert card["place"] == "On the second branch", card
    node.write_card(title="Healed")
    meeting.told()
    until(lambda: meeting.ana.card_of("Second").get("title") == "Healed")
    meeting.session.bye()
    meeting.session = node.dial(peer, node.me.identity.data)
    meeting.session.until(lambda: meeting.session.in_step, what="not in step after it healed")


def a_restored_home_heals_by_what_the_second_holds(place):
    """FORK-2, FORK-3, RETURN-3, HANDSHAKE-10, RETIRE-6, RETURN-2: traces and branches are given,
    the facts about the successor taken, what counts no more is cut and handed back."""
    meeting = Meeting(place)
    node, peer, ana = meeting.node, meeting.peer, meeting.ana
    meeting.session.bye()
    ana.stop()
    shutil.copytree(ana.home, ana.home + ".old")
    ana.start(meeting.address)
    ana.ok("me", "edit", "--title", "Lost")
    ana.ok("contact", "add", "Joon", "--email", "joon@example.org")
    ana.ok("contact", "share", "Joon", "--with", "Second", "--field", "email", "--agreed")
    meeting.meet()
    meeting.settle()
    meeting.session.bye()
    ana.stop()
    shutil.rmtree(ana.home)
    os.rename(ana.home + ".old", ana.home)
    ana.start(meeting.address)
    ana.ok("me", "edit", "--place", "Written after")
    meeting.meet()
    until(meeting.is_ended, what="the session under the old keys goes on")
    meeting.session = node.dial(peer)
    meeting.session.until(lambda: meeting.card(4) == "Written after" and meeting.card(3) == "Lost")
    assert peer.retired and len(node.said(peer, second_ask.KIND_SHARE)) == 1
    until(lambda: ana.ok("me", "show").get("title") == "Lost", what="the branch did not come back")
    assert ana.ok("me", "show")["place"] == "Written after"
    assert ana.ok("share", "list")["shares"][0]["name"] == "Joon"
    told = [row for row in ana.ok("log") if row["kind"] == "fork"]
    assert len(told) == 1 and "goes on under a new key" in told[0]["text"], told


def can_read(node, copy_of):
    """The entries of a log, as somebody holds it, that this node's keys open."""
    book, log = Book(copy_of.log, node.keys), copy_of.log
    book.before = copy_of.before
    book.hear(node.me.receivings)
    return [seq for seq in range(log.first + 1, log.size() + 1) if book.plain(seq) is not None]


def who_comes_later_reads_a_restatement_and_who_goes_nothing_more(place):
    """RESTATE, BEGIN, EPOCH-5, EPOCH-9, P5: a third member, whose node is the second kind as well,
    begins at a block's end and reads what holds; the one that was removed reads nothing new."""
    meeting = Meeting(place)
    node, peer, ana = meeting.node, meeting.peer, meeting.ana
    meeting.session.bye()
    for number in range(90):  # A block of 256 KiB that is withdrawn.
        ana.request("me.edit", **{name: f"{number} {name} ".ljust(990, "x")
                                  for name in ("org", "title", "place")})
    ana.ok("me", "edit", "--title", "Now", "--org", "Here", "--place", "Porto")
    meeting.meet()
    meeting.settle()
    third = Node("Third")
    third.write_card(name="Third")
    session = third.accept(ana.ok("peer", "invite", "Third")["uri"])
    session.until(session.is_settled)
    session.until(lambda: third.card_of(session.peer))
    card = third.card_of(session.peer)
    theirs, ours = third.book_of(session.peer), node.book_of(peer)
    assert [card.value(field) for field in (1, 2, 3, 4)] == ["Ana", "Here", "Now", "Porto"]
    assert card.values(20) == ["ana@example.org"] and theirs.log.first > 80
    meeting.session.until(lambda: ours.log.tip() == theirs.log.tip() and
                          ours.log.size() in can_read(node, ours), what="not what Third has")
    assert [meeting.card(field) for field in (1, 2, 3, 4)] == ["Ana", "Here", "Now", "Porto"]
    old, new = can_read(node, ours), can_read(third, ours)
    assert len(old) > 90 and 0 < len(new) < 20 and set(new) < set(old), (old, new)
    ana.ok("peer", "remove", "Second")
    ana.ok("me", "edit", "--title", "After")
    session.until(lambda: third.card_of(session.peer).value(3) == "After")
    assert theirs.log.size() in can_read(third, theirs)
    assert theirs.log.size() not in can_read(node, theirs)
    session.bye()
    session = third.dial(session.peer)  # With the knock that its door tells now (KNOCK-4).
    session.until(lambda: session.marks_heard)
    until(meeting.is_ended, what="a removed peer is talked to")
    try:
        meeting.session = node.dial(peer)
        raise AssertionError(f"a removed peer heard {meeting.session.hear(5)}")
    except Closed:
        pass


def what_is_over_goes_however_often_a_node_is_asked(place):
    """EXPIRY-1: whoever keeps a node busy does not put off what is due."""
    meeting = Meeting(place)
    over = int(time.time()) + 4
    second_ask.share(meeting.node, meeting.peer, "Joon Kim", "joon@example.org", over)
    meeting.told()
    meeting.session.bye()
    shares = lambda: meeting.ana.request("share.list")["result"]["shares"]
    until(shares, what="no share")
    while shares():
        assert time.time() < over + 10, "a share that is over shows"
        time.sleep(0.05)


def payload_of(session, space, device, seq):
    """ABSENT-3: what the other side has at this place."""
    session.payloads.clear()
    session.say(WANT, space, device, [seq])
    session.until(lambda: session.payloads, what="no answer to a want")
    return session.payloads[0][1]


def whom_it_admits_reads_its_restatement(place):
    """RESTATE-1 to RESTATE-7, BEGIN-1, BEGIN-2, ABSENT-1, EPOCH-9: Bruno comes after 300 edits, and
    Carla when he is gone; each is given what holds, from a block's end on."""
    meeting = Meeting(place, "Before")
    node, ana, peer = meeting.node, meeting.ana, meeting.peer
    for number in range(300):
        node.write_card(title=f"Edit {number}", place=f"Place {number}")
    email = node.write_email("old@example.org")
    node.write_email("new@example.org", instead=email)
    node.write_card(org="Here", place=None)
    meeting.told()
    until(lambda: ana.card_of("Second").get("org") == "Here")
    log = node.book(node.me.card, node.me.device).log
    held = log.size()
    assert payload_of(meeting.session, node.me.card, node.me.device, held - 2)
    bruno, second = admit(meeting, place, "Bruno")
    for one in (ana, bruno):
        card = one.card_of("Second")
        assert card["title"] == "Edit 299" and card["org"] == "Here", card
        assert "place" not in card and card["emails"] == ["new@example.org"], card
    assert log.size() - held < 12, "more is repeated than holds"
    until(lambda: not payload_of(meeting.session, node.me.card, node.me.device, held - 2),
          what="what is covered is not dropped")
    assert payload_of(meeting.session, node.me.card, node.me.device, log.size())
    node.grant(peer, CARD, node.open_epoch(node.me.card, []))  # Bruno is removed.
    node.write_card(title="After Bruno")
    meeting.told()
    second.give()
    second.until(second.is_acked)
    carla, _ = admit(meeting, place, "Carla")
    until(lambda: ana.card_of("Second").get("title") == "After Bruno")
    assert carla.card_of("Second")["title"] == "After Bruno"
    assert bruno.card_of("Second")["title"] == "Edit 299", "who is gone reads what is new"
    meeting.meet()
    meeting.session.hear(0.5)
    assert meeting.session.in_step


def admit(meeting, place, name):
    """Somebody new, who gets the key of a restatement as all who read do."""
    node, other = meeting.node, place.member(name).start()
    node.grant(meeting.peer, CARD, restate(node, node.me.card))
    session = node.accept(other.ok("peer", "invite", "Second")["uri"])
    session.until(session.is_settled)
    assert session.begun, "it was given from its first entry on"
    meeting.told()
    until(lambda: other.card_of("Second").get("org") == "Here")
    return other, session


def overhear(thief, node, peer):
    """All that a peer wrote for this member comes into the hands of one of its old devices."""
    for (space, device), book in node.books.items():
        if space in (peer.pair_in, peer.card_in):
            thief.books[(space, device)] = Book(book.log, thief.keys)
    thief.reread(peer)
    return can_read(thief, node.book_of(peer))


def end_device(meeting, reason):
    """The member goes on with another device; the one before stays as a machine of its own."""
    meeting.session.bye()
    old = copy.deepcopy((meeting.node, meeting.peer))
    node, first = meeting.node, meeting.node.me.device
    node.me.take_device(fresh(), fresh(), fresh())
    node.forks.retire(first, b"", reason)
    node.write_card(title="Another device")
    node.commit()
    meeting.session = node.dial(meeting.peer, node.me.identity.data)
    meeting.settle()
    until(lambda: meeting.ana.card_of("Second")["title"] == "Another device")
    meeting.ana.ok("me", "edit", "--title", "Afterwards")
    meeting.session.until(lambda: meeting.card(3) == "Afterwards")
    size = node.book_of(meeting.peer).log.size()
    assert size in can_read(node, node.book_of(meeting.peer))
    assert size not in overhear(old[0], node, meeting.peer), "an old device reads what is new"
    return old


def a_device_that_was_given_up_is_told_and_not_heard(place):
    """RETIRE-1 to RETIRE-3, RETIRE-6, FACT-1, STOLEN-5, STOLEN-6, P5: the old device may call,
    hears the facts, and nothing it writes is taken."""
    meeting = Meeting(place, "First device")
    old, old_peer = end_device(meeting, GIVEN_UP)
    meeting.session.bye()
    old.write_card(title="Written by the old one", place="Nowhere")
    old.commit()
    session = old.dial(old_peer, old.me.identity.data)
    session.until(lambda: session.counts.get(FACTS), what="it was not told")
    session.hear(1)
    assert not session.is_acked()
    assert old.forks.ends[old.me.device] == [b"", GIVEN_UP], old.forks.ends
    meeting.session = meeting.node.dial(meeting.peer, meeting.node.me.identity.data)
    meeting.settle()
    card = meeting.ana.card_of("Second")
    assert card["title"] == "Another device" and "place" not in card, card


def a_stolen_device_gets_no_answer(place):
    """RETIRE-1, STOLEN-6, STOLEN-8, P5"""
    meeting = Meeting(place, "First device")
    old, old_peer = end_device(meeting, STOLEN)
    try:
        session = old.dial(old_peer, old.me.identity.data)
        raise AssertionError(f"a stolen device heard {session.hear(5)}")
    except Closed:
        pass


def what_it_shows_is_quoted(place):
    """ENDORSE-3, SHOW-1, NETWORK, QUOTE: it shows what Ana wrote of it, and reads Ana's quote."""
    meeting = Meeting(place)
    node, peer, ana = meeting.node, meeting.peer, meeting.ana
    ana.ok("endorse", "Second", "--about", "protocols", "--relation", "worked-with", "--words",
           "Reads what is written, and no more.", "--ceiling", "network")
    meeting.session.until(lambda: node.said(peer, KIND_ENDORSEMENT), what="no endorsement")
    endorsement = node.said(peer, KIND_ENDORSEMENT)[0].value(1)
    assert check(endorsement) == (peer.member, node.me.member,
                                  "Reads what is written, and no more.")
    show(node, endorsement, NETWORK)
    meeting.told()
    given = ana.ok("endorsement", "list", "--given")["endorsements"][0]
    assert given["shown_to"] == "network", given
    ana.ok("network", "on")
    meeting.session.until(lambda: peer.networks, what="no network space was granted")
    meeting.session.until(lambda: node.quotes(peer), what="no quote")
    assert node.quotes(peer)[0].value(1) == endorsement


def an_introduction_ends_in_a_link(place):
    """INTRO-1 to INTRO-14: Ana introduces it to Bruno; both agree, and they meet directly."""
    meeting = Meeting(place)
    node, ana = meeting.node, meeting.ana
    bruno = place.member("Bruno").start()
    link(ana, bruno)
    ana.ok("introduce", "Second", "Bruno", "--why", "You both like wood", "--first", "both")
    introduction = Introduction(node, meeting.peer)
    meeting.session.until(lambda: introduction.heard(OFFER), what="no offer")
    introduction.accept()
    meeting.told()
    until(lambda: bruno.ok("intro", "list")["introductions"])
    bruno.ok("intro", "accept", "Second", "--message", "Good morning")
    meeting.session.until(lambda: introduction.heard(RELEASE), what="no release")
    introduction.released()
    peer = Peer(None)
    introduction.greet(peer.pair_out)
    meeting.told()
    meeting.session.until(lambda: introduction.heard(RELAY), what="no hello of the other")
    assert introduction.meet(peer) == "Good morning"
    until(lambda: len(bruno.peers()) == 2, what="Bruno did not hear its hello")
    node.write_pair(peer)
    node.commit()
    session = node.dial(peer, node.me.identity.data)
    session.until(session.is_settled)
    session.until(lambda: node.card_of(peer))
    assert node.card_of(peer).value(1) == "Bruno"
    row = next(row for row in bruno.peers() if row["name"] == "Second")
    assert row["level"] == "introduced" and row["via"] == "Ana" and row["in_step"], row
    assert bruno.card_of("Second")["member"] == did(node.me.member)


def an_endorsement_is_checked_exported_and_shown(place):
    """ENDORSE, EXPORT, SHOW: both proofs hold, and the subject's show comes back in its card."""
    meeting = Meeting(place)
    node, peer, ana = meeting.node, meeting.peer, meeting.ana
    words = 'Translated our "book" in time, \\ and well.\n\tÀ bientôt \x7f'
    endorsement = endorse(node, peer, words)
    meeting.told()
    row = ana.ok("endorsement", "list", "--pending")["endorsements"][0]
    assert row["verified"] and row["words"] == words and row["issuer"]["name"] == "Second", row
    ana.ok("endorsement", "accept", row["id"], "--to", "peers")
    export = os.path.join(place.path, "e.json")
    ana.ok("endorsement", "export", row["id"], "-o", export)
    assert ana.ok("endorsement", "verify", export)["valid"]
    key = (KIND_ENDORSEMENT, digest("kith statement", endorsement)[:16])
    meeting.session.until(lambda: key in node.objects[peer.card_in], what="it is not shown")
    shown = node.objects[peer.card_in][key]
    assert shown.value(1) == endorsement
    member, body = open_statement("kith show", shown.value(2))
    form, of, audience, made, until_s = unpack(body)
    assert (member, form, of) == (peer.member, 1, digest("kith statement", endorsement))
    assert audience == PEERS and 0 < until_s - made <= 90 * DAY, (audience, made, until_s)


if __name__ == "__main__":
    run(globals())
