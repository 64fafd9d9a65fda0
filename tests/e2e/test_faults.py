"""Kills, full disks, strangers."""
import os
import socket
import ssl
import subprocess

from kithtest import KITH, Skip, link, run, until


def no_acknowledged_edit_is_lost_by_fifty_kills(place):
    ana = place.member("Ana").start()
    acknowledged = set()
    for round_ in range(50):
        writer = subprocess.Popen(
            ["sh", "-c",
             'for i in 1 2 3 4 5 6; do "$0" --home "$1" --json contact add "n $2 $i"; done',
             KITH, ana.home, str(round_)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        first = writer.stdout.readline()
        if round_ % 2 == 0:
            first += writer.stdout.readline()
        ana.kill9()
        rest, _ = writer.communicate(timeout=120)
        for line in (first + rest).decode().splitlines():
            if '"id"' in line:
                acknowledged.add(line.split('"id":"')[1][:32])
        ana.start()
    held = {contact["id"] for contact in ana.ok("contact", "list")["contacts"]}
    assert len(acknowledged) >= 50, len(acknowledged)
    assert acknowledged <= held, f"{len(acknowledged - held)} lost"
    assert ana.ok("doctor")["healthy"] is True


def a_full_disk_refuses_cleanly_and_heals(place):
    disk = os.path.join(place.path, "disk")
    os.mkdir(disk)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "kith-test", disk],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        raise Skip("a small tmpfs cannot be mounted here: " + mounted.stderr.decode().strip())
    try:
        ana = place.member("disk/ana")
        kept = 0
        filler = os.path.join(disk, "filler")
        with open(filler, "wb") as file:
            free = os.statvfs(disk)
            file.write(b"x" * max(0, free.f_bavail * free.f_frsize - 400 * 1024))
        ana.start()
        for number in range(200):
            code, answer = ana.call("contact", "add", "p %d" % number, "--note", "n" * 20000)
            if code != 0:
                assert "room" in answer["error"]["message"], answer
                break
            kept += 1
        else:
            raise AssertionError("the disk never filled")
        assert kept > 0 and ana.ok("contact", "list")["total"] == kept
        os.remove(filler)
        ana.ok("contact", "add", "with room again")
        assert ana.ok("contact", "list")["total"] == kept + 1
        ana.stop()
        assert ana.ok("doctor")["healthy"] is True
    finally:
        for member in place.members:
            member.end()
        subprocess.run(["umount", disk], check=False)


def a_damaged_page_is_told_and_ends_nothing_else(place):
    """LMDB trusts its file; whatever a page holds, a command ends with a word about it."""
    ana = place.member("Ana")
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person %d\r\nTEL:%d\r\nEND:VCARD\r\n"
    ana.ok("import", "-", stdin="".join(card % (n, n) for n in range(300)).encode())
    path = os.path.join(ana.home, "store", "data.mdb")
    with open(path, "rb") as file:
        whole = file.read()
    told = {"contact list": 0, "doctor": 0}
    for page in range(2, len(whole) // 4096, 3):
        filling = (b"\x55", b"\x00", b"\xff")[page // 3 % 3] * 4096
        with open(path, "wb") as file:
            file.write(whole[:page * 4096] + filling + whole[page * 4096 + 4096:])
        for command in told:
            # A sanitizer would tell LMDB's misstep where the system ends the child.
            os.environ["ASAN_OPTIONS"] = "handle_segv=0:handle_sigbus=0:handle_abort=0"
            try:
                code, answer = ana.call(*command.split())
            finally:
                del os.environ["ASAN_OPTIONS"]
            assert code in (0, 1), (page, command, code, answer)
            told[command] += code
            if code == 1 and "error" in answer:
                assert answer["error"]["message"] and answer["error"]["hint"], answer
    assert told["doctor"] > 5 and told["contact list"] > 0, told
    with open(path, "wb") as file:
        file.write(whole)
    assert ana.ok("doctor")["healthy"] is True


def a_store_or_key_of_a_newer_kith_is_left_alone(place):
    ana = place.member("Ana")
    path = os.path.join(ana.home, "store", "data.mdb")
    with open(path, "rb") as file:
        whole = file.read()
    # A leaf of LMDB: value size, flags, key size, key (1: the format), value.
    row = b"\x04\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00"
    assert row + b"\x01" in whole
    newer = whole.replace(row + b"\x01", row + b"\x02")
    with open(path, "wb") as file:
        file.write(newer)
    for args in (["contact", "add", "X"], ["contact", "list"], ["run", "--listen", "127.0.0.1:0"]):
        assert "newer kith" in ana.fails(1, *args)["message"]
    with open(path, "rb") as file:
        assert file.read() == newer
    with open(path, "wb") as file:
        file.write(whole)
    key = os.path.join(ana.home, "key")
    with open(key, "rb") as file:
        bytes_ = file.read()
    with open(key, "wb") as file:
        file.write(bytes_[:9] + b"\x02" + bytes_[10:])
    assert "newer kith" in ana.fails(1, "status")["message"]


def say(port, data, seconds=1.0):
    """What a stranger hears."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as stranger:
        stranger.settimeout(seconds)
        heard = b""
        try:
            stranger.sendall(data)
            while True:
                piece = stranger.recv(4096)
                if not piece:
                    return heard
                heard += piece
        except (TimeoutError, ConnectionResetError, BrokenPipeError):
            return heard


def strangers_hear_nothing(place):
    ana, bruno = place.pair()
    port = int(ana.listen[0].rsplit(":", 1)[1])
    hello = b"\x16\x03\x01\x02\x00\x01"
    for data in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n",
                 b"\x00" * 256, os.urandom(256), os.urandom(100000), os.urandom(255),
                 hello + os.urandom(250)):
        assert say(port, data) == b"", data[:20]
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            context.wrap_socket(plain)
        raise AssertionError("somebody answered TLS")
    except (ssl.SSLError, OSError):
        pass
    bruno.ok("me", "edit", "--title", "still here")
    until(lambda: ana.card_of("Bruno").get("title") == "still here")


def many_strangers_do_not_keep_a_friend_out(place):
    ana, bruno = place.pair()
    port = int(ana.listen[0].rsplit(":", 1)[1])
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(200)]
    try:
        bruno.stop()
        bruno.start()
        bruno.ok("me", "edit", "--title", "through the crowd")
        until(lambda: ana.card_of("Bruno").get("title") == "through the crowd", 30)
        until(lambda: all(closed(one) for one in crowd), 20, "strangers are kept for too long")
    finally:
        for one in crowd:
            one.close()


def closed(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def clocks_ten_years_apart_do_no_harm(place):
    library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    if not os.path.exists(library):
        raise Skip("libfaketime is not installed")
    # A sanitized program minds what is loaded before it.
    os.environ.update(LD_PRELOAD=library, FAKETIME="+3650d", FAKETIME_DONT_FAKE_MONOTONIC="1",
                      ASAN_OPTIONS="verify_asan_link_order=0")
    try:
        bruno = place.member("Bruno").start()
    finally:
        for name in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "ASAN_OPTIONS"):
            del os.environ[name]
    ana = place.member("Ana").start()
    link(ana, bruno)
    bruno.ok("me", "edit", "--title", "from the future")
    until(lambda: ana.card_of("Bruno").get("title") == "from the future")


def stop_returns_when_the_node_has_ended(place):
    ana = place.member("Ana").start()
    for _ in range(3):
        ana.ok("stop")
        assert ana.ok("status")["node"] == "stopped"
        ana.fails(4, "sync")
        ana.wait_end()
        ana.start()


run(dict(globals()))
