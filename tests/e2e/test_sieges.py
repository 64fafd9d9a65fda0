"""Floods by whoever has a way in: leaked knocks, a trusted peer that forges or fills, peers who all
come back at once. Counted is what happens, never how long it takes. KITH_FLOOD=long: all of it."""
import base64
import hashlib
import json
import os
import socket
import subprocess
import time

from kithtest import KITH, LATER, link, run, until

IS_LONG = os.environ.get("KITH_FLOOD") == "long"
FIRSTS = 20000 if IS_LONG else 600
FORGED = 300 if IS_LONG else 12
FILLED, QUOTA = (12000, 10000) if IS_LONG else (1300, 1000)  # a thousand is the least
COMING, MISSING = 100 if IS_LONG else 3, 10000
FILLER = os.environ.get("KITH_FILLER_BINARY", os.path.join(os.path.dirname(LATER), "kith_filler"))
RSS_GROWTH_KIB = 64 << 10  # I7: 64 MiB, and a mebibyte a session


# Where the sanitizer watches it keeps what was freed: as little of it as it can.
os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=1"


def rss_kib(member):
    """Of the process alone: the pages of the store are the kernel's to take back."""
    with open(f"/proc/{member.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))


def said(text):
    print(f"# {text}", flush=True)


def keyed(key, label, data, size):
    return hashlib.blake2b(data, digest_size=size, key=key, person=label.ljust(16, b"\0")).digest()


def first_message(invitation):
    """KNOCK-1 to 3: a knock that fits, and noise behind it."""
    text = invitation.split(":1", 1)[1].upper()
    secret = base64.b32decode(text + "=" * (-len(text) % 8))[32:48]
    root = hashlib.blake2b(secret, digest_size=32, person=b"kith invitation\0").digest()
    knock = keyed(root, b"kith inv knock", b"", 32)
    covered = b"\1" + keyed(root, b"kith selector", b"", 8) + os.urandom(32)
    return keyed(knock, b"kith knock", covered, 16) + covered + os.urandom(256 - 57)


def f3_good_knocks_with_noise_behind_them(place):
    """Whoever holds a knock costs a multiplication each time, and gets not one byte."""
    ana, bruno = place.pair()
    uri = ana.ok("peer", "invite")["uri"]
    host, port = ana.listen[0].rsplit(":", 1)
    before, answered, sent = rss_kib(ana), 0, 0
    for number in range(FIRSTS):
        with socket.socket() as client:
            client.settimeout(20)
            client.bind((f"127.{1 + number // 64516 % 200}.{number // 254 % 254}."
                         f"{1 + number % 254}", 0))
            try:
                client.connect((host, int(port)))
                client.sendall(first_message(uri))
                sent += 1
                if number % 16 == 0:  # The others do not wait to be closed.
                    answered += len(client.recv(4096))
            except OSError:
                pass
    assert sent > FIRSTS // 2 and answered == 0, (sent, answered)
    bruno.ok("me", "edit", "--title", "beside the flood")
    until(lambda: ana.card_of("Bruno").get("title") == "beside the flood", 60)
    assert not ana.events("violation")
    assert rss_kib(ana) < before + RSS_GROWTH_KIB
    link(ana, place.member("Chie").start())  # and the invitations of others still make links
    said(f"F3: {sent} first messages, memory {before} to {rss_kib(ana)} KiB")


def f6_a_peer_that_forges_every_signature(place):
    """It is let go at its first forgery, for an hour after its third; another is served."""
    ana, bruno = place.pair()
    mal = place.member("Mal").start()
    link(ana, mal)
    mal.stop()
    mal.program = LATER
    os.environ["KITH_LATER"] = "forger"
    mal.start()
    del os.environ["KITH_LATER"]
    mal.program = KITH
    before = rss_kib(ana)
    for number in range(FORGED):
        mal.ok("me", "edit", "--title", f"forged {number}")
        mal.call("sync")
        if number % 4 == 0:
            bruno.ok("me", "edit", "--title", f"true {number}")
            until(lambda n=number: ana.card_of("Bruno").get("title") == f"true {n}", 60)
    until(lambda: ana.events("penalty"), 60, "nothing was held against it")
    assert 3 <= len(ana.events("violation")) <= 4, ana.events("violation")
    assert all(who == "Mal" and "SYNC-18" in text for who, text in ana.events("violation"))
    assert not ana.card_of("Mal").get("title")
    assert rss_kib(ana) < before + RSS_GROWTH_KIB
    said(f"F6: {FORGED} forgeries, {len(ana.events('violation'))} told, "
         f"memory {before} to {rss_kib(ana)} KiB")


def edit_often(member, count, text):
    """Commits one after another, over one connection to the node."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(os.path.join(member.home, "node.sock"))
        answers = client.makefile("rb")
        for number in range(count):
            line = json.dumps({"jsonrpc": "2.0", "id": number, "method": "me.edit",
                               "params": {"title": f"{text} {number}"}})
            client.sendall(line.encode() + b"\n")
            assert "result" in json.loads(answers.readline())


def f7_a_peer_that_fills_its_room(place):
    """It stops at its quota, whatever it goes on writing; the owner's edits go on."""
    ana, bruno = place.pair()
    mal = place.member("Mal").start()
    link(ana, mal)
    ana.ok("peer", "quota", "mal", "--entries", str(QUOTA))
    before = rss_kib(ana)
    edit_often(mal, FILLED // 2, "line rate")
    edit_often(ana, 50, "my own")
    edit_often(mal, FILLED - FILLED // 2, "more")
    until(lambda: ana.ok("peer", "quota", "mal").get("full"), 120, "it is never full")
    held = ana.ok("peer", "quota", "mal")
    assert held["entries"] <= QUOTA, held
    assert ana.ok("me", "show")["title"] == "my own 49"
    bruno.ok("me", "edit", "--title", "beside it")
    until(lambda: ana.card_of("Bruno").get("title") == "beside it", 60)
    assert not ana.events("violation") and not mal.events("violation")
    assert rss_kib(ana) < before + RSS_GROWTH_KIB, rss_kib(ana)
    said(f"F7: {FILLED} written, {held['entries']} taken of {QUOTA}, "
         f"memory {before} to {rss_kib(ana)} KiB")


def seen_in_step(member, begun, times):
    """Notes when each peer was first in step; have all been?"""
    for row in member.request("peer.list")["result"]["peers"]:
        if row["in_step"] and row["state"] == "online":
            times.setdefault(row["name"], time.monotonic() - begun)
    return len(times) == COMING


def f8_all_peers_come_back_at_once(place):
    """Everybody wrote while this node was away; nobody is left out."""
    ana = place.member("Ana").start()
    listen = ana.listen[0]
    others = [place.member(f"Peer{number}").start() for number in range(COMING)]
    for other in others:
        link(ana, other)
    ana.stop()
    for other in others:
        other.stop()
        subprocess.run([FILLER, other.home, str(MISSING - 1)], check=True, timeout=120)
        other.ok("me", "edit", "--title", other.name)
    for other in others:
        other.start()
    begun, times = time.monotonic(), {}
    ana.start(listen)
    before = peak = rss_kib(ana)

    def all_are_in_step():
        nonlocal peak
        peak = max(peak, rss_kib(ana))
        return seen_in_step(ana, begun, times)
    until(all_are_in_step, 300, f"only {sorted(times)} came")
    for other in others:  # What is durable may be read a moment later.
        until(lambda o=other: ana.card_of(o.name).get("title") == o.name, 300, other.name)
        assert ana.ok("peer", "quota", other.name)["entries"] >= MISSING
    ana.ok("me", "edit", "--title", "seen by all")
    for other in others:
        until(lambda o=other: o.card_of("Ana").get("title") == "seen by all", 120)
    assert peak < before + RSS_GROWTH_KIB + COMING * 1024, (before, peak)
    order = sorted(times.values())
    said(f"F8: {COMING} peers, {MISSING} entries each: in step after "
         + ", ".join(f"{order[min(len(order) - 1, len(order) * part // 100)]:.1f} s (p{part})"
                     for part in (50, 90, 99, 100))
         + f"; memory {before} KiB at first, {peak} at most")


# F9 of the list is about a local web page: there is none to flood.
run(dict(globals()))
