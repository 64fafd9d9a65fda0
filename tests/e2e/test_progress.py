"""What long work says of itself. A sync: how much was announced, how much has crossed, and the
truth at the end. An import: one line on a terminal that is gone at the end."""
import json
import os
import re
import socket

from kithtest import KITH, link, on_terminal, run, until


def hear_sync(member, wait):
    """All lines the socket sends until the answer to a waiting sync."""
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "sync", "params": {"wait": wait}})
    lines = []
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(os.path.join(member.home, "node.sock"))
        client.sendall(line.encode() + b"\n")
        heard = client.makefile("rb")
        while not lines or "id" not in lines[-1]:
            lines.append(json.loads(heard.readline()))
    return lines


def a_waiting_sync_tells_how_far_it_is(place):
    ana, bruno = place.member("Ana"), place.member("Bruno").start()
    ana.start()
    link(ana, bruno)
    ana.stop()
    for number in range(20):
        ana.ok("me", "edit", "--title", f"Title {number}")
    ana.start()
    lines = hear_sync(bruno, 30)
    result = lines[-1]["result"]
    assert result["in_step"] is True and result["peers"][0]["in_step"] is True, result
    told = [line["params"] for line in lines[:-1] if line.get("method") == "progress"]
    assert told, f"no word of progress: {lines}"
    assert all(0 <= step["done"] <= step["total"] for step in told), told
    assert told[-1]["total"] >= 20, told
    until(lambda: bruno.card_of("Ana").get("title") == "Title 19")


def a_sync_that_cannot_be_says_so(place):
    ana, bruno = place.pair()
    bruno.stop()
    until(lambda: not ana.peers()[0].get("online", ana.peers()[0].get("state") == "online"))
    ana.ok("me", "edit", "--title", "Alone")
    code, answer = ana.call("sync", "Bruno", "--wait", "1")
    assert code == 1 and answer["in_step"] is False, (code, answer)


def a_long_import_tells_how_far_it_is(place):
    path = os.path.join(place.path, "book.vcf")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"BEGIN:VCARD\nFN:Person {at}\nEND:VCARD\n" for at in range(3000))
    for node in (False, True):
        ana = place.member(f"Ana{node}")
        if node:
            ana.start()
        code, shown = on_terminal(KITH, "--home", ana.home, "import", path)
        told = [tuple(map(int, row)) for row in re.findall(r"(\d+) of (\d+) \((\d+) %\)", shown)]
        assert code == 0 and told, shown
        assert told == sorted(told) and all(done <= 3000 and part <= 100 for done, _, part in told)
        assert all(2700 <= total <= 3300 for done, total, _ in told if done > 1000), told
        assert "\x1b[K" in shown and shown.rindex("\x1b[K") < shown.index("3000 new"), shown
        assert " %)" not in shown[shown.rindex("\x1b[K"):], shown
        code, shown = ana.call("import", path, text=True)  # Nothing of it where nobody looks on.
        assert code == 0 and " %)" not in shown and "\x1b" not in shown, shown


run(dict(globals()))
