"""Each thing kith doctor looks at, well and not well. The versions of peers: test_versions.py."""
import os
import socket
import subprocess

from kithtest import Skip, run

CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person %d\r\nTEL:%d\r\nEND:VCARD\r\n"


def checks_of(member, code=0):
    got, answer = member.call("doctor")
    assert got == code, (got, answer)
    rows = {row["check"]: row for row in answer["checks"]}
    for row in rows.values():
        assert row["text"] and (row["state"] == "ok") == ("remedy" not in row), row
    return rows


def all_is_well_but_that_files_alone_protect_the_keys(place):
    ana, bruno = place.member("Ana"), place.member("Bruno", passphrase="correct horse")
    ana.ok("contact", "add", "Mara")
    for runs in (False, True):
        if runs:
            ana.start()
        rows = checks_of(ana)
        assert set(rows) == {"store", "views", "keys", "permissions", "disk", "ports", "clock",
                             "versions", "undo"}, rows
        states = {name: row["state"] for name, row in rows.items() if row["state"] != "ok"}
        assert set(states) <= {"keys", "disk"} and states["keys"] == "warn", rows
        assert ("your node listens on" in rows["ports"]["text"]) == runs, rows
    assert "Mara" in rows["undo"]["text"] and "store format 1" in rows["versions"]["text"]
    for library in ("libsodium 1.", "LMDB 0.", "libuv 1.", "msgpack-c ", "jansson 2."):
        assert library in rows["versions"]["text"], rows["versions"]
    ana.ok("undo")
    assert "nothing" in checks_of(ana)["undo"]["text"]
    assert checks_of(bruno)["keys"]["state"] == "ok"


def what_others_may_read_is_told(place):
    ana = place.member("Ana").start()
    for name in ("listening", "store/data.mdb", "store", "."):
        path = os.path.join(ana.home, name)
        mode = os.stat(path).st_mode & 0o777
        os.chmod(path, mode | 0o044)
        row = checks_of(ana)["permissions"]
        assert row["state"] == "warn" and row["remedy"].startswith("chmod "), row
        assert name in row["text"] or name == ".", row
        os.chmod(path, mode)
    assert checks_of(ana)["permissions"]["state"] == "ok"


def a_port_that_somebody_else_has_is_told(place):
    ana = place.member("Ana").start()
    host, port = ana.listen[0].rsplit(":", 1)
    ana.stop()
    assert checks_of(ana)["ports"]["text"] == f"{ana.listen[0]} is free for your node"
    with socket.create_server((host, int(port))):
        row = checks_of(ana)["ports"]
        assert row["state"] == "warn" and ana.listen[0] in row["text"], row
        assert "kith run --listen" in row["remedy"]
    assert checks_of(ana)["ports"]["state"] == "ok"


def little_room_is_told_before_it_is_gone(place):
    disk = os.path.join(place.path, "disk")
    os.mkdir(disk)
    for size, state in (("30m", "fail"), ("200m", "warn"), ("600m", "ok")):
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "kith-test", disk],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            raise Skip("a small tmpfs cannot be mounted here: " + mounted.stderr.decode().strip())
        try:
            row = checks_of(place.member("disk/ana"))["disk"]
            assert row["state"] == state and "MiB are free" in row["text"], (size, row)
        finally:
            subprocess.run(["umount", disk], check=False)


def a_wrong_clock_is_told(place):
    library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    if not os.path.exists(library):
        raise Skip("libfaketime is not installed")
    ana = place.member("Ana").start()
    ana.stop()
    for shift, word in (("-20y", "it says"), ("-300d", "something happened"), ("+90y", "it says")):
        if word == "something happened":
            bruno = place.member("Bruno").start()
            ana.start()
            ana.ok("peer", "accept", bruno.ok("peer", "invite")["uri"])
            ana.stop()
        # A sanitized program minds what is loaded before it.
        os.environ.update(LD_PRELOAD=library, FAKETIME=shift, FAKETIME_DONT_FAKE_MONOTONIC="1",
                          ASAN_OPTIONS="verify_asan_link_order=0")
        try:
            row = checks_of(ana)["clock"]
        finally:
            for name in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "ASAN_OPTIONS"):
                del os.environ[name]
        assert row["state"] == "warn" and word in row["text"], (shift, row)
        assert "set it right" in row["remedy"]
    assert checks_of(ana)["clock"]["state"] == "ok"


def a_changed_byte_in_the_store_is_found(place):
    """Where it lies in what is signed or hashed; elsewhere it may change nothing."""
    ana = place.member("Ana")
    ana.ok("import", "-", stdin="".join(CARD % (n, n) for n in range(100)).encode())
    path = os.path.join(ana.home, "store", "data.mdb")
    with open(path, "rb") as file:
        whole = file.read()
    failed = 0
    for at in range(2 * 4096 + 2500, len(whole), 4096):
        with open(path, "wb") as file:
            file.write(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1:])
        os.environ["ASAN_OPTIONS"] = "handle_segv=0:handle_sigbus=0:handle_abort=0"
        try:
            code, answer = ana.call("doctor")
        finally:
            del os.environ["ASAN_OPTIONS"]
        rows = {row["check"]: row for row in answer.get("checks", [])}
        if code == 1 and rows.get("store", {}).get("state") == "fail":
            assert "kith doctor --rebuild" in rows["store"]["remedy"] and rows["store"]["text"]
            assert answer["healthy"] is False
            failed += 1
    assert failed > 5, failed
    with open(path, "wb") as file:
        file.write(whole)
    assert checks_of(ana)["store"]["state"] == "ok"


def lists_that_are_behind_are_told_and_made_again(place):
    ana = place.member("Ana")
    ana.ok("import", "-", stdin="".join(CARD % (n, n) for n in range(3000)).encode())
    ana.start()
    assert ana.request("doctor.rebuild")["result"]["rebuilding"]
    ana.kill9()  # Long before the lists are whole again.
    row = checks_of(ana)["views"]
    assert row["state"] == "warn" and "kith run" in row["remedy"], row
    assert ana.ok("doctor", "--rebuild")["healthy"] is True
    assert checks_of(ana)["views"]["state"] == "ok"
    assert ana.ok("contact", "list", "--limit", "1")["total"] == 3000


run(dict(globals()))
