"""Old copies, clones, machines rolled back: both branches are kept, nothing is asked of anybody."""
import os
import shutil

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
    rows = ana.call("log")[1]
    assert any(row["kind"] == "fork" for row in rows), rows
    ana.stop()
    bruno.stop()
    healthy(ana, bruno)


run(dict(globals()))
