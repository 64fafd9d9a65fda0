"""Ctrl-C anywhere: every command of the table, wherever it waits. Whatever is interrupted ends by
SIGINT, which a shell tells as 130, and leaves its terminal as it was."""
import fcntl
import json
import os
import signal
import subprocess
import time

from kithtest import KITH, Terminal, run, until
from typed import ALONE, NEED_NODE, begin, interrupted, table


def is_sleeping(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "S"
    except FileNotFoundError:
        return False


class Asking(Terminal):
    """A command that asks for the passphrase, and the terminal silent."""

    def __init__(self, *words):
        super().__init__(KITH, *words)
        self.hears("Passphrase: ")
        until(lambda: not self.echoes(), 20, "the letters show")


def at_the_passphrase_every_command_ends_and_the_terminal_echoes_again(place):
    ana = place.member("Ana", passphrase="correct horse")
    before = ana.ok("status")["entries"]
    asked = 0
    for command, words in table(ana):
        if command in ALONE or command in NEED_NODE or command == "log":
            continue
        asking = Asking("--home", ana.home, *words)
        asking.say("corr\x03")
        assert asking.wait() == -signal.SIGINT, (command, asking.shown)
        assert asking.echoes(), command
        asking.close()
        asked += 1
    assert asked > 50 and ana.ok("status")["entries"] == before


def at_the_passphrase_signals_and_the_end_of_input_leave_an_echoing_terminal(place):
    ana = place.member("Ana", passphrase="correct horse")
    for command in (["status"], ["contact", "add", "Joon"], ["run", "--no-listen"]):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            asking = Asking("--home", ana.home, *command)
            os.kill(asking.pid, number)
            assert asking.wait() == -number, (command, number, asking.shown)
            # A command's child restores the terminal, perhaps a moment after its parent's end.
            until(asking.echoes, 5, f"silent after {command} and {number}")
            asking.close()
        asking = Asking("--home", ana.home, *command)
        asking.say("\x04")
        assert asking.wait() == 8 and asking.echoes(), (command, asking.shown)
        assert b"cancelled" in asking.shown
        asking.close()
    asking = Asking("--home", ana.home, "contact", "add", "Joon")
    asking.say("wrong\x15corrext\x7f\x7fct horse\n")
    assert asking.wait() == 0, asking.shown
    assert b"corr" not in asking.shown, "the passphrase shows"
    asking.close()
    assert ana.ok("contact", "list")["total"] == 1


def every_command_that_waits_for_another_ends(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon")
    before = ana.ok("status")["entries"]
    waited = 0
    with open(os.path.join(ana.home, "lock"), "r+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("command %d" % os.getpid())
        lock.flush()
        commands = [words for command, words in table(ana)
                    if command not in ALONE | NEED_NODE and command != "log"]
        for at in range(0, len(commands), 8):  # Side by side: each has to wait for a while.
            side = [begin(ana, *words) for words in commands[at:at + 8]]
            time.sleep(0.6)
            for waiting in side:
                waiting.send_signal(signal.SIGINT)
            for waiting in side:  # What only reads may have ended by itself.
                _, error = waiting.communicate(timeout=15)
                assert waiting.returncode in (-signal.SIGINT, *range(9)), (waiting.args, error)
                assert b"Sanitizer" not in error, error
                waited += waiting.returncode == -signal.SIGINT
        assert waited > 25, waited
    assert ana.ok("status")["entries"] == before
    assert ana.ok("doctor")["healthy"] is True


def every_command_ends_while_its_node_does_not_answer(place):
    ana = place.member("Ana").start()
    ana.ok("contact", "add", "Joon")
    asked = 0
    ana.process.send_signal(signal.SIGSTOP)
    try:
        commands = [(command, words) for command, words in table(ana)
                    if command not in ALONE | {"run", "doctor", "stop"}]
        for command, words in commands:
            waiting = begin(ana, *words)
            until(lambda: is_sleeping(waiting.pid) or waiting.poll() is not None)
            if waiting.poll() is None:
                time.sleep(0.05)
            if waiting.poll() is None:
                interrupted(waiting)
                asked += 1
            else:
                waiting.communicate()
    finally:
        ana.process.send_signal(signal.SIGCONT)
    assert asked > 50, asked
    until(lambda: ana.ok("status")["node"] == "running")
    assert ana.ok("doctor")["healthy"] is True


def init_is_whole_or_nothing(place):
    """At any moment: an identity whose words were told, or none, and no words of nobody."""
    made = 0
    for at in range(60):
        if made == 2:
            break
        home = os.path.join(place.path, "home%d" % at)
        words = os.path.join(place.path, "words%d" % at)
        secret = os.path.join(place.path, "pass")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("correct horse\n")
        os.chmod(secret, 0o600)
        making = subprocess.Popen(
            [KITH, "--home", home, "--json", "--passphrase-file", secret, "init", "--name", "Ana",
             "--recovery-file", words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.03 * at)
        making.send_signal(signal.SIGINT)
        out, error = making.communicate(timeout=60)
        is_made = os.path.exists(os.path.join(home, "key"))
        made += is_made
        assert making.returncode in (0, -signal.SIGINT), (making.returncode, error)
        assert os.path.exists(words) == is_made, (at, out)
        if is_made:
            assert json.loads(out)["recovery_words"].count(" ") == 23
        else:
            assert out == b"", out
            done = subprocess.run([KITH, "--home", home, "--json", "init", "--name", "Ana",
                                   "--recovery-file", words], capture_output=True, check=False)
            assert done.returncode == 0, done.stdout
    assert made == 2, made


def init_asks_for_a_name_and_ends(place):
    home = os.path.join(place.path, "asked")
    asking = Terminal(KITH, "--home", home, "init").hears("Your name")
    asking.say("An\x03")
    assert asking.wait() == -signal.SIGINT, asking.shown
    asking.close()
    assert not os.path.exists(os.path.join(home, "key"))
    ana = place.member("Ana")
    asking = Terminal(KITH, "--home", ana.home, "init")
    assert asking.wait() == 6 and b"Your name" not in asking.shown, asking.shown
    asking.close()


def accepting_goes_on_without_the_command(place):
    ana, bruno = place.member("Ana"), place.member("Bruno").start()
    uri = ana.ok("peer", "invite", "Bruno", "--address", "127.0.0.1:9")["uri"]
    waiting = begin(bruno, "peer", "accept", uri)
    until(lambda: [peer["state"] for peer in bruno.peers()] == ["pending"])
    interrupted(waiting)
    assert [peer["state"] for peer in bruno.peers()] == ["pending"]


def following_and_waiting_end_after_what_they_said(place):
    ana, bruno = place.pair()
    following = begin(ana, "log", "--follow")
    first = following.stdout.readline()
    assert b"Bruno" in first, first
    interrupted(following)
    bruno.stop()
    ana.ok("me", "edit", "--title", "Sailor")
    waiting = begin(ana, "sync", "--wait", "60", "Bruno")
    time.sleep(1)
    assert waiting.poll() is None or waiting.returncode == 1
    if waiting.poll() is None:
        interrupted(waiting)
    else:
        waiting.communicate()
    bruno.start()
    until(lambda: ana.card_of("Bruno") and bruno.card_of("Ana").get("title") == "Sailor", 40)


run(dict(globals()))
