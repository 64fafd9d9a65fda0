"""What two devices of one member agree on when something ends, was restored or is gone: the second
node (second_*.py) and a real one. Written from PROTOCOL.md alone, as test_second.py is."""
import copy
import os
import shutil
import time

import second_ask
from kithtest import run, until
from second_keys import kdf
from second_log import Log
from test_second_own import CARD_KEY, Household, is_ended


def what_expires_is_over_for_all(place):
    """EXPIRY-1: in self and in a pair space; what is over as it comes never shows."""
    home = Household(place, "Bruno")
    node, own, (bruno,) = home.node, home.own, home.friends
    peer, soon = home.peer("Bruno"), int(time.time()) + 8
    own.add_contact("For a moment", "moment@example.org", soon)
    own.add_contact("Long ago", "past@example.org", 1600000000)
    second_ask.share(node, peer, "Joon Kim", "joon@example.org", soon)
    home.told()
    until(lambda: "For a moment" in home.contacts() and bruno.ok("share", "list")["shares"])
    assert "Long ago" not in home.contacts() and "Long ago" not in own.contacts()
    assert "For a moment" in own.contacts()
    until(lambda: "For a moment" not in home.contacts(), what="a contact that is over shows")
    until(lambda: not bruno.ok("share", "list")["shares"], what="a share that is over shows")
    own.reread()
    assert "For a moment" not in own.contacts()


def a_restored_home_heals_by_its_other_device(place):
    """FORK-2, FORK-3, FORK-7, RETURN-2, RETURN-3, HANDSHAKE-10, FACT-1: in self and card space."""
    home = Household(place)
    node, own, ana = home.node, home.own, home.ana
    home.session.bye()
    ana.stop()
    shutil.copytree(ana.home, ana.home + ".old")
    home.start()
    ana.ok("contact", "add", "Lost", "--email", "lost@example.org")
    ana.ok("me", "edit", "--title", "Lost")
    home.call()
    home.session.bye()
    ana.stop()
    shutil.rmtree(ana.home)
    os.rename(ana.home + ".old", ana.home)
    home.start()
    ana.ok("contact", "add", "After", "--email", "after@example.org")
    home.session = node.dial(home.sibling, node.me.identity.data)
    until(lambda: is_ended(home.session), what="the session under the old keys goes on")
    home.session = node.dial(home.sibling, node.me.identity.data)
    home.session.until(lambda: {"Lost", "After"} <= set(own.contacts()), what="not both branches")
    until(lambda: {"Lost", "After"} <= set(home.contacts()), what="the branch did not come back")
    home.session.until(home.session.is_settled)
    assert ana.ok("me", "show").get("title") == "Lost"
    assert node.objects[node.me.card][CARD_KEY].value(3) == "Lost"
    told = ana.events("fork")
    assert len(told) == 1 and "goes on under a new key" in told[0][1], told


def it_heals_by_its_real_sibling(place):
    """RETIRE-4, RETIRE-8, RETIRE-12, FORK-5, FORK-7, RETURN-2, RETURN-9: restored from an old copy,
    it has no root to be certified by; in self the branch is kept, of the card it comes home."""
    home = Household(place)
    node, own = home.node, home.own
    home.session.bye()
    kept = {key: copy.deepcopy(book.log) for key, book in node.books.items()
            if key[1] == node.me.device}
    saved = dict(node.counters)
    own.add_contact("First branch", "first@example.org")
    node.write_card(title="First branch")
    node.commit()
    home.call()
    home.session.bye()
    for key, book in node.books.items():
        if key[1] == node.me.device:
            book.log = kept.get(key) or Log(*key)
            book.hear(node.me.receivings)
    node.counters = saved
    own.reread()
    own.add_contact("Second branch", "second@example.org")
    node.write_card(place="Second branch")
    node.commit()
    home.session = node.dial(home.sibling, node.me.identity.data)
    home.session.until(lambda: node.forks.healed, what="no proof came")
    home.session.bye()
    home.call()
    until(lambda: {"First branch", "Second branch"} <= set(home.contacts()), what="contacts")
    home.session.until(lambda: {"First branch", "Second branch"} <= set(own.contacts()))
    until(lambda: home.ana.ok("me", "show").get("place") == "Second branch")
    assert home.ana.ok("me", "show")["title"] == "First branch"
    own.add_contact("Healed", "healed@example.org")
    home.told()
    until(lambda: "Healed" in home.contacts())


def title_and_place(card):
    return card.get("title"), card.get("place")


def it_unites_two_branches_of_a_sibling_that_died(place):
    """FORK-3, FORK-5, FORK-6, RETIRE-1, RETIRE-2, RETURN-2, RETURN-9: Ana's machine was restored,
    told one branch to it and the other to Bruno, and is gone."""
    home = Household(place, "Bruno")
    node, own, ana, (bruno,) = home.node, home.own, home.ana, home.friends
    peer, gone = home.peer("Bruno"), home.sibling.speaker
    home.session.bye()
    ana.stop()
    bruno.stop()
    shutil.copytree(ana.home, ana.home + ".old")
    home.start()
    ana.ok("me", "edit", "--title", "First branch")
    home.call()
    home.session.bye()
    ana.stop()
    shutil.rmtree(ana.home)
    os.rename(ana.home + ".old", ana.home)
    bruno.start("%s:%d" % peer.address)
    home.start()
    ana.ok("me", "edit", "--place", "Second branch")
    until(lambda: bruno.card_of("Ana").get("place") == "Second branch")
    ana.stop()
    session = node.dial(peer, node.me.identity.data)
    session.until(lambda: own.retired.get(gone), what="it does not see two branches")
    assert own.successors[gone] == b""
    session.until(session.is_settled, what="not in step when it has united them")
    until(lambda: title_and_place(bruno.card_of("Ana")) == ("First branch", "Second branch"))
    node.write_card(title="Goes on")
    node.commit()
    session.give()
    session.until(session.is_settled)
    until(lambda: bruno.card_of("Ana")["title"] == "Goes on")
    bruno.stop()
    assert bruno.ok("doctor")["healthy"]


def its_two_branches_are_united_by_a_sibling_when_it_died(place):
    """FORK-5, FORK-6, the other way: it told one branch to Ana and the other to Bruno."""
    home = Household(place, "Bruno")
    node, own, ana, (bruno,) = home.node, home.own, home.ana, home.friends
    peer = home.peer("Bruno")
    node.write_card(org="Before")
    home.told()
    until(lambda: bruno.card_of("Ana").get("org") == "Before")
    bruno.stop()
    card = (node.me.card, node.me.device)
    kept = copy.deepcopy(node.books[card].log), dict(node.counters)
    node.write_card(title="First branch")
    home.told()
    home.session.bye()
    ana.stop()
    node.books[card].log, node.counters = kept
    bruno.start("%s:%d" % peer.address)
    node.write_card(place="Second branch")
    node.commit()
    session = node.dial(peer, node.me.identity.data)
    session.until(session.is_settled)
    session.bye()
    home.start()
    until(lambda: title_and_place(bruno.card_of("Ana")) == ("First branch", "Second branch"),
          what="not both branches")
    until(lambda: title_and_place(ana.ok("me", "show")) == ("First branch", "Second branch"))
    home.session = node.dial(home.sibling, node.me.identity.data)
    home.session.until(lambda: node.me.device in own.retired, what="it is not told")
    assert own.retired[node.me.device] == 1 and own.successors[node.me.device] == b""


def what_own_devices_share_never_changes(place):
    """OWN-1, OWN-2, OWN-6: it opens another epoch of self at depth 1, with the least id, as a
    device does that goes on before it had joined."""
    home = Household(place)
    node, own, ana = home.node, home.own, home.ana
    first = min(one.id for one in node.keys.epochs.values()
                if one.space == own.space and one.depth == 1)
    epoch = None
    while epoch is None or epoch.id > first:
        if epoch:
            del node.keys.epochs[epoch.id]
        salted = own.salted(own.space)
        payload, epoch = node.keys.open_epoch(own.space, node.me.device, [], salted,
                                              own.receivings(own.space))
    node.append(own.space, 0, payload)
    book = node.book(own.space, node.me.device)
    book.hear(node.me.receivings)
    node.chosen[own.space] = len(book.named)
    own.tell_key(epoch, salted)
    own.add_contact("Dora Dias", "dora@example.org")
    home.told()
    until(lambda: "Dora Dias" in home.contacts())
    before = own.secret
    assert kdf(node.keys.keys[epoch.id], "kith sibling") != before
    home.session.bye()
    ana.stop()
    home.start()
    home.call()
    home.session.bye()
    home.admit()
    assert home.own.secret == before and home.session.is_settled()
    home.session.bye()
    home.sibling.knock = home.own.knock_between()
    home.call()
    assert home.session.in_step


if __name__ == "__main__":
    run(globals())
