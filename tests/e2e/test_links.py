"""Two and three people: invitations, cards that cross, absence, removal."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

from kithtest import KITH, Skip, link, on_terminal, run, until


def two_people_link_and_see_each_other(place):
    ana, bruno = place.pair()
    until(lambda: ana.card_of("Bruno").get("name") == "Bruno")
    until(lambda: bruno.card_of("Ana").get("name") == "Ana")
    peer = ana.peers()[0]
    assert (peer["name"], peer["level"], peer["state"]) == ("Bruno", "invited", "online")
    assert ana.ok("contact", "show", "bruno")["peer"] is True
    assert bruno.ok("sync", "--wait", "10")["in_step"] is True
    until(lambda: ana.ok("status")["undelivered"] == 0)


def edits_of_a_card_cross_at_once_both_ways(place):
    ana, bruno = place.pair()
    for title in ("Baker", "Looking for work", "Carpenter"):
        bruno.ok("me", "edit", "--title", title, "--email", title[0].lower() + "@example.org")
        until(lambda t=title: ana.card_of("Bruno").get("title") == t)
        assert ana.card_of("Bruno")["emails"] == [title[0].lower() + "@example.org"]
    ana.ok("me", "edit", "--place", "Oslo")
    until(lambda: bruno.card_of("Ana").get("place") == "Oslo")


def what_was_written_offline_arrives_on_either_side(place):
    ana, bruno = place.pair()
    bruno.stop()
    ana.ok("me", "edit", "--title", "while Bruno was away")
    bruno.ok("me", "edit", "--title", "with no node")
    ana.stop()
    ana.ok("me", "edit", "--org", "both away")
    bruno.start()
    ana.start()
    until(lambda: ana.card_of("Bruno").get("title") == "with no node", 30)
    until(lambda: bruno.card_of("Ana").get("org") == "both away", 30)
    assert bruno.card_of("Ana")["title"] == "while Bruno was away"


def new_ports_are_learnt_while_one_side_stays(place):
    ana, bruno = place.pair()
    bruno.stop()
    os.remove(os.path.join(bruno.home, "listening"))
    bruno.start()
    bruno.ok("me", "edit", "--title", "moved")
    until(lambda: ana.card_of("Bruno").get("title") == "moved", 30)
    ana.stop()
    os.remove(os.path.join(ana.home, "listening"))
    ana.start()
    ana.ok("me", "edit", "--title", "moved too")
    until(lambda: bruno.card_of("Ana").get("title") == "moved too", 30)


def a_node_killed_in_the_middle_comes_back_in_step(place):
    ana, bruno = place.pair()
    for round_ in range(5):
        bruno.ok("me", "edit", "--title", "before kill %d" % round_)
        bruno.kill9()
        bruno.start()
        until(lambda r=round_: ana.card_of("Bruno").get("title") == "before kill %d" % r, 30)


def a_pending_acceptance_becomes_a_link_when_both_are_there(place):
    ana, bruno = place.member("Ana"), place.member("Bruno")
    ana.start()
    listen = ana.listen
    uri = ana.ok("peer", "invite", "--address", listen[0])["uri"]
    ana.stop()
    assert bruno.ok("peer", "accept", uri)["state"] == "pending"
    assert bruno.peers()[0]["state"] == "pending"
    bruno.start()
    ana.start(listen[0])
    until(lambda: any(p["state"] == "online" for p in bruno.peers()), 60)
    until(lambda: ana.card_of("Bruno").get("name") == "Bruno")


def an_invitation_works_once_and_for_one(place):
    ana, bruno, chie = (place.member(name).start() for name in ("Ana", "Bruno", "Chie"))
    uri = link(ana, bruno)
    assert bruno.ok("peer", "accept", uri)["state"] == "linked"
    chie.fails(5, "peer", "accept", uri)
    assert chie.peers() == [] and len(ana.peers()) == 1


def a_revoked_or_expired_invitation_is_refused(place):
    ana, bruno = place.member("Ana").start(), place.member("Bruno").start()
    uri = ana.ok("peer", "invite")["uri"]
    ana.ok("peer", "revoke", uri)
    bruno.fails(5, "peer", "accept", uri)
    ana.fails(1, "peer", "revoke", uri)
    short = ana.ok("peer", "invite", "--expires", "1s")["uri"]
    end = time.monotonic() + 1.5
    until(lambda: time.monotonic() > end)
    bruno.fails(5, "peer", "accept", short)
    ana.fails(2, "peer", "invite", "--expires", "soon")
    # By its id; one that begins like others is none that may be guessed.
    made = [ana.ok("peer", "invite") for _ in range(2)]
    several = ana.fails(6, "peer", "revoke", made[0]["id"][:6])
    assert "2 open invitations begin with" in several["message"], several
    ana.ok("peer", "revoke", made[0]["id"])
    ana.ok("peer", "revoke", made[1]["id"][:6])
    bruno.fails(5, "peer", "accept", made[1]["uri"])


def a_wrong_invitation_says_what_is_wrong(place):
    ana, bruno = place.member("Ana").start(), place.member("Bruno").start()
    uri = ana.ok("peer", "invite")["uri"]
    ana.fails(5, "peer", "accept", uri)
    bruno.fails(5, "peer", "accept", uri[:-3])
    bruno.fails(5, "peer", "accept", uri[:20] + ("a" if uri[20] != "a" else "b") + uri[21:])
    bruno.fails(2, "peer", "accept", "hello")
    bruno.fails(1, "peer", "accept", uri.replace("kith:1", "kith:2"))
    path = os.path.join(place.path, "invitation.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n " + uri.upper()[:40] + "\n" + uri[40:] + "\n")
    assert bruno.ok("peer", "accept", path)["state"] == "linked"


def safety_words_agree_and_comparing_is_by_hand(place):
    ana, bruno = place.pair()
    words = ana.ok("peer", "words", "Bruno")["words"]
    assert len(words.split()) == 8 and words == bruno.ok("peer", "words", "Ana")["words"]
    assert ana.ok("peer", "compared", "Bruno")["level"] == "compared"
    assert bruno.peers()[0]["level"] == "invited"
    ana.ok("peer", "rename", "Bruno", "bro")
    assert ana.ok("peer", "show", "bro")["alias"] == "bro"


def a_removed_peer_reads_nothing_new(place):
    ana, bruno, chie = (place.member(name).start() for name in ("Ana", "Bruno", "Chie"))
    link(ana, bruno)
    link(ana, chie)
    ana.ok("me", "edit", "--title", "before")
    until(lambda: bruno.card_of("Ana").get("title") == "before")
    ana.ok("peer", "remove", "Bruno")
    ana.ok("me", "edit", "--title", "CANARY-after")
    until(lambda: chie.card_of("Ana").get("title") == "CANARY-after")
    bruno.stop()
    bruno.start()
    bruno.call("sync", "--wait", "3")
    assert bruno.card_of("Ana")["title"] == "before"
    assert [p["name"] for p in ana.peers()] == ["Chie"]
    link(ana, bruno)
    until(lambda: bruno.card_of("Ana").get("title") == "CANARY-after")


def blocking_is_silent_and_lasts_until_unblocked(place):
    ana, bruno = place.pair()
    ana.ok("peer", "block", "Bruno")
    ana.ok("me", "edit", "--title", "after")
    uri = ana.ok("peer", "invite")["uri"]
    bruno.call("sync", "--wait", "2")
    assert bruno.card_of("Ana").get("title") != "after"
    bruno.fails(5, "peer", "accept", uri)
    for again in ("block", "remove"):  # Removing them as well does not let them in again.
        assert "blocked already" in ana.fails(1, "peer", again, "Bruno")["message"]
        assert ana.peers()[0]["state"] == "blocked"
    ana.ok("peer", "unblock", "Bruno")
    link(ana, bruno)
    until(lambda: bruno.card_of("Ana").get("title") == "after")


def sync_waits_until_it_knows_who_can_be_reached(place):
    """A peer that is being called counts as reachable until the call has failed."""
    ana, bruno = place.pair()
    bruno.ok("me", "edit", "--title", "before")
    until(lambda: ana.card_of("Bruno").get("title") == "before")
    host, port = bruno.listen[0].rsplit(":", 1)
    bruno.stop()
    answer = ana.ok("sync", "--wait", "20")
    assert answer["in_step"] is True and answer["peers"][0]["online"] is False, answer
    ana.fails_without_error(1, "sync", "Bruno", "--wait", "1")
    with socket.socket() as silent:  # takes calls, and never says a word
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        silent.bind((host, int(port)))
        silent.listen()
        begun = time.monotonic()
        ana.fails_without_error(1, "sync", "--wait", "3")
        assert time.monotonic() - begun > 2.5


def an_alias_that_is_blank_is_none(place):
    ana, bruno = place.pair()
    assert ana.ok("peer", "rename", "bruno", " bru ")["alias"] == "bru"
    assert "alias" not in ana.ok("peer", "rename", "bru", "  ")
    assert ana.ok("peer", "show", "bruno")["member"] == bruno.identity["member"]


def in_step_and_undelivered_never_contradict_each_other(place):
    ana, bruno = place.pair()
    until(lambda: ana.peers()[0]["in_step"] and ana.peers()[0]["undelivered"] == 0)
    for number in range(12):
        # Asked in one breath with the edit, and again while it is on its way and told of.
        lines = [{"method": "me.edit", "params": {"title": f"Title {number}"}}]
        lines += [{"method": "peer.list", "params": {}}] * 40
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(20)
            door.connect(os.path.join(ana.home, "node.sock"))
            door.sendall(b"".join(json.dumps({"jsonrpc": "2.0", "id": at, **line}).encode() +
                                  b"\n" for at, line in enumerate(lines)))
            answers = door.makefile("rb")
            told = [json.loads(answers.readline())["result"] for _ in lines]
        for row in [answer["peers"][0] for answer in told[1:]] + [ana.peers()[0]]:
            assert not row["in_step"] or row["undelivered"] == 0, row
        until(lambda: ana.peers()[0]["in_step"], 10)
    until(lambda: bruno.card_of("Ana")["title"] == "Title 11")


def the_log_tells_and_follows(place):
    ana, bruno = place.member("Ana").start(), place.member("Bruno").start()
    follower = subprocess.Popen([KITH, "--home", ana.home, "--json", "log", "--follow"],
                                stdout=subprocess.PIPE)
    try:
        link(ana, bruno)
        line = follower.stdout.readline()
        assert b'"linked"' in line, line
    finally:
        follower.terminate()
        follower.communicate(timeout=20)
    rows = ana.ok("log")
    rows = rows if isinstance(rows, list) else [rows]
    assert any(row["kind"] == "linked" and row["who"] == "Bruno" for row in rows)


def an_acceptance_waits_ten_seconds_and_may_be_interrupted(place):
    """Ctrl-C ends the waiting, not the acceptance."""
    ana, bruno = place.member("Ana").start(), place.member("Bruno").start()
    uri = ana.ok("peer", "invite")["uri"]
    listen = ana.listen[0]
    ana.stop()
    waiting = subprocess.Popen([KITH, "--home", bruno.home, "--json", "peer", "accept", uri],
                               stdout=subprocess.PIPE)
    until(lambda: [peer["state"] for peer in bruno.peers()] == ["pending"])
    waiting.send_signal(signal.SIGINT)
    assert waiting.communicate(timeout=20)[0] == b"" and waiting.returncode == -signal.SIGINT
    pending = bruno.peers()[0]
    assert (pending["state"], pending["name"], pending["addresses"]) == ("pending", "Ana", [listen])
    begun = time.monotonic()
    assert bruno.ok("peer", "accept", uri)["state"] == "pending"
    assert 9 < time.monotonic() - begun < 20
    ana.start(listen)
    until(lambda: [peer["state"] for peer in bruno.peers()] == ["online"], 60)


def both_may_be_away_while_a_link_is_made(place):
    """Invited with no node, accepted with no node; it is made once both are there."""
    ana, bruno = place.member("Ana"), place.member("Bruno")
    ana.start()
    listen = ana.listen[0]
    ana.stop()
    uri = ana.ok("peer", "invite", "Bruno")["uri"]
    assert bruno.ok("peer", "accept", uri)["state"] == "pending"
    assert bruno.ok("peer", "accept", uri)["state"] == "pending"
    assert len(bruno.peers()) == 1
    ana.start(listen)
    bruno.start()
    until(lambda: ana.card_of("Bruno").get("name") == "Bruno", 60)
    assert bruno.ok("peer", "accept", uri)["state"] == "linked"


def who_looks_alike_is_told(place):
    ana, bruno = place.member("Ana").start(), place.member("Bruno").start()
    bruno.ok("contact", "add", "\u00c1na Lima")
    bruno.ok("contact", "add", "Anastasia")
    alike = bruno.ok("contact", "add", "ana", "--email", "ana@example.org")["id"]
    answer = bruno.ok("peer", "accept", ana.ok("peer", "invite")["uri"])
    assert answer["state"] == "linked"
    assert {row["name"] for row in answer["look_alike"]} == {"\u00c1na Lima", "ana"}, answer
    assert alike in {row["id"] for row in answer["look_alike"]}
    chie = place.member("Chie").start()
    assert "look_alike" not in chie.ok("peer", "accept", ana.ok("peer", "invite")["uri"])


def a_named_contact_is_the_one_that_is_linked(place):
    ana, bruno = place.member("Ana").start(), place.member("Bruno").start()
    contact = ana.ok("contact", "add", "Bruno from the choir", "--note", "mine")["id"]
    uri = ana.ok("peer", "invite", "bruno from the choir")["uri"]
    assert bruno.ok("peer", "accept", uri)["state"] == "linked"
    bruno.ok("me", "edit", "--title", "Carpenter")
    until(lambda: ana.ok("contact", "show", contact).get("card", {}).get("title") == "Carpenter")
    shown = ana.ok("contact", "show", contact)
    assert shown["peer"] is True and shown["member"] == bruno.identity["member"]
    assert shown["name"] == "Bruno from the choir" and shown["mine"]["name"] == shown["name"]
    assert shown["title"] == "Carpenter" and shown["note"] == "mine"
    ana.fails(1, "peer", "invite", "bruno from the choir")


def an_invitation_is_a_picture_too(place):
    """Drawn in a terminal of its own; the next case reads it."""
    ana = place.member("Ana")
    code, text = on_terminal(KITH, "--home", ana.home, "peer", "invite", "--qr")
    assert code == 0 and "kith:1" in text and "to nobody else" in text, text
    rows = [row for row in text.splitlines() if row.count("\u2588") > 10]
    assert len(rows) > 15 and len({len(row) for row in rows}) == 1, text


def a_camera_reads_the_picture(place):
    """What the terminal shows, as an image of 8 dots a module, read back by a decoder."""
    if shutil.which("zbarimg") is None:
        raise Skip("there is no zbarimg here (Debian: zbar-tools)")
    ana = place.member("Ana")
    _, text = on_terminal(KITH, "--home", ana.home, "peer", "invite", "--qr")
    uri = next(line for line in text.splitlines() if line.startswith("kith:1"))
    # The letters as a dark terminal shows them: what is drawn is light.
    light = {" ": (0, 0), "\u2584": (0, 1), "\u2580": (1, 0), "\u2588": (1, 1)}
    rows = [row for row in text.splitlines() if set(row) <= set(light) and len(row) > 20]
    image = b""
    for row in rows:
        for half in (0, 1):
            line = b"".join(bytes([255 * light[letter][half]]) * 8 for letter in row)
            image += line * 8
    path = os.path.join(place.path, "picture.pgm")
    with open(path, "wb") as file:
        file.write(b"P5 %d %d 255\n" % (len(rows[0]) * 8, len(rows) * 16) + image)
    read = subprocess.run(["zbarimg", "--raw", "-q", path], capture_output=True, timeout=60,
                          check=False)
    assert read.stdout.decode().strip() == uri, (read.stdout, read.stderr)


def what_does_not_fit_an_invitation_is_told(place):
    ana = place.member("Ana")
    given = [f"203.0.113.{number}:5484" for number in range(1, 7)]
    flags = [word for one in given for word in ("--address", one)]
    answer = ana.ok("peer", "invite", *flags)
    assert answer["left_out"][:2] == given[4:], answer
    code, text = ana.call("peer", "invite", *flags, text=True)
    assert code == 0 and given[5] in text and len(text.splitlines()) == 2, text
    node = subprocess.Popen([KITH, "--home", ana.home, "run", "--json", "--no-listen"],
                            stdout=subprocess.PIPE)
    try:
        assert b'"ready":true' in node.stdout.readline()
        assert "--address" in ana.fails(1, "peer", "invite")["hint"]
        ana.ok("peer", "invite", "--address", given[0])
    finally:
        node.terminate()
        node.communicate(timeout=20)


def invitations_need_an_address(place):
    ana = place.member("Ana")
    answer = ana.ok("peer", "invite", "--address", "203.0.113.5:5484")
    assert answer["uri"].startswith("kith:1") and answer["expires"].endswith("Z")
    ana.fails(2, "peer", "invite", "--address", "nowhere")


run(dict(globals()))
