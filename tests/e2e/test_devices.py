"""Devices of one member, certified by the library: they call one another and share everything."""
import os
import subprocess

from kithtest import run, until

DEVICE = os.environ["KITH_DEVICE_BINARY"]


def further(where, member, name):
    """A new device of a member whose node is down."""
    device = where.beside(member, name)
    done = subprocess.run([DEVICE, member.home, device.home, name], capture_output=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return device


def contacts_of(member):
    rows = member.ok("contact", "list")["contacts"]
    return sorted(row["name"] for row in rows)


def two_devices_share_everything(place):
    ana, bruno = place.pair()
    ana.ok("contact", "add", "Clara Campos", "--email", "clara@example.org")
    ana.ok("me", "edit", "--title", "Carpenter")
    until(lambda: bruno.card_of("Ana").get("title") == "Carpenter")
    ana.stop()
    lap = further(place, ana, "lap")
    lap.start()
    code, answer = lap.call("contact", "add", "Too Early")
    assert code != 0 and "other devices" in answer["error"]["message"], answer
    ana.start()
    until(lambda: contacts_of(lap) == contacts_of(ana), 40, "the new device has not all contacts")
    until(lambda: lap.call("contact", "add", "Dora Dias")[0] == 0, 40, "it may not write")
    until(lambda: "Dora Dias" in contacts_of(ana), 40)
    until(lambda: [peer["state"] for peer in lap.peers()] == ["online"], 40,
          "the new device does not reach the peer")
    lap.ok("me", "edit", "--org", "written on the lap")
    until(lambda: bruno.card_of("Ana").get("org") == "written on the lap", 40)
    until(lambda: ana.ok("me", "show").get("org") == "written on the lap", 40)
    bruno.ok("me", "edit", "--title", "Baker")
    until(lambda: ana.card_of("Bruno").get("title") == "Baker", 40)
    until(lambda: lap.card_of("Bruno").get("title") == "Baker", 40)
    ana.ok("sync", "--wait", "20")
    lap.ok("sync", "--wait", "20")
    for member in (ana, lap, bruno):
        member.stop()
        report = member.ok("doctor")
        assert report["healthy"] is True, report


def a_device_that_was_given_up_says_so(place):
    """In status and in the log, with what to do next; and it takes no edit nobody would see."""
    ana, bruno = place.pair()
    ana.stop()
    lap = further(place, ana, "lap")
    lap.start()
    ana.start()
    until(lambda: lap.call("contact", "add", "Dora Dias")[0] == 0, 40, "it may not write")
    until(lambda: [peer["state"] for peer in lap.peers()] == ["online"], 40)
    until(lambda: "Dora Dias" in contacts_of(ana), 40)
    assert "shut_out" not in lap.ok("status")
    ana.stop()
    done = subprocess.run([DEVICE, "--give-up", ana.home, lap.home], capture_output=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    ana.start()
    until(lambda: lap.ok("status").get("shut_out") == "given up", 40, "it does not hear of it")
    assert "kith export" in lap.ok("status")["note"], lap.ok("status")
    code, answer = lap.call("contact", "add", "Too Late")
    assert code == 5 and "nobody else sees" in answer["error"]["message"], answer
    assert "kith export" in answer["error"]["hint"], answer
    assert contacts_of(lap) == ["Bruno", "Dora Dias"], contacts_of(lap)
    lap.stop()
    code, answer = lap.call("me", "edit", "--title", "Nobody")
    assert code == 5, answer
    _, answer = lap.call("log")
    rows = answer if isinstance(answer, list) else [answer]
    events = [row["text"] for row in rows if row["kind"] == "shut out"]
    assert len(events) == 1 and "given up" in events[0], events
    assert "shut_out" not in ana.ok("status") and ana.call("contact", "add", "Eva")[0] == 0


run(dict(globals()))
