"""What the second node (second_*.py) restates, and real nodes read: when somebody goes, and in its
network space."""
from kithtest import run, until
from second_endorsement import KIND_ENDORSEMENT
from second_fork import CARD
from second_member import now_ms
from second_object import KIND_RESTATEMENT, edits_of
from second_restate import restate
from test_second import Meeting, admit, payload_of
from test_second_network import Quoting, quoted

SAME_AS = 4


def who_goes_hears_nothing_of_what_is_restated_then(place):
    """RESTATE-1, RESTATE-4, RESTATE-7, EPOCH-9: the epoch without Bruno begins a restatement."""
    meeting = Meeting(place, "Before")
    node, ana, card = meeting.node, meeting.ana, meeting.node.me.card
    for number in range(270):
        node.write_card(title=f"Edit {number}")
    node.write_card(org="Here", place="Somewhere")
    meeting.told()
    bruno, second = admit(meeting, place, "Bruno")
    node.write_card(title="With Bruno", place=None)
    meeting.told()
    second.give()
    until(lambda: bruno.card_of("Second").get("title") == "With Bruno")
    log = node.book(card, node.me.device).log
    held = log.size()
    assert payload_of(meeting.session, card, node.me.device, held)
    node.grant(meeting.peer, CARD, restate(node, card))
    node.write_card(title="After Bruno")
    meeting.told()
    second.give()
    second.until(second.is_acked)
    until(lambda: ana.card_of("Second")["title"] == "After Bruno")
    told = ana.card_of("Second")
    assert told["org"] == "Here" and "place" not in told, told
    until(lambda: not payload_of(meeting.session, card, node.me.device, held),
          what="what is covered is not dropped")
    # Bruno holds it, and reads none of it; what he read before stays.
    assert bruno.card_of("Second")["title"] == "With Bruno", bruno.card_of("Second")
    meeting.meet()
    meeting.session.hear(0.5)
    assert meeting.session.in_step
    assert ana.ok("doctor")["healthy"] and bruno.ok("doctor")["healthy"]


def repeated(node, space):
    """The edits of the newest restatement of a space that repeat something."""
    book = node.book(space, node.me.device)
    edits = list(edits_of([book]))
    begin = max(edit.at[1] for edit in edits if edit.kind == KIND_RESTATEMENT
                and any(write[:2] == [0, 1] for write in edit.writes))
    return [edit for edit in edits if edit.is_repeated and edit.at[1] > begin]


def who_is_let_in_later_reads_a_restated_network_space(place):
    """RESTATE-1 to RESTATE-7, RESTATE-11, BEGIN-1, NETWORK-2: Carla reads what is quoted still,
    from a block's end on; that one is the same as another is repeated with it."""
    home = Quoting(place, "Bruno")
    node, own, (bruno,) = home.node, home.own, home.readers
    first, second = home.shown("Reads what is written."), home.shown("And no more than that.")
    own.turn_network(True)
    space = own.network()
    for _ in range(270):
        own.quote(first)
    own.quote(second)
    other = own.quote_id(second)
    node.edit(space, [KIND_ENDORSEMENT, own.quote_id(first), now_ms(), [[SAME_AS, other, 1, 1]]])
    home.told()
    both = [(words, "Second") for words in ("And no more than that.", "Reads what is written.")]
    until(lambda: quoted(bruno, home.member) == both, what="not quoted")
    carla = home.link(place.member("Carla").start())
    log = node.book(space, node.me.device).log
    held = log.size()
    own.let_in_anew(home.sessions["Carla"].peer)
    assert 0 < log.size() - held < 20, "more is repeated than holds"
    assert [write for edit in repeated(node, space) for write in edit.writes
            if write[0] == SAME_AS] == [[SAME_AS, other, 1, 1]]
    home.told()
    for reader in (bruno, carla):
        until(lambda reader=reader: quoted(reader, home.member) == both, what="not read")
    session = home.sessions["Carla"]
    assert session.begun, "it was given from its first entry on"
    until(lambda: not payload_of(home.sessions["Bruno"], space, node.me.device, held),
          what="what is covered is not dropped")
    for reader in (home.ana, bruno, carla):
        assert reader.ok("doctor")["healthy"], reader.name
    # What comes later stands beside it.
    own.quote(home.shown("Says when the text is wrong."))
    home.told()
    for reader in (bruno, carla):
        until(lambda reader=reader: len(quoted(reader, home.member)) == 3, what="not read later")


def what_is_repeated_is_over_when_it_was_to_be(place):
    """RESTATE-11, EXPIRY-1: also for who knows the repetition alone."""
    home = Quoting(place, "Bruno")
    node, own, (bruno,) = home.node, home.own, home.readers
    stays, goes = home.shown("Reads what is written."), home.shown("And no more than that.")
    own.turn_network(True)
    space = own.network()
    carla = home.link(place.member("Carla").start())
    over = now_ms() // 1000 + 12
    own.quote(stays)
    own.quote(goes, over)
    home.told()
    own.let_in_anew(home.sessions["Carla"].peer)
    home.told()
    assert sorted(edit.expiry for edit in repeated(node, space)) == [0, over]
    stay, both = [("Reads what is written.", "Second")], [
        ("And no more than that.", "Second"), ("Reads what is written.", "Second")]
    for reader in (bruno, carla):
        until(lambda reader=reader: quoted(reader, home.member) == both, 8, what="not read")
    for reader in (bruno, carla):
        until(lambda reader=reader: quoted(reader, home.member) == stay, 30, what="it stays")
    assert now_ms() // 1000 >= over, "it was over too soon"
    # Whoever restates again leaves it out.
    own.let_in_anew(home.sessions["Carla"].peer)
    home.told()
    assert [edit.expiry for edit in repeated(node, space)] == [0]
    for reader in (bruno, carla):
        until(lambda reader=reader: quoted(reader, home.member) == stay, what="not read")


if __name__ == "__main__":
    run(globals())
