"""Floods from loopback (127.0.0.0/8), bounded in number: strangers get not one byte, hold no more
sockets than they may, and neither the owner's commands nor the peers notice."""
import json
import os
import resource
import select
import socket
import subprocess
import time

from kithtest import KITH, Skip, link, run, until

STRANGERS_MAX, RESERVED, PER_PLACE = 256, 64, 8


def node_address(member):
    host, port = member.listen[0].rsplit(":", 1)
    return host, int(port)


def connect(member, source):
    """A connection from this address of the machine; None when the node would not have it."""
    client = socket.socket()
    client.settimeout(5)
    try:
        client.bind((source, 0))
        client.connect(node_address(member))
    except OSError:
        client.close()
        return None
    client.setblocking(False)
    return client


def heard(client):
    """What came: bytes, b"" when it was closed, None when it is open and silent."""
    try:
        return client.recv(4096)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def close(clients):
    for client in clients:
        client.close()


def open_sockets(member):
    """Sockets the node's process has open."""
    folder = f"/proc/{member.process.pid}/fd"
    count = 0
    for name in os.listdir(folder):
        try:
            count += os.readlink(os.path.join(folder, name)).startswith("socket:")
        except OSError:
            pass
    return count


def source(number):
    return f"127.{1 + number // 65025 % 200}.{number // 255 % 255}.{1 + number % 254}"


def many_places_hold_no_more_sockets_than_strangers_may(place):
    ana = place.member("Ana").start()
    before = open_sockets(ana)
    clients = [connect(ana, source(number)) for number in range(600)]
    clients = [client for client in clients if client is not None]
    assert len(clients) > 500, len(clients)
    most = before + STRANGERS_MAX - RESERVED
    until(lambda: open_sockets(ana) <= most, 10, "more sockets than strangers may have")
    ana.ok("status")
    answers = [heard(client) for client in clients]
    assert not any(answers), "a stranger got bytes"
    # Message 1 is due within five seconds: then nobody is left.
    until(lambda: open_sockets(ana) <= before + 1, 20, "silent connections were kept")
    close(clients)


def one_place_has_eight_and_ten_at_once(place):
    ana = place.member("Ana").start()
    clients = [connect(ana, "127.9.9.9") for _ in range(40)]
    clients = [client for client in clients if client is not None]
    assert len(clients) > PER_PLACE
    until(lambda: sum(heard(client) is None for client in clients) <= PER_PLACE, 4,
          "one place has too many")
    close(clients)


def noise_gets_not_one_byte_and_peers_do_not_notice(place):
    ana, bruno = place.pair()
    sent = 0
    for begin in range(0, 300, 50):  # Each is let go a moment later: side by side.
        clients = [connect(ana, source(1000 + number)) for number in range(begin, begin + 50)]
        clients = [client for client in clients if client is not None]
        for client in clients:
            try:
                client.send(os.urandom(256))
                sent += 1
            except OSError:
                pass
        for client in clients:
            assert select.select([client], [], [], 10)[0], "noise does not end a connection"
            assert not heard(client), "noise was answered"
            client.close()
    assert sent > 200, sent
    bruno.ok("me", "edit", "--title", "after the noise")
    until(lambda: ana.card_of("Bruno").get("title") == "after the noise")
    log = ana.ok("log")
    events = log["events"] if isinstance(log, dict) and "events" in log else log
    assert "violation" not in json.dumps(events), events


def cpu_ticks(member):
    with open(f"/proc/{member.process.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def a_node_without_descriptors_rests_and_goes_on(place):
    ana = place.member("Ana")
    limits = (160, 160)
    ana.process = subprocess.Popen(
        [KITH, "--home", ana.home, "--no-input", "run", "--json", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limits))
    ana.listen = json.loads(ana.process.stdout.readline())["listen"]
    clients = []
    for number in range(200):  # 160 descriptors leave room for 96 connections.
        client = socket.socket()
        client.bind((source(number), 0))
        client.setblocking(False)
        client.connect_ex(node_address(ana))
        clients.append(client)
    until(lambda: open_sockets(ana) > 90, 10, "connections were not accepted")
    ana.ok("status")
    before = cpu_ticks(ana)
    time.sleep(1)
    used = cpu_ticks(ana) - before
    assert used < 50, f"it spins: {used} hundredths of a second of work in one"
    close(clients)
    late = connect(ana, "127.7.7.7")
    assert late is not None
    until(lambda: open_sockets(ana) < 60, 20, "closed connections were kept")
    late.close()
    ana.ok("status")


def remount(disk, size, *more):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"{','.join([*more, 'size=' + size])}",
                           "kith-test", disk], capture_output=True, check=False)


def a_disk_that_is_nearly_full_takes_only_what_its_owner_writes(place):
    disk = os.path.join(place.path, "disk")
    os.mkdir(disk)
    if remount(disk, "48m").returncode != 0:
        raise Skip("a small tmpfs cannot be mounted here")
    try:
        ana, bruno = place.member("disk/ana").start(), place.member("Bruno").start()
        card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Person %d\r\nEND:VCARD\r\n"
        book = "".join(card % number for number in range(2000)).encode()
        error = ana.fails(1, "import", "-", stdin=book)
        assert "MiB left" in error["message"], error
        ana.ok("contact", "add", "by hand")
        link(ana, bruno)
        bruno.ok("me", "edit", "--title", "not yet")
        until(lambda: '"full"' in json.dumps(ana.ok("log")), 30, "nothing was said of it")
        until(lambda: '"full"' in json.dumps(bruno.ok("log")), 30, "the other was not told")
        assert ana.card_of("Bruno").get("title") is None
        # Room comes.
        assert remount(disk, "2g", "remount").returncode == 0
        until(lambda: ana.call("sync", "--wait", "1")[0] == 0, 60, "it did not go on")
        until(lambda: ana.card_of("Bruno").get("title") == "not yet")
        ana.ok("import", "-", stdin=book)
    finally:
        for member in place.members:
            member.end()
        subprocess.run(["umount", disk], check=False)


run(dict(globals()))
