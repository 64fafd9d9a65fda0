"""Real processes on loopback. Each case is a function whose name is a sentence; it prints
`ok NAME` or `not ok NAME: why`. Every process is ended by its own pid, whatever happens, and every
wait is on a condition and bounded."""
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

KITH = os.environ.get("KITH_BINARY", "build-check/kith")
LATER = os.environ.get("KITH_LATER_BINARY",
                       os.path.join(os.path.dirname(KITH), "tests", "kith_later"))
DATA = os.environ.get(
    "KITH_TEST_DATA",
    os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared", "data"))


class Skip(Exception):
    """Raised by a case that cannot run here; says why."""


class Member:
    """One home and its node, if it runs."""

    def __init__(self, place, name, passphrase=None):
        self.home = os.path.join(place, name.lower())
        self.name = name
        self.process = None
        self.program = KITH
        self.extra = []
        if passphrase is not None:
            path = os.path.join(place, name.lower() + ".pass")
            with open(path, "w", encoding="utf-8") as file:
                file.write(passphrase + "\n")
            os.chmod(path, 0o600)
            self.extra = ["--passphrase-file", path]
        self.identity = self.ok("init", "--name", name)

    def call(self, *args, text=False, stdin=None, timeout=60):
        """Runs a command: (exit code, parsed document, or the text of both streams)."""
        command = [KITH, "--home", self.home, "--no-input", *self.extra]
        command += [] if text else ["--json"]
        done = subprocess.run(command + list(args), input=stdin, capture_output=True,
                              timeout=timeout, check=False)
        out = done.stdout.decode("utf-8", "replace")
        if text:
            return done.returncode, out + done.stderr.decode("utf-8", "replace")
        assert b"AddressSanitizer" not in done.stderr, done.stderr.decode()
        lines = [json.loads(line) for line in out.split("\n") if line]
        return done.returncode, lines[0] if len(lines) == 1 else lines

    def ok(self, *args, **more):
        code, answer = self.call(*args, **more)
        assert code == 0, f"kith {' '.join(args)} ended with {code}: {answer}"
        return answer

    def fails(self, code, *args, **more):
        """Must fail with this code, a sentence and the next line to type."""
        got, answer = self.call(*args, **more)
        assert got == code, f"kith {' '.join(args)} ended with {got}, not {code}: {answer}"
        assert answer["error"]["code"] == code and answer["error"]["message"], answer
        assert answer["error"].get("hint"), f"no hint: {answer}"
        return answer["error"]

    def fails_without_error(self, code, *args):
        """Ends with this code and an answer, not a failure: sync that did not get in step."""
        got, answer = self.call(*args)
        assert got == code and "error" not in answer, (got, answer)
        return answer

    def start(self, listen="127.0.0.1:0", *more):
        where = ["--no-listen"] if listen is None else ["--listen", listen]
        self.process = subprocess.Popen(
            [self.program, "--home", self.home, "--no-input", *self.extra, "run", "--json", *where,
             *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line.startswith(b'{"ready"'):
            _, error = self.process.communicate(timeout=10)
            self.process = None
            raise AssertionError(f"the node of {self.name} did not start: {line} {error}")
        self.ready = json.loads(line)
        self.listen = self.ready["listen"]
        return self

    def stop(self):
        self.ok("stop")
        self.wait_end()

    def wait_end(self, seconds=20):
        _, error = self.process.communicate(timeout=seconds)
        code = self.process.returncode
        self.process = None
        assert b"Sanitizer" not in error, error.decode()
        return code

    def kill9(self):
        self.process.kill()
        self.process.communicate()
        self.process = None

    def end(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.wait_end()
            except subprocess.TimeoutExpired:
                self.kill9()

    def ask(self, *lines, seconds=10):
        """What the node's socket answers to these lines of bytes, as a list of documents."""
        heard = b""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(seconds)
            client.connect(os.path.join(self.home, "node.sock"))
            try:
                client.sendall(b"".join(lines))
                client.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass
            try:
                while piece := client.recv(65536):
                    heard += piece
            except ConnectionResetError:
                pass
        return [json.loads(line) for line in heard.decode("utf-8", "replace").splitlines()]

    def request(self, method, **params):
        """One answer to one request; half of the connection stays open for it."""
        line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(os.path.join(self.home, "node.sock"))
            client.sendall(line.encode() + b"\n")
            heard = client.makefile("rb").readline()
        return json.loads(heard)

    def card_of(self, who):
        code, answer = self.call("peer", "show", who)
        return answer.get("card", {}) if code == 0 else {}

    def peers(self):
        return self.ok("peer", "list")["peers"]

    def events(self, kind):
        """What the log tells of this kind: (who, text), the oldest first."""
        _, answer = self.call("log")
        rows = answer if isinstance(answer, list) else [answer]
        return [(row.get("who"), row["text"]) for row in rows if row.get("kind") == kind]

    def leads(self):
        return self.ok("lead", "list")["leads"]

    def holds(self, text):
        """Is this anywhere in the files of the home, as it lies there?"""
        for folder, _, files in os.walk(self.home):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    if text.encode() in file.read():
                        return True
        return False


def until(condition, seconds=20, what="it did not come to that"):
    """Looks often at first, then less: every look may be a process."""
    end, pause = time.monotonic() + seconds, 0.02
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    raise AssertionError(what)


def start_later(member, how):
    """The node of this member runs as one that does otherwise: see later.c."""
    member.program = LATER
    os.environ["KITH_LATER"] = how
    try:
        return member.start()
    finally:
        del os.environ["KITH_LATER"]
        member.program = KITH


def link(inviter, acceptor):
    uri = inviter.ok("peer", "invite", acceptor.name)["uri"]
    answer = acceptor.ok("peer", "accept", uri)
    assert answer["state"] == "linked", answer
    return uri


class Terminal:
    """A program on a terminal of its own, this many columns wide. What it says gathers in shown."""

    def __init__(self, *command, columns=80, **env):
        self.shown = b""
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.environ.update({"TERM": "xterm", **env})
            os.execvp(command[0], command)

    def read(self, seconds=0.0):
        """All it has said, after waiting so long for more; False when it has closed its side."""
        try:
            while select.select([self.end], [], [], seconds)[0]:
                piece = os.read(self.end, 65536)
                if not piece:
                    return False
                self.shown += piece
                seconds = 0
        except OSError:
            return False  # Linux says so when the other end closes.
        return True

    def say(self, text):
        os.write(self.end, text.encode())

    def hears(self, text, seconds=20, since=0):
        """Waits until it has shown this, after so many bytes."""
        end = time.monotonic() + seconds
        while text.encode() not in self.shown[since:]:
            left = end - time.monotonic()
            assert left > 0 and self.read(left) or text.encode() in self.shown[since:], \
                f"{text!r} is not in {self.shown[since:]!r}"
        return self

    def echoes(self):
        return bool(termios.tcgetattr(self.end)[3] & termios.ECHO)

    def wait(self, seconds=30):
        """Its exit code, or the signal that ended it, below 0. Its side stays open for a look."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            is_open = self.read(0.02)
            pid, status = os.waitpid(self.pid, 0 if not is_open else os.WNOHANG)
            if pid == self.pid:
                self.read()
                return os.waitstatus_to_exitcode(status)
        self.kill()
        raise AssertionError(f"it does not end: {self.shown}")

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.close()

    def close(self):
        os.close(self.end)

    def text(self):
        return self.shown.decode("utf-8", "replace").replace("\r", "")


def on_terminal(*command, columns=80, **env):
    """Runs a program on a terminal: (exit code, what it showed)."""
    terminal = Terminal(*command, columns=columns, **env)
    code = terminal.wait(60)
    terminal.close()
    return code, terminal.text()


class Place:
    """A temporary folder with the members of one case."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="kith-e2e-")
        self.members = []
        return self

    def member(self, name, **more):
        member = Member(self.path, name, **more)
        self.members.append(member)
        return member

    def twin(self, member):
        """A machine cloned from a stopped member's."""
        twin = Member.__new__(Member)
        twin.__dict__.update(member.__dict__)
        twin.home = member.home + ".twin"
        shutil.copytree(member.home, twin.home, ignore=shutil.ignore_patterns("node.sock"))
        twin.process = None
        self.members.append(twin)
        return twin

    def beside(self, member, name):
        """The home of a further device of a member, not made yet."""
        device = Member.__new__(Member)
        device.__dict__.update(member.__dict__)
        device.home = os.path.join(self.path, name)
        device.process = None
        self.members.append(device)
        return device

    def pair(self):
        """Two running members that are linked."""
        ana, bruno = self.member("Ana").start(), self.member("Bruno").start()
        link(ana, bruno)
        return ana, bruno

    def __exit__(self, *_):
        for member in self.members:
            try:
                member.end()
            finally:
                if member.process is not None:
                    member.kill9()
        shutil.rmtree(self.path, ignore_errors=True)


def cases_of(names):
    """The cases of a driver: its functions in the order they stand."""
    return [case for name, case in names.items()
            if hasattr(case, "__code__") and getattr(case, "__module__", "") == "__main__"
            and "place" in case.__code__.co_varnames[:1]]


def run(names):
    cases = cases_of(names)
    failed = False
    for case in cases:
        name = case.__name__
        try:
            with Place() as place:
                case(place)
            print("ok " + name, flush=True)
        except Skip as why:
            print(f"skip {name}: {why}", flush=True)
        except Exception as why:  # pylint: disable=broad-except
            failed = True
            traceback.print_exc()
            print(f"not ok {name}: {why}", flush=True)
    sys.exit(1 if failed else 0)
