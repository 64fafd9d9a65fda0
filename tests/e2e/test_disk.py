"""A disk that fails: every call the program makes on its files, one after the other, and what must
hold then. Nothing is acknowledged that is not durable, nothing is half done, nobody is left without
a word, and what was there before is there after."""
import errno
import os
import subprocess

from kithtest import KITH, LATER, Skip, link, run, until

LIBRARY = os.environ.get("KITH_FAULT_LIBRARY",
                         os.path.join(os.path.dirname(LATER), "libkith_fault.so"))
CARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person %d\r\nEND:VCARD\r\n"


class Disk:
    """What is ordered to fail, while it is (tests/e2e/fault.c)."""

    def __init__(self, place):
        if not os.path.exists(LIBRARY):
            raise Skip("no " + LIBRARY)
        if os.geteuid() != 0:
            raise Skip("whose memory nobody may look at, may not look at its own files")
        self.path = os.path.join(place.path, "order")
        self.environment = {"LD_PRELOAD": LIBRARY, "KITH_FAULT": self.path,
                            "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def order(self, calls, path, skip=0, error=errno.EIO, times=1):
        for name in (self.path, self.path + ".fired"):
            if os.path.exists(name):
                os.remove(name)
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(f"{calls} {path} {skip} {error} {times}\n")
        os.rename(self.path + ".new", self.path)

    def works(self):
        if os.path.exists(self.path):
            os.remove(self.path)

    def fired(self):
        return os.path.exists(self.path + ".fired")

    def __enter__(self):
        os.environ.update(self.environment)
        return self

    def __exit__(self, *_):
        self.works()
        for name in self.environment:
            del os.environ[name]


def each_call(disk, calls, path, error, act, most=60):
    """Act with the first such call failing, the second, …, until none is left. How many failed."""
    for skip in range(most):
        disk.order(calls, path, skip, error)
        act()
        if not disk.fired():
            return skip
    raise AssertionError(f"more than {most} calls of {calls} on {path}")


def is_told(code, answer):
    """It went well, or its owner is told, and what to do."""
    assert code in (0, 1), (code, answer)
    if code == 1:
        assert answer["error"]["message"] and answer["error"]["hint"], answer


def names(member):
    return {row["name"] for row in member.ok("contact", "list")["contacts"]}


def a_command_is_told_of_each_call_that_fails(place):
    ana = place.member("Ana")
    acknowledged, number, failures = {"kept"}, 0, 0
    ana.ok("contact", "add", "kept")
    with Disk(place) as disk:
        def add():
            nonlocal number
            number += 1
            code, answer = ana.call("contact", "add", f"person {number}", "--note", "n" * 3000)
            is_told(code, answer)
            if code == 0:
                acknowledged.add(f"person {number}")
        for error in (errno.EIO, errno.ENOSPC):
            for calls in ("write", "sync"):
                failures += each_call(disk, calls, "/ana/store", error, add)
        for calls in ("open", "read"):
            failures += each_call(disk, calls, "/ana/", errno.EIO, add)
        disk.works()
        assert failures > 12, failures
        assert acknowledged <= names(ana), acknowledged - names(ana)
        assert ana.ok("doctor")["healthy"] is True


def an_identity_is_made_whole_or_not_at_all(place):
    home = os.path.join(place.path, "new")
    with Disk(place) as disk:
        def init():
            done = subprocess.run([KITH, "--home", home, "--no-input", "--json", "init", "--name",
                                   "Ana"], capture_output=True, check=False)
            assert b"Sanitizer" not in done.stderr, done.stderr
            assert done.returncode in (0, 1), done
            if done.returncode == 1:
                assert b'"hint"' in done.stdout, done.stdout
            disk.works()
            fired = disk.fired()
            # Whatever happened: there is an identity that works, or the next init makes one.
            again = subprocess.run([KITH, "--home", home, "--no-input", "--json", "init", "--name",
                                    "Ana"], capture_output=True, check=False)
            assert again.returncode == (6 if done.returncode == 0 else 0), (done, again)
            status = subprocess.run([KITH, "--home", home, "--json", "status"],
                                    capture_output=True, check=False)
            assert status.returncode == 0 and b'"name":"Ana"' in status.stdout, status
            subprocess.run(["rm", "-r", home], check=True)
            if fired:
                disk.order("none", "none")
                with open(disk.path + ".fired", "w", encoding="ascii") as file:
                    file.write("x")
        failures = 0
        for calls in ("write", "sync", "rename"):
            failures += each_call(disk, calls, "/new", errno.EIO, init)
        assert failures > 8, failures


def a_key_file_that_cannot_be_read_is_not_called_damaged(place):
    ana = place.member("Ana")
    with Disk(place) as disk:
        disk.order("read", "/ana/key", times=0)
        error = ana.fails(1, "contact", "list")
        assert disk.fired() and "damaged" not in error["message"], error
        disk.works()
        ana.ok("contact", "list")


def a_node_whose_disk_fails_ends_itself_and_says_so(place):
    ana = place.member("Ana")
    with Disk(place) as disk:
        acknowledged = set()
        for number, calls in enumerate(("sync", "write")):
            ana.start()
            ana.ok("contact", "add", f"before {number}")
            acknowledged.add(f"before {number}")
            disk.order(calls, "data.mdb")
            error = ana.fails(1, "contact", "add", f"lost {number}")
            assert disk.fired() and "kith doctor" in str(error), error
            _, told = ana.process.communicate(timeout=20)
            assert ana.process.returncode not in (0, -6, -11), ana.process.returncode
            assert b"kith doctor" in told and b"Sanitizer" not in told, told
            ana.process = None
            disk.works()
            assert ana.ok("status")["node"] == "stopped"
            assert ana.ok("doctor")["healthy"] is True
            assert acknowledged <= names(ana), names(ana)


def what_a_peer_gave_is_not_acknowledged_by_a_failed_disk(place):
    with Disk(place) as disk:
        ana = place.member("Ana").start()
        bruno = place.member("Bruno").start()
        link(ana, bruno)
        until(lambda: bruno.peers()[0]["in_step"])
        disk.order("sync", "/ana/store", times=0)
        bruno.ok("me", "edit", "--title", "not yet")
        ana.process.communicate(timeout=20)
        assert ana.process.returncode not in (0, -6, -11)
        ana.process = None
        assert bruno.peers()[0]["undelivered"] > 0
        disk.works()
        ana.start()
        until(lambda: ana.card_of("Bruno").get("title") == "not yet", 30)
        until(lambda: bruno.peers()[0]["undelivered"] == 0)


def a_socket_that_fails_is_made_anew(place):
    with Disk(place) as disk:
        ana = place.member("Ana").start()
        bruno = place.member("Bruno").start()
        link(ana, bruno)
        for number, calls in enumerate(("read", "write") * 2):
            disk.order(calls, "socket:", times=2)
            bruno.call("me", "edit", "--title", f"title {number}")
            disk.works()
            bruno.ok("me", "edit", "--title", f"title {number}")
            until(lambda n=number: ana.card_of("Bruno").get("title") == f"title {n}", 30,
                  f"not after a failed {calls}")
        assert not ana.events("violation") and not bruno.events("violation")


def files_that_are_written_for_others_are_whole_or_not_there(place):
    ana = place.member("Ana")
    for number in range(3):
        ana.ok("contact", "add", f"Person {number}", "--note", "n" * 2000)
    out = os.path.join(place.path, "out.vcf")
    ana.ok("export", "-o", out)
    with open(out, "rb") as file:
        whole = file.read()
    with Disk(place) as disk:
        def export():
            if os.path.exists(out):
                os.remove(out)
            code, answer = ana.call("export", "-o", out)
            is_told(code, answer)
            if code == 0:
                with open(out, "rb") as file:
                    assert file.read() == whole
            else:
                assert not os.path.exists(out), "half a file was left"
            left = [name for name in os.listdir(place.path) if name.startswith("out.vcf")]
            assert left in ([], ["out.vcf"]), left
        failures = 0
        for error in (errno.EIO, errno.ENOSPC):
            for calls in ("write", "sync", "rename"):
                failures += each_call(disk, calls, "out.vcf", error, export)
        assert failures >= 4, failures


def a_file_that_cannot_be_read_imports_nobody(place):
    ana = place.member("Ana")
    book = os.path.join(place.path, "book.vcf")
    with open(book, "wb") as file:
        file.write(b"".join(CARD % number for number in range(5000)))
    with Disk(place) as disk:
        disk.order("read", "book.vcf", skip=1)
        ana.fails(1, "import", book)
        assert disk.fired() and ana.ok("contact", "list")["total"] == 0
        disk.works()
        assert ana.ok("import", book)["new"] == 5000


if __name__ == "__main__":
    run(dict(globals()))
