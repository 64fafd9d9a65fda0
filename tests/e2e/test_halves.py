"""Ctrl-C in the middle of what a command does: it is done, or it is not."""
import os
import signal
import subprocess
import time

from kithtest import KITH, link, run, until
from typed import ALONE, begin, interrupted, table


def while_a_command_works_it_is_done_or_it_is_not(place):
    """Each command once, at another moment each, with and without a node."""
    ana = place.member("Ana")
    for name in ("Joon", "Chie", "Dora"):
        ana.ok("contact", "add", name)
    for is_running in (False, True):
        if is_running:
            ana.start()
        for at, (command, words) in enumerate(table(ana)):
            if command in ALONE or command in ("run", "stop"):
                continue
            working = begin(ana, *words)
            time.sleep(0.013 * (at % 9))
            working.send_signal(signal.SIGINT)
            _, error = working.communicate(timeout=30)
            assert working.returncode in (-signal.SIGINT, *range(8)), (words, working.returncode)
            assert b"Sanitizer" not in error and b"cannot be read" not in error, (words, error)
        ana.ok("contact", "add", "After %d" % is_running)
        doctor = ana.ok("doctor")
        assert doctor["healthy"] is True, doctor


def book(count):
    return b"".join(b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person %d\r\nNOTE:%s\r\nEND:VCARD\r\n" %
                    (at, b"of some length " * 20) for at in range(count))


def an_export_leaves_no_half_file(place):
    ana = place.member("Ana")
    ana.ok("import", "-", stdin=book(4000), timeout=120)
    path = os.path.join(place.path, "out.vcf")
    for is_running in (False, True):
        if is_running:
            ana.start()
        piping = begin(ana, "export")
        assert piping.stdout.read(4096).startswith(b"BEGIN:VCARD")
        interrupted(piping)
        for wait in (0.02, 0.1, 0.3, 0.6):
            writing = begin(ana, "export", "-o", path)
            time.sleep(wait)
            writing.send_signal(signal.SIGINT)
            writing.communicate(timeout=30)
            if os.path.exists(path):
                with open(path, "rb") as file:
                    assert file.read().count(b"END:VCARD") == 4000
                os.unlink(path)
    ana.ok("export", "-o", path, timeout=120)


def an_import_through_a_node_is_whole_or_nothing(place):
    """The command ends; what the node had been given whole it may finish, half a file never."""
    ana = place.member("Ana").start()
    for wait in (0.05, 0.15, 0.3):
        total = ana.ok("contact", "list", "--limit", "1")["total"]
        importing = begin(ana, "import", "-", stdin=subprocess.PIPE)
        importing.stdin.write(book(3000))
        importing.stdin.flush()
        if wait > 0.1:
            importing.stdin.close()
            importing.stdin = None
        time.sleep(wait)
        importing.send_signal(signal.SIGINT)
        importing.communicate(timeout=60)
        time.sleep(1)
        now = ana.ok("contact", "list", "--limit", "1", timeout=120)["total"]
        assert now in (total, 3000), (wait, total, now)
    assert ana.ok("doctor", timeout=120)["healthy"] is True


def a_rebuild_goes_on_where_it_was(place):
    ana = place.member("Ana")
    ana.ok("import", "-", stdin=book(4000), timeout=120)
    for is_running in (False, True):
        if is_running:
            ana.start()
        for wait in (0.05, 0.2, 0.4, 0.8):
            rebuilding = begin(ana, "doctor", "--rebuild")
            time.sleep(wait)
            rebuilding.send_signal(signal.SIGINT)
            rebuilding.communicate(timeout=120)
            # A node answers meanwhile, with what has been read again so far.
            until(lambda: ana.ok("contact", "list", "--limit", "1", timeout=120)["total"] == 4000,
                  60 if is_running else 1, f"running: {is_running}, after {wait} s")
        assert ana.ok("doctor", timeout=120)["healthy"] is True
        assert ana.ok("contact", "search", "person 03999", timeout=120) is not None


def a_node_ends_at_its_start_and_while_it_serves(place):
    ana = place.member("Ana")
    ana.ok("import", "-", stdin=book(2000), timeout=120)
    for at in range(10):
        starting = subprocess.Popen([KITH, "--home", ana.home, "--no-input", "run", "--json",
                                     "--listen", "127.0.0.1:0"],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.02 * at)
        starting.send_signal(signal.SIGINT)
        out, error = starting.communicate(timeout=30)
        # Before it serves it ends by the signal; from then on it stops cleanly.
        assert starting.returncode == (0 if out else -signal.SIGINT) or starting.returncode == 0, (
            starting.returncode, out, error)
        assert b"Sanitizer" not in error, error
        assert ana.ok("contact", "add", "Between %d" % at)["id"]
    # While a link is being made, and with commands under way.
    ana.start()
    bruno = place.member("Bruno").start()
    link(ana, bruno)
    waiting = begin(ana, "log", "--follow")
    assert waiting.stdout.readline()
    ana.process.send_signal(signal.SIGINT)
    assert ana.wait_end() == 0
    waiting.communicate(timeout=20)
    assert waiting.returncode == 0, waiting.returncode
    assert ana.ok("doctor")["healthy"] is True and ana.ok("status")["node"] == "stopped"


run(dict(globals()))
