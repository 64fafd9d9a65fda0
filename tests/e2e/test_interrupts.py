"""Ctrl-C anywhere: every command of the table, wherever it waits, and in the middle of what it
does. Whatever is interrupted ends by SIGINT, which a shell tells as 130, and is done or is not."""
import fcntl
import json
import os
import signal
import subprocess
import time

from kithtest import KITH, Terminal, link, run, until

# What stands for an argument or a flag's value; whatever is not here is a person.
WORDS = {"NAME": "Joon", "URI": "kith:1abc", "FILE": __file__, "TOPIC": "WHO", "SHELL": "bash",
         "DATE": "2027-01-01", "N": "5", "SECONDS": "30", "HOST:PORT": "127.0.0.1:0",
         "KEY=VALUE": "org=ACME", "ALIAS": "joonie", "TEXT": "seen at the fair"}
# Commands that say something by themselves: no home is read, nothing is waited for.
ALONE = {"help", "version", "man", "completion", "init", "complete"}
NEED_NODE = {"stop", "sync"}


def table(member):
    """(command, its words with plausible arguments and the flags it cannot do without)."""
    needed = {"endorse": ["--about", "boats", "--relation", "client", "--words",
                          "Sails well and tells the truth."],
              "introduce": ["--why", "Both sail."], "contact edit": ["--set", "org=ACME"],
              "me edit": ["--title", "Sailor"], "remind": ["--every", "3m"],
              "endorsement export": ["--all"], "ask reply": ["--text", "Somebody comes to mind."],
              "intro want": ["--tag", "boats", "--from", "Joon"],
              "sync": ["--wait", "50"], "log": ["--follow"], "run": ["--listen", "127.0.0.1:0"]}
    for row in member.ok("help")["commands"]:
        words = row["command"].split()
        for argument in row["arguments"]:
            plain = argument.strip("[].")
            if not argument.startswith("[") or plain in ("FILE", "TEXT"):
                words.append(WORDS.get(plain, "Joon"))
        yield row["command"], words + needed.get(row["command"], [])


def begin(member, *words, **more):
    return subprocess.Popen([KITH, "--home", member.home, "--no-input", *words],
                            stdin=more.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **more)


def interrupted(process, seconds=15):
    """Sends Ctrl-C: what it had said. It must end by it, and be sorry for nothing."""
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=seconds)
    assert process.returncode == -signal.SIGINT, (process.args, process.returncode, out, error)
    assert b"Sanitizer" not in error, error
    return out


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
        for command, words in table(ana):
            if command in ALONE or command in NEED_NODE or command == "log":
                continue
            waiting = begin(ana, *words)
            try:
                waiting.communicate(timeout=0.6)
            except subprocess.TimeoutExpired:
                interrupted(waiting)
                waited += 1
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
