"""Old copies, clones, machines rolled back: both branches are kept, nothing is asked of anybody."""
import random
import shutil
import socket

from kithtest import link, run, until


def copy_of(member):
    """A copy of a stopped member's home."""
    path = member.home + ".copy"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(member.home, path, ignore=shutil.ignore_patterns("node.sock"))
    return path


def restore(member, path):
    shutil.rmtree(member.home)
    shutil.copytree(path, member.home)


def agree(*members, seconds=40):
    """Every two of them are in step, and nobody waits for anything."""
    def in_step():
        return all(peer["state"] == "online" and peer["in_step"] and peer["undelivered"] == 0
                   for member in members for peer in member.peers())
    until(in_step, seconds, "they do not agree")


def healthy(*members):
    for member in members:
        report = member.ok("doctor")
        assert report["healthy"] is True, report


def device_of(member):
    return member.ok("status")["device"]


def an_old_copy_comes_back_and_nothing_is_lost(place):
    ana, bruno = place.pair()
    ana.ok("me", "edit", "--title", "first")
    until(lambda: bruno.card_of("Ana").get("title") == "first")
    ana.stop()
    old = copy_of(ana)
    device = device_of(ana)
    ana.start()
    ana.ok("me", "edit", "--org", "written after the copy")
    until(lambda: bruno.card_of("Ana").get("org") == "written after the copy")
    ana.stop()
    restore(ana, old)
    ana.start()
    until(lambda: device_of(ana) != device, 40, "no successor took over")
    until(lambda: ana.ok("me", "show").get("org") == "written after the copy", 40)
    ana.ok("me", "edit", "--place", "Lisboa")
    until(lambda: bruno.card_of("Ana").get("place") == "Lisboa", 40)
    card = bruno.card_of("Ana")
    assert card["title"] == "first" and card["org"] == "written after the copy", card
    agree(ana, bruno)
    addresses = bruno.ok("peer", "show", "ana")["addresses"]
    assert addresses and len(set(addresses)) == len(addresses), addresses
    rows = ana.call("log")[1]
    assert any(row["kind"] == "fork" for row in rows), rows
    assert "is kept" in ana.ok("status")["note"], ana.ok("status")
    assert "note" not in bruno.ok("status")
    ana.stop()
    bruno.stop()
    healthy(ana, bruno)


def what_both_branches_wrote_is_kept(place):
    """The old copy is written to before it meets anybody: two branches, neither of which lies."""
    ana, bruno = place.pair()
    ana.stop()
    old = copy_of(ana)
    ana.start()
    ana.ok("me", "edit", "--title", "one branch", "--email", "one@example.org")
    until(lambda: bruno.card_of("Ana").get("title") == "one branch")
    ana.stop()
    restore(ana, old)
    ana.ok("me", "edit", "--org", "other branch", "--email", "other@example.org")
    device = device_of(ana)
    ana.start()
    until(lambda: device_of(ana) != device, 40, "no successor took over")
    for card in (lambda: bruno.card_of("Ana"), lambda: ana.ok("me", "show")):
        until(lambda card=card: card().get("org") == "other branch", 40)
        assert card()["title"] == "one branch", card()
        assert sorted(card()["emails"]) == ["one@example.org", "other@example.org"], card()
    agree(ana, bruno)
    ana.stop()
    bruno.stop()
    healthy(ana, bruno)


def steady_port():
    """A port that stays free while nobody listens: none of those that the system gives away."""
    for port in random.sample(range(20000, 30000), 100):
        with socket.socket() as free:
            try:
                free.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port is free")


def a_peer_that_can_only_call_finds_the_successor(place):
    """It knows the old device's key alone: it is answered under that, and told of the new one. A
    node that listens everywhere does not call addresses of its own machine."""
    def start():
        ana.start(f"0.0.0.0:{port}", "--announce", f"127.0.0.1:{port}")
    port = steady_port()
    ana, bruno = place.member("Ana"), place.member("Bruno").start()
    start()
    link(ana, bruno)
    ana.ok("me", "edit", "--title", "first")
    until(lambda: bruno.card_of("Ana").get("title") == "first", 40)
    ana.stop()
    old = copy_of(ana)
    start()
    ana.ok("me", "edit", "--org", "written after the copy")
    until(lambda: bruno.card_of("Ana").get("org") == "written after the copy", 40)
    ana.stop()
    device = device_of(ana)
    restore(ana, old)
    start()
    until(lambda: device_of(ana) != device, 60, "no successor took over")
    ana.ok("me", "edit", "--place", "Lisboa")
    until(lambda: bruno.card_of("Ana").get("place") == "Lisboa", 60, "the peer lost the way")
    ana.stop()
    bruno.stop()
    healthy(ana, bruno)


def a_passphrase_protects_the_successor_too(place):
    ana, bruno = place.member("Ana", passphrase="three old boats").start(), \
        place.member("Bruno").start()
    link(ana, bruno)
    ana.stop()
    old = copy_of(ana)
    device = device_of(ana)
    ana.start()
    ana.ok("me", "edit", "--org", "written after the copy")
    until(lambda: bruno.card_of("Ana").get("org") == "written after the copy")
    ana.stop()
    restore(ana, old)
    ana.start()
    until(lambda: device_of(ana) != device, 60, "no successor took over")
    successor = device_of(ana)
    ana.stop()
    status = ana.ok("status")
    assert status["device"] == successor and status["key_protection"] == "passphrase", status


def two_clones_run_side_by_side(place):
    """An edit of e-mails or phones names all of them, so each clone has a set of its own."""
    ana, bruno = place.pair()
    ana.stop()
    twin = place.twin(ana)
    ana.start()
    twin.start()
    emails, phones = [], []
    for number in range(5):
        emails.append(f"mail{number}@example.org")
        phones.append(f"+3512000{number}")
        ana.ok("me", "edit", *[word for one in emails for word in ("--email", one)])
        twin.ok("me", "edit", *[word for one in phones for word in ("--tel", one)])

    def has_both(card):
        return sorted(card.get("emails", [])) == emails and sorted(card.get("phones", [])) == phones
    until(lambda: has_both(bruno.card_of("Ana")), 60, "the peer does not know what both wrote")
    for member in (ana, twin):
        until(lambda member=member: has_both(member.ok("me", "show")), 60,
              "a clone does not know what the other wrote")
    assert device_of(ana) != device_of(twin)
    for member in (ana, twin, bruno):
        member.stop()
    healthy(ana, twin, bruno)


def twenty_restores_in_a_row_lose_nothing(place):
    ana, bruno = place.pair()
    ana.stop()
    old = copy_of(ana)
    emails = []
    for number in range(20):
        ana.start()
        emails.append(f"mail{number:02}@example.org")
        ana.ok("me", "edit", *[word for one in emails for word in ("--email", one)])
        until(lambda: sorted(bruno.card_of("Ana").get("emails", [])) == emails, 60,
              f"restore {number}: the edit does not arrive")
        ana.stop()
        restore(ana, old)
    ana.start()
    for card in (lambda: ana.ok("me", "show"), lambda: bruno.card_of("Ana")):
        until(lambda card=card: sorted(card().get("emails", [])) == emails, 60, "something is lost")
    agree(ana, bruno, seconds=120)  # Called too often, a node takes its time.
    ana.stop()
    bruno.stop()
    healthy(ana, bruno)


run(dict(globals()))
