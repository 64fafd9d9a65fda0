"""Many peers on real sockets, some of them slow on purpose: the others are served, memory has a
bound, and what the node says of itself is true."""
import os
import subprocess
import time

from kithtest import LATER, run, until

CROWD = os.environ.get("KITH_CROWD_BINARY", os.path.join(os.path.dirname(LATER), "kith_crowd"))


class Crowd:
    """Peers that one program plays; a letter each (tests/e2e/crowd.c)."""

    def __init__(self, member, modes):
        self.member, self.modes = member, modes
        self.process = subprocess.Popen([CROWD, member.home, modes], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"linked\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=20)

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return list(iter(self.process.stdout.readline, b"\n"))

    def go(self):
        self.say("go " + self.member.listen[0].rsplit(":", 1)[1])

    def state(self):
        """(mode, is open, entries given) of each."""
        return [(mode, line.startswith(b"open"), int(line.split()[1]))
                for mode, line in zip(self.modes, self.say("state"))]

    def open(self):
        return sum(is_open for _, is_open, _ in self.state())


def memory(member):
    """MiB of the node's own."""
    with open(f"/proc/{member.process.pid}/smaps_rollup", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Anonymous")) / 1024


def start(member):
    # A sanitizer keeps what was freed; here memory is looked at.
    os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=1"
    try:
        return member.start()
    finally:
        del os.environ["ASAN_OPTIONS"]


def edits_reach(ana, crowd, modes, seconds=10):
    before = {at: row[2] for at, row in enumerate(crowd.state())}
    begun = time.monotonic()
    ana.ok("me", "edit", "--title", f"at {begun}")

    def have_it():
        return all(entries > before[at] for at, (mode, _, entries) in enumerate(crowd.state())
                   if mode in modes)
    until(have_it, seconds, "somebody was not served")


def slow_peers_are_no_other_peers_business(place):
    ana = place.member("Ana")
    with Crowd(ana, "rrrrr" + "duopbs" + "hhhttt") as crowd:
        start(ana)
        crowd.go()
        until(lambda: ana.ok("status")["peers"]["online"] == 11, 20, "not all came in")
        edits_reach(ana, crowd, "r")
        before = memory(ana)
        for number in range(150):  # 1.5 MB for all; the slow ones let it lie
            ana.request("me.edit", url=[f"https://example.org/{number}/{at}/" + "x" * 950
                                        for at in range(10)])
        edits_reach(ana, crowd, "r")
        assert memory(ana) < before + 48, (before, memory(ana))
        # Who stopped in the handshake is gone in ten seconds, the others have their minute.
        until(lambda: not any(is_open for mode, is_open, _ in crowd.state() if mode in "ht"), 15,
              "stalled handshakes were kept")
        assert all(is_open for mode, is_open, _ in crowd.state() if mode not in "ht")
        assert ana.ok("status")["peers"]["online"] == 11
        assert not ana.events("violation"), ana.events("violation")


def what_a_node_says_of_two_hundred_peers_is_true(place):
    ana = place.member("Ana")
    with Crowd(ana, "r" * 200) as crowd:
        ana.start()
        assert ana.ok("status")["peers"] == {"total": 200, "online": 0}
        assert ana.ok("status")["undelivered"] > 0
        assert all(not row["in_step"] for row in ana.peers())
        crowd.go()
        until(lambda: ana.ok("status")["peers"]["online"] == 200, 30, "not all came in")
        answer = ana.ok("sync", "--wait", "20")
        assert answer["in_step"] and len(answer["peers"]) == 200, answer
        assert all(row["in_step"] for row in answer["peers"])
        until(lambda: ana.ok("status")["undelivered"] == 0)
        rows = ana.peers()
        assert len(rows) == 200 and all(row["in_step"] and row["state"] == "online"
                                        for row in rows)
        edits_reach(ana, crowd, "r")
        assert ana.ok("sync", "--wait", "20")["in_step"]
        ana.stop()
        status = ana.ok("status")
        assert (status["peers"], status["undelivered"]) == ({"total": 200, "online": 0}, 0), status
        ana.ok("me", "edit", "--title", "nobody has heard")
        assert ana.ok("status")["undelivered"] == 200
        assert all(row["undelivered"] == 1 and not row["in_step"] for row in ana.peers())


def one_that_does_not_acknowledge_is_named(place):
    ana = place.member("Ana")
    with Crowd(ana, "r" * 30 + "d") as crowd:
        ana.start()
        crowd.go()
        until(lambda: ana.ok("status")["peers"]["online"] == 31, 30, "not all came in")
        begun = time.monotonic()
        answer = ana.fails_without_error(1, "sync", "--wait", "3")
        assert 2.5 < time.monotonic() - begun < 8
        assert answer["in_step"] is False
        assert sum(not row["in_step"] for row in answer["peers"]) == 1, answer
        assert sum(not row["in_step"] for row in ana.peers()) == 1


if __name__ == "__main__":
    run(dict(globals()))
