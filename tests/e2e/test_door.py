"""The socket of a node, the lock, and the files: who may, what is refused, and in which words."""
import base64
import ctypes
import fcntl
import json
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

from kithtest import KITH, Skip, run, until

# A program is held where it ends, as a debugger does it (ptrace(2)).
TRACE = ctypes.CDLL(None, use_errno=True).ptrace
TRACE.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
TRACE.restype = ctypes.c_long
PTRACE_TRACEME, PTRACE_CONT, PTRACE_SETOPTIONS = 0, 7, 0x4200
PTRACE_O_TRACEEXIT, PTRACE_O_EXITKILL, PTRACE_EVENT_EXIT = 0x40, 0x100000, 6


def code_of(answer):
    return answer["error"]["code"], answer["error"]["data"]["error"]["code"]


def what_is_no_request_is_told_so_and_nothing_ends(place):
    ana = place.member("Ana").start()
    request = {"jsonrpc": "2.0", "id": 1, "method": "status"}
    batch = json.dumps([request, request]).encode() + b"\n"
    for line, code in ((b"nonsense\n", -32700), (b"[" * 100000 + b"\n", -32700),
                       (b"\x00\n", -32700), (b'{"a":"\xff\xfe"}\n', -32700),
                       (b'{"jsonrpc":"2.0","id":1,"method":"me.show","id":2}\n', -32700),
                       (b"x" * (1 << 20) + b"\n", -32700), (b"x" * 3000000, -32700),
                       (b"{}\n", -32600), (b"[]\n", -32600), (batch, -32600),
                       (b'{"jsonrpc":"2.0","method":"status"}\n', -32600),
                       (b'{"jsonrpc":"1.0","id":1,"method":"status"}\n', -32600),
                       (b'{"jsonrpc":"2.0","id":1,"method":"status","params":[1]}\n', -32600)):
        answers = ana.ask(line)
        # A line that never ends may find the door closed before its answer is read.
        assert [code_of(answer) for answer in answers] == [(code, 2)] or len(line) > 1 << 20, \
            (line[:60], answers)
    assert code_of(ana.request("no.such")) == (-32601, 2)
    assert ana.ok("status")["pid"] == ana.process.pid


def params_of_any_shape_are_answered(place):
    """Every method, every parameter, every wrong type: a node that ended would not answer."""
    ana = place.member("Ana").start()
    strange = (7, -1, None, True, {}, {"a": 1}, [7], [None], [[]], [{}], ["a", 7], "x", 1.5)
    wrong = 0
    for method, names in {"contact.add": ("name", "email", "tag", "kind", "note", "url"),
                          "contact.edit": ("who", "set", "add", "unset"),
                          "contact.list": ("tag", "limit", "org", "place"),
                          "contact.show": ("who",), "contact.remove": ("who",),
                          "me.edit": ("name", "email", "tel"),
                          "peer.invite": ("name", "address", "expires", "qr"),
                          "peer.accept": ("uri",), "peer.revoke": ("invitation",),
                          "peer.rename": ("who", "alias"), "peer.words": ("who",),
                          "import": ("tag", "from"), "import.plan": ("tag",),
                          "sync": ("who", "wait"), "log": ("follow", "after"),
                          "doctor": ("rebuild",), "upload": ("data",)}.items():
        for name in names:
            for value in strange:
                if method == "sync" and name == "wait" and value in (7, "x", True):
                    continue  # right, or at once refused; the others must not wait either
                answer = ana.request(method, **{name: value})
                assert "result" in answer or "error" in answer, answer
                wrong += answer.get("error", {}).get("code") == -32602
    assert wrong > 300, wrong
    unknown = ana.request("contact.add", name="Ana", emails=["a@example.org"])
    assert code_of(unknown) == (-32602, 2), unknown
    assert ana.request("sync", wait="1")["result"]["in_step"] is True
    assert ana.request("contact.add", name="Number", note=7)["result"]["note"] == "7"
    assert ana.process.poll() is None


def memory_of(pid):
    """What a process has in memory of its own, not in files."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            parts = line.split()
            if "w" not in parts[1] or len(parts) > 5 and parts[5].startswith("/"):
                continue
            begin, end = (int(at, 16) for at in parts[0].split("-"))
            if end - begin > 256 << 20:
                continue  # The shadow of a sanitizer.
            try:
                memory.seek(begin)
                found.append(memory.read(end - begin))
            except (OSError, ValueError):
                continue  # Guarded, or of the kernel.
    return b"".join(found)


def no_text_of_an_invitation_is_left_in_a_node(place):
    """What it answered and was told is wiped; the secret itself lives in locked memory."""
    ana = place.member("Ana").start()
    known = ana.ok("contact", "add", "Joon Kim of the boats")["name"]
    invitations = [ana.ok("peer", "invite", f"Guest {at}", "--address", "127.0.0.1:1")["uri"]
                   for at in range(5)]
    for uri in invitations[:2]:
        ana.ok("peer", "revoke", uri)
    try:
        memory = memory_of(ana.process.pid)
    except PermissionError as why:
        raise Skip("a sealed process shows its memory to root alone") from why
    assert known.encode() in memory, "it can be looked through"
    for at, uri in enumerate(invitations):
        for part in range(58, len(uri) - 16, 16):  # Before it stands the public key.
            assert uri[part:part + 16].encode() not in memory, (at, part)


def at_its_end(*command):
    """(what it said, what it has in memory): of a program that is held just before it is gone. Its
    functions are found before it begins: whoever looks one up puts registers onto the stack."""
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "LD_BIND_NOW": "1"}
    out, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(told, 1)
            if TRACE(PTRACE_TRACEME, 0, None, None) == 0:
                os.execve(command[0], command, env)
        finally:
            os._exit(127)
    os.close(told)
    memory, options = None, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXIT
    try:
        while os.WIFSTOPPED(status := os.waitpid(pid, 0)[1]):
            if status >> 8 == signal.SIGTRAP | PTRACE_EVENT_EXIT << 8:
                memory = memory_of(pid)
            elif options is not None:
                TRACE(PTRACE_SETOPTIONS, pid, None, options)
                options = None
            TRACE(PTRACE_CONT, pid, None, None)
    except PermissionError as why:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise Skip("a sealed process shows its memory to root alone") from why
    finally:
        with os.fdopen(out, "rb") as file:
            said = file.read().decode()
    if memory is None:
        raise Skip("nothing can be held at its end here")
    assert status == 0, (status, said)
    return said, memory


def no_recovery_words_are_left_when_init_ends(place):
    words = os.path.join(place.path, "words")
    for at, more in enumerate(([], ["--json"], ["--recovery-file", words])):
        home = os.path.join(place.path, f"held-{at}")
        said, memory = at_its_end(KITH, "--home", home, "init", "--name", "Ana of the boats", *more)
        if more == ["--json"]:
            said = json.loads(said)["recovery_words"]
        elif more:
            with open(words, encoding="utf-8") as file:
                said = file.read()
        else:
            said = next(line for line in said.split("\n") if line.count(" ") == 23)
        told = said.split()
        assert len(told) == 24 and b"Ana of the boats" in memory, "it can be looked through"
        for first in range(22):
            part = " ".join(told[first:first + 3])
            assert part.encode() not in memory, (more, part)


def an_answer_may_be_longer_than_a_request(place):
    ana = place.member("Ana").start()
    card = ("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person %d\r\nEMAIL:p%d@example.org\r\n"
            "NOTE:" + "n" * 1500 + "\r\nEND:VCARD\r\n")
    book = "".join(card % (number, number) for number in range(1000)).encode()
    assert ana.ok("import", "-", stdin=book)["new"] == 1000
    assert len(ana.ok("contact", "list")["contacts"]) == 1000


def several_of_one_name_are_told_apart(place):
    """An import makes many contacts in one millisecond: their ids begin alike."""
    ana = place.member("Ana")
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jo Kim\r\nEMAIL:j%d@example.org\r\nEND:VCARD\r\n"
    ana.ok("import", "-", stdin="".join(card % n for n in range(5)).encode())
    message = ana.fails(6, "contact", "show", "jo kim")["message"]
    ids = [word.strip("(),") for word in message.split() if word.startswith("(")]
    assert len(set(ids)) == 5, message
    emails = {ana.ok("contact", "show", one)["emails"][0] for one in ids}
    assert emails == {f"j{n}@example.org" for n in range(5)}
    for _ in range(2):
        ana.ok("contact", "add", "\u00e4" * 70)
    assert "\u00e4" in ana.fails(6, "contact", "show", "\u00e4" * 70)["message"]


def other_users_are_not_answered(place):
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    ana = place.member("Ana").start()
    path = os.path.join(ana.home, "node.sock")
    # Even where somebody made the modes too wide, the kernel says who is calling.
    os.chmod(place.path, 0o755)
    os.chmod(ana.home, 0o755)
    os.chmod(path, 0o666)
    stranger = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(sys.argv[1])\n"
        "try:\n"
        "    s.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\\n')\n"
        "    print(len(s.recv(65536)))\n"
        "except (BrokenPipeError, ConnectionResetError):\n"
        "    print(0)\n")
    heard = subprocess.run([sys.executable, "-c", stranger, path], capture_output=True,
                           timeout=30, check=True)
    assert heard.stdout == b"0\n", heard
    assert ana.request("status")["result"]["node"] == "running"


def everything_in_a_home_is_for_its_owner_alone(place):
    before = os.umask(0)
    try:
        ana = place.member("Ana").start()
        ana.ok("contact", "add", "X")
        words = os.path.join(place.path, "words")
        home = os.path.join(place.path, "other")
        subprocess.run([KITH, "--home", home, "--json", "init", "--name", "O", "--recovery-file",
                        words], check=True, capture_output=True, timeout=60)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(words).st_mode) == 0o600
    for top in (ana.home, home):
        for folder, _, files in os.walk(top):
            assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700, folder
            for name in files:
                mode = os.lstat(os.path.join(folder, name)).st_mode
                assert stat.S_IMODE(mode) == 0o600, (name, oct(mode))


def secrets_are_in_no_argument_environment_or_core_file(place):
    ana = place.member("Ana", passphrase="correct horse battery").start()
    process = f"/proc/{ana.process.pid}/"
    for name in ("cmdline", "environ"):
        with open(process + name, "rb") as file:
            assert b"correct horse" not in file.read()
    with open(process + "limits", encoding="utf-8") as file:
        core = next(line for line in file if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"], core
    status = os.stat(process + "mem")
    assert os.geteuid() == 0 or status.st_uid == 0, "a process that can be dumped"


def recovery_words_are_never_written_over(place):
    words = os.path.join(place.path, "words")
    with open(words, "w", encoding="utf-8") as file:
        file.write("of another identity\n")
    ana = place.member("Ana")
    ana.home += "-new"
    ana.fails(6, "init", "--name", "Ana", "--recovery-file", words)
    with open(words, encoding="utf-8") as file:
        assert file.read() == "of another identity\n"
    ana.fails(1, "init", "--name", "Ana", "--recovery-file", "/nowhere/words")
    made = ana.ok("init", "--name", "Ana", "--recovery-file", words + "2")
    with open(words + "2", encoding="utf-8") as file:
        assert file.read() == made["recovery_words"] + "\n"


def a_home_with_a_long_path_has_its_socket_elsewhere(place):
    long = os.path.join(place.path, "x" * 100)
    os.environ["XDG_RUNTIME_DIR"] = place.path
    try:
        ana = place.member("x" * 100 + "/ana").start()
        assert not os.path.exists(os.path.join(ana.home, "node.sock"))
        folder = os.path.join(place.path, "kith")
        assert [name for name in os.listdir(folder) if name.endswith(".sock")]
        assert ana.ok("status")["node"] == "running"
        ana.stop()
        os.chmod(folder, 0o755)
        assert "not yours alone" in ana.fails(1, "run", "--listen", "127.0.0.1:0")["message"]
    finally:
        del os.environ["XDG_RUNTIME_DIR"]
    assert os.path.isdir(long)


def hold(home, holder):
    """Takes the lock of a home as another program would."""
    lock = os.open(os.path.join(home, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.ftruncate(lock, 0)
    os.pwrite(lock, holder.encode(), 0)
    return lock


def commands_and_nodes_wait_for_a_command_and_readers_for_nobody(place):
    ana = place.member("Ana")
    lock = hold(ana.home, f"command {os.getpid()}\n")
    begun = time.monotonic()
    assert ana.ok("contact", "list")["total"] == 0
    assert time.monotonic() - begun < 5
    threading.Timer(1.0, os.close, [lock]).start()
    ana.ok("contact", "add", "After a while")
    assert time.monotonic() - begun > 0.9
    lock = hold(ana.home, f"command {os.getpid()}\n")
    begun = time.monotonic()
    threading.Timer(1.0, os.close, [lock]).start()
    ana.start()
    assert time.monotonic() - begun > 0.9


def whoever_waits_in_vain_is_told_who_is_in_the_way(place):
    ana = place.member("Ana")
    lock = hold(ana.home, "command 4711\n")
    try:
        begun = time.monotonic()
        error = ana.fails(1, "contact", "add", "X")
        assert 29 < time.monotonic() - begun < 45 and "4711" in error["message"], error
    finally:
        os.close(lock)
    ana.ok("contact", "add", "X")


def a_second_node_ends_at_once_and_the_first_goes_on(place):
    ana = place.member("Ana").start()
    begun = time.monotonic()
    error = ana.fails(1, "run", "--listen", "127.0.0.1:0")
    assert str(ana.process.pid) in error["message"] and time.monotonic() - begun < 10
    assert ana.ok("status")["pid"] == ana.process.pid


def ctrl_c_in_a_command_leaves_nothing_half_done(place):
    """In the middle of an import: all of it or nothing."""
    ana = place.member("Ana")
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person %d\r\nEND:VCARD\r\n"
    path = os.path.join(place.path, "book.vcf")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(card % number for number in range(20000)))
    for wait in (0.05, 0.2, 0.5, 1.0):
        process = subprocess.Popen([KITH, "--home", ana.home, "--json", "import", path],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        total = ana.ok("contact", "list", "--limit", "0")["total"]
        assert total in (0, 20000), total
        if total > 0:
            break
    assert ana.ok("doctor")["healthy"] is True


def a_home_of_another_user_is_left_alone(place):
    if os.geteuid() != 0:
        raise Skip("only root can give files away")
    ana = place.member("Ana")
    os.chown(os.path.join(ana.home, "key"), 65534, 65534)
    assert "another user" in ana.fails(1, "status")["message"]


def help_and_version_are_documents_too(place):
    ana = place.member("Ana")
    commands = {row["command"]: row for row in ana.ok("help")["commands"]}
    assert {"name": "tag", "value": "T", "repeatable": True} in commands["contact add"]["flags"]
    assert ana.ok("help", "exit-codes")["exit_codes"]["6"].startswith("more than one")
    assert ana.ok("--version") == ana.ok("version")
    one = ana.ok("peer", "words", "--help")["commands"]
    assert [row["command"] for row in one] == ["peer words"]
    for args in (["help", "nonsense"], ["peer"], ["contact", "shwo"], ["--home"]):
        ana.fails(2, *args)
    assert "contact show" in ana.fails(2, "contact", "shwo")["hint"]


def a_node_that_ends_while_a_file_travels_is_told(place):
    """Not one word of success: what was not taken was not imported."""
    ana = place.member("Ana")
    path = os.path.join(ana.home, "node.sock")
    book = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jo\r\nEND:VCARD\r\n" * 20000
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen(1)

        def ends_early():
            client, _ = door.accept()
            client.recv(1000)
            client.close()
        thread = threading.Thread(target=ends_early)
        thread.start()
        told = ana.fails(1, "import", "-", stdin=book)
        thread.join()
    os.unlink(path)
    assert "node ended" in told["message"] and told["hint"], told
    assert ana.ok("contact", "list")["total"] == 0


def whoever_finds_the_door_full_is_told_so(place):
    ana = place.member("Ana").start()
    path = os.path.join(ana.home, "node.sock")
    waiting = []
    for _ in range(64):
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        waiting.append(client)
    for words in (["status"], ["log", "--follow"], ["contact", "add", "Jo"], ["stop"]):
        told = ana.fails(1, *words)
        assert "at once" in told["message"], (words, told)
    assert "at once" in ana.fails(1, "import", "-", stdin=b"BEGIN:VCARD\r\n" * 60000)["message"]
    for client in waiting:
        client.close()
    until(lambda: ana.call("status")[0] == 0, 10)
    assert ana.ok("contact", "list")["total"] == 0


def a_part_of_a_file_is_never_imported_for_the_whole(place):
    ana = place.member("Ana").start()
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jo\r\nEND:VCARD\r\n"

    def line(method, **params):
        return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                           "params": params}).encode() + b"\n"
    whole = base64.b64encode((card * 2).encode()).decode()
    for broken in ("!!!!", whole[:-3], "."):
        answers = ana.ask(line("upload", data=whole), line("upload", data=broken),
                          line("upload", data=whole), line("import"))
        assert ["error" in answer for answer in answers] == [False, True], answers
    assert ana.ok("contact", "list")["total"] == 0
    assert ana.ok("import", "-", stdin=card.encode())["new"] == 1


def every_method_bears_any_words_and_the_lack_of_them(place):
    """As the table says what each takes, with whatever may be left out left out: an answer each, a
    refusal in words, and a node that goes on."""
    ana, choose = place.member("Ana").start(), random.Random(5)
    ana.ok("contact", "add", "Joon", "--tag", "boats", "--place", "Riga", "--email", "j@e.org")
    words = ["joon", "Riga"] * 5 + ["", "x", "a=b", "=", "2026-01-01", "3m", "-1", "\u202e",
                                    "9" * 400]
    spared = ("stop", "sync", "peer accept", "run", "init", "contact remove", "undo")
    asked = refused = 0
    for row in ana.ok("help")["commands"]:
        takes = [(one.strip("[].").lower(), "..." in one, True) for one in row["arguments"]]
        takes += [(one["name"], one["repeatable"], "value" in one) for one in row["flags"]]
        if row["command"] in spared:
            continue
        for _ in range(30):
            params = {}
            for name, is_list, has_value in takes:
                if choose.random() < 0.4:
                    continue
                word = choose.choice(words)
                params[name] = [word] if is_list else word if has_value else True
            answer = ana.request(row["command"].replace(" ", "."), **params)
            asked += 1
            if "error" in answer:
                told = answer["error"]["data"]["error"]
                assert told["message"] and told["code"] in range(1, 9), (row, params, told)
                assert told.get("hint") or told["code"] == 1, (row, params, told)
                refused += 1
    assert ana.process.poll() is None and asked > 1500 and refused > 500, (asked, refused)
    assert ana.ok("doctor")["healthy"] is True


run(dict(globals()))
