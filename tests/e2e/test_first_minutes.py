"""What a person does first, and every mistake on the way."""
import os
import signal
import socket
import subprocess
import time

from kithtest import DATA, KITH, Skip, Terminal, link, run, until

CARD = b"\r\n".join((
    b"BEGIN:VCARD", b"VERSION:3.0", b"FN:Mara Lindt", b"ORG:Lindt Editing",
    b"EMAIL;TYPE=WORK:mara@example.org", b"TEL;TYPE=CELL:+49 30 123456",
    b"CATEGORIES:choir,clients", b"X-SPOUSE:Joon", b"END:VCARD",
    b"BEGIN:VCARD", b"VERSION:4.0", b"FN:Zo\xc3\xab \xc5\x81ukasz",
    b"EMAIL:mailto:zoe@example.org", b"TEL;VALUE=uri:tel:+48-22-1", b"UID:urn:uuid:1",
    b"END:VCARD", b""))


def a_new_member_has_an_identity_and_24_words(place):
    ana = place.member("Ana")
    assert len(ana.identity["recovery_words"].split()) == 24
    assert ana.identity["member"].startswith("did:key:z6Mk")
    status = ana.ok("status")
    assert (status["v"], status["node"], status["name"]) == (1, "stopped", "Ana")
    assert status["key_protection"] == "file permissions only"
    assert os.stat(os.path.join(ana.home, "key")).st_mode & 0o777 == 0o600


class Typist:
    """Somebody with an empty home folder who types commands as they stand in the README."""

    def __init__(self, place, name):
        home = os.path.join(place.path, name)
        os.mkdir(home)
        self.name = name
        self.environment = {"HOME": home, "PATH": "/nowhere"}
        self.typed = []
        self.node = None

    def types(self, *words):
        self.typed.append(words)
        done = subprocess.run([KITH, *words], env=self.environment, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout.decode()

    def sees(self, what, *words):
        """The link stands when `peer accept` says so; the card comes by itself, a moment later."""
        until(lambda: what in self.types(*words), 20, f"{what} is not seen")
        self.typed = [one for one in self.typed if one != words] + [words]

    def runs(self):
        """In a terminal of its own. A port of its own too, because both are on one machine."""
        self.typed.append(("run",))
        self.node = subprocess.Popen([KITH, "run", "--listen", "127.0.0.1:0"],
                                     env=self.environment, stdout=subprocess.PIPE)
        assert b"listens on" in self.node.stdout.readline()


def the_first_five_minutes_take_six_commands_at_most(place):
    """Both begin with nothing; in the end each has an address book and sees the other's card."""
    book = os.path.join(place.path, "book.vcf")
    with open(book, "wb") as file:
        file.write(CARD)
    ana, bruno = Typist(place, "Ana"), Typist(place, "Bruno")
    try:
        for one in (ana, bruno):
            one.types("init", "--name", one.name, "--org", one.name + " & Daughters")
            assert "2" in one.types("import", book)
            one.runs()
        uri = ana.types("peer", "invite", "Bruno").strip()
        assert uri.startswith("kith:1"), uri
        bruno.types("peer", "accept", uri)
        for one, other in ((ana, "Bruno"), (bruno, "Ana")):
            one.sees(other + " & Daughters", "peer", "show", other)
            assert len(one.typed) <= 6, one.typed
    finally:
        for one in (ana, bruno):
            if one.node is not None:
                one.node.terminate()
                one.node.communicate(timeout=20)


def a_second_init_touches_nothing(place):
    ana = place.member("Ana")
    ana.fails(6, "init", "--name", "Other")
    assert ana.ok("me", "show")["name"] == "Ana"


def without_identity_everything_points_to_init(place):
    ana = place.member("Ana")
    ana.home += "-nowhere"
    for args in (["status"], ["contact", "add", "X"], ["run"], ["peer", "list"]):
        assert "kith init" in ana.fails(3, *args)["hint"]


def contacts_live_with_and_without_a_node(place):
    ana = place.member("Ana")
    for node in (False, True):
        if node:
            ana.start()
        name = "Zo\u00eb \u0141ukasz" if node else "Joon Kim"
        made = ana.ok("contact", "add", name, "--email", "x@Example.org", "--tag", "choir",
                      "--org", "ACME", "--note", "met at sea", "--met", "harbour",
                      "--kind", "person")
        assert (made["name"], made["emails"], made["tags"]) == (name, ["x@Example.org"], ["choir"])
        assert made["note"] == "met at sea" and made["created"].endswith("Z")
        assert made["peer"] is False
        who = "zoe lukasz" if node else "joon kim"
        assert ana.ok("contact", "show", who)["id"] == made["id"]
        assert ana.ok("contact", "show", made["id"][:12])["name"] == name
        edited = ana.ok("contact", "edit", who, "--set", "org=Other", "--add", "tag=friends",
                        "--unset", "note", "--add", "email=y@example.org")
        assert edited["org"] == "Other" and "note" not in edited
        assert sorted(edited["tags"]) == ["choir", "friends"] and len(edited["emails"]) == 2
        assert ana.ok("contact", "edit", who, "--unset", "tag=choir")["tags"] == ["friends"]
    assert ana.ok("contact", "list")["total"] == 2
    assert ana.ok("contact", "list", "--org", "other", "--limit", "1")["total"] == 2
    ana.ok("contact", "remove", "joon kim")
    assert ana.ok("contact", "list")["total"] == 1
    ana.fails(3, "contact", "show", "joon kim")


def wrong_words_get_an_answer_that_says_what_to_type(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Kim")
    ana.ok("contact", "add", "Kim", "--email", "kim@example.org")
    assert "kim" in ana.fails(6, "contact", "show", "kim")["message"].lower()
    assert ana.ok("contact", "show", "kim@example.org")["emails"] == ["kim@example.org"]
    for code, args in ((3, ["contact", "show", "nobody"]), (2, ["contact", "add"]),
                       (2, ["contact", "ad"]),
                       (2, ["contact", "edit", "kim@example.org", "--set", "colour=red"]),
                       (2, ["contact", "edit", "kim@example.org"]),
                       (2, ["contact", "add", "X", "--kind", "cat"]),
                       (2, ["contact", "add", "X", "--nonsense", "1"]), (2, ["status", "more"]),
                       (2, ["contact", "add", "x" * 2000]), (4, ["stop"]), (4, ["sync"]),
                       (4, ["log", "--follow"]), (2, ["run", "--listen", "nowhere"])):
        ana.fails(code, *args)


def hostile_names_cannot_reach_the_terminal(place):
    ana = place.member("Ana")
    name = "Evil\x1b[31m\u202egnp.exe\u200b" + "e" + "\u0301" * 50
    ana.ok("contact", "add", name)
    code, text = ana.call("contact", "list", text=True)
    assert code == 0 and "\x1b" not in text and "\u202e" not in text and "\u200b" not in text
    assert text.count("\u0301") <= 4
    assert ana.ok("contact", "list")["contacts"][0]["name"] == name


def a_passphrase_locks_and_opens(place):
    ana = place.member("Ana", passphrase="correct horse")
    assert ana.ok("status")["key_protection"] == "passphrase"
    right, ana.extra = ana.extra, []
    ana.fails(7, "status")
    wrong = os.path.join(place.path, "wrong")
    with open(wrong, "w", encoding="utf-8") as file:
        file.write("incorrect\n")
    ana.extra = ["--passphrase-file", wrong]
    ana.fails(7, "status")
    ana.extra = right
    ana.start()
    assert ana.ok("status")["node"] == "running"


def a_key_file_that_others_may_read_or_that_is_damaged_is_refused(place):
    ana = place.member("Ana")
    key = os.path.join(ana.home, "key")
    os.chmod(key, 0o644)
    ana.fails(1, "status")
    os.chmod(key, 0o600)
    with open(key, "rb") as file:
        whole = file.read()
    for damaged in (whole[:50], whole[:-1], whole[:70] + bytes([whole[70] ^ 1]) + whole[71:], b""):
        with open(key, "wb") as file:
            file.write(damaged)
        ana.fails(1, "status")
    with open(key, "wb") as file:
        file.write(whole)
    ana.ok("status")


def a_damaged_store_is_told_and_left_alone(place):
    ana = place.member("Ana")
    path = os.path.join(ana.home, "store", "data.mdb")
    with open(path, "rb") as file:
        whole = file.read()
    for damaged in (whole[:5000], b"\x55" * len(whole)):
        with open(path, "wb") as file:
            file.write(damaged)
        ana.fails(1, "contact", "add", "X")
        with open(path, "rb") as file:
            assert file.read() == damaged
    with open(path, "wb") as file:
        file.write(whole)
    ana.ok("contact", "add", "X")


def one_home_has_one_node(place):
    ana = place.member("Ana").start()
    error = ana.fails(1, "run", "--listen", "127.0.0.1:0")
    assert str(ana.process.pid) in error["message"]


def a_port_in_use_is_told(place):
    ana = place.member("Ana")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ana.fails(1, "run", "--listen", "127.0.0.1:%d" % taken.getsockname()[1])


def ctrl_c_and_sigterm_end_a_node_cleanly(place):
    ana = place.member("Ana")
    for number in (signal.SIGINT, signal.SIGTERM):
        ana.start()
        ana.ok("contact", "add", "Before %d" % number)
        ana.process.send_signal(number)
        assert ana.wait_end() == 0
        assert not os.path.exists(os.path.join(ana.home, "node.sock"))
    assert ana.ok("contact", "list")["total"] == 2


def a_port_drawn_once_is_tried_first_next_time(place):
    ana = place.member("Ana").start()
    first = ana.listen
    ana.stop()
    assert ana.start().listen == first


def an_import_is_planned_done_once_and_keeps_what_it_does_not_know(place):
    ana = place.member("Ana")
    path = os.path.join(place.path, "book.vcf")
    with open(path, "wb") as file:
        file.write(CARD + b"BEGIN:VCARD\r\nVERSION:3.0\r\nNOTE:nobody\r\nEND:VCARD\r\n")
    plan = ana.ok("import", path, "--dry-run")
    assert (plan["new"], len(plan["rejected"])) == (2, 1) and plan["rejected"][0]["line"] == 17
    assert ana.ok("contact", "list")["total"] == 0
    assert ana.ok("import", path, "--tag", "book")["new"] == 2
    for node in (False, True):
        if node:
            ana.start()
        again = ana.ok("import", path, "--tag", "book")
        assert (again["new"], again["updated"], again["unchanged"]) == (0, 0, 2), again
    mara = ana.ok("contact", "show", "mara lindt")
    assert mara["phones"] == ["+49 30 123456"] and mara["labels"]["mara@example.org"] == "work"
    assert sorted(mara["tags"]) == ["book", "choir", "clients"]
    zoe = ana.ok("contact", "show", "zoe lukasz")
    assert zoe["emails"] == ["zoe@example.org"] and zoe["phones"] == ["+48-22-1"]
    assert ana.ok("import", "-", stdin=CARD)["unchanged"] == 2
    ana.fails(1, "import", "-", stdin=b"this is no address book")
    ana.fails(1, "import", os.path.join(place.path, "missing.vcf"))


def real_address_books_are_read(place):
    folder = os.path.join(DATA, "vcards")
    if not os.path.isdir(folder):
        raise Skip("no test data at " + folder)
    ana = place.member("Ana").start()
    expected = {"ez-vcard/gmail-list.vcf": 3, "ez-vcard/John_Doe_ANDROID.vcf": 6,
                "ez-vcard/rfc6350-example.vcf": 1, "ez-vcard/outlook-2003.vcf": 1,
                "android/v21_multiple_entry.vcf": 3, "khard/korean-c.vcf": 1}
    for name, people in expected.items():
        answer = ana.ok("import", os.path.join(folder, name))
        assert answer["new"] + answer["updated"] + answer["unchanged"] == people, (name, answer)
    assert ana.ok("contact", "show", "Simon Perreault")["emails"] == ["simon.perreault@viagenie.ca"]


def a_command_waits_for_a_node_that_is_starting(place):
    ana = place.member("Ana")
    process = subprocess.Popen(
        [KITH, "--home", ana.home, "run", "--listen", "127.0.0.1:0", "--json"],
        stdout=subprocess.PIPE)
    try:
        ana.ok("contact", "add", "At once")
        ana.ok("contact", "list")
        process.stdout.readline()
        until(lambda: ana.ok("status")["node"] == "running")
    finally:
        process.terminate()
        process.communicate(timeout=20)


def help_version_and_doctor_answer(place):
    ana = place.member("Ana")
    assert ana.ok("version")["v"] == 1
    code, text = ana.call("help", text=True)
    assert code == 0 and "peer invite" in text
    code, text = ana.call("help", "peer", "invite", text=True)
    assert code == 0 and "--expires" in text
    assert ana.ok("doctor")["healthy"] is True
    ana.ok("contact", "add", "Kept")
    assert ana.ok("doctor", "--rebuild")["healthy"] is True
    assert ana.ok("contact", "show", "kept")["name"] == "Kept"


def kith_alone_names_the_next_steps(place):
    """Of use before there is anybody to link with; each step is a line that works."""
    ana = place.member("Ana")

    def steps():
        code, text = ana.call(text=True)
        assert code == 0, text
        lines = text.split("Next ", 1)[1].splitlines() if "Next " in text else []
        return [line.strip() for line in lines if line.strip().startswith("kith ")]

    assert [step.split()[1] for step in steps()] == ["import", "contact", "peer"], steps()
    ana.ok("contact", "add", "Joon")
    assert [step.split()[1] for step in steps()] == ["remind", "peer", "run"], steps()
    ana.ok("remind", "joon", "--every", "3m")
    ana.start()
    assert [step.split()[1] for step in steps()] == ["remind", "peer"], steps()
    bruno, chie = place.member("Bruno"), place.member("Chie").start()
    bruno.ok("peer", "accept", ana.ok("peer", "invite", "Bruno")["uri"])
    code, text = bruno.call(text=True)
    assert code == 0 and "kith run  # makes the link you accepted" in text, text
    bruno.start()
    until(lambda: ana.ok("status")["peers"]["total"] == 1)
    assert steps() == ['kith peer words "Bruno"  # makes sure who it is',
                       "kith ask post TEXT --title TITLE  # asks the people you know"], steps()
    ana.ok("peer", "compared", "Bruno")
    link(ana, chie)
    ana.ok("peer", "compared", "Chie")
    until(lambda: ana.card_of("chie").get("name"))
    names = [peer["name"] for peer in ana.peers()]
    assert steps() == [f'kith introduce "{names[0]}" "{names[1]}"  # brings two together',
                       "kith ask post TEXT --title TITLE  # asks the people you know"], steps()
    # Who has done so is not told to do it again.
    ana.ok("introduce", *names, "--why", "You both restore boats.")
    assert steps() == ["kith ask post TEXT --title TITLE  # asks the people you know"], steps()
    ana.stop()
    assert steps()[0] == "kith run  # brings what your peers have to say", steps()


def a_node_on_a_terminal_tells_what_happens_and_in_a_pipe_one_line(place):
    ana, bruno = place.member("Ana"), place.member("Bruno")
    words = ["run", "--listen", "127.0.0.1:0"]
    node = Terminal(KITH, "--home", ana.home, *words)
    piped = subprocess.Popen([KITH, "--home", bruno.home, *words], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    try:
        node.hears("kith: Ana listens on 127.0.0.1:")
        first = piped.stdout.readline().decode()
        assert first.startswith("kith: Bruno listens on 127.0.0.1:"), first
        bruno.ok("peer", "accept", ana.ok("peer", "invite", "Bruno")["uri"])
        node.hears("Bruno accepted your invitation: you are linked")
        assert node.text().count("\n") == 2, node.text()
        bruno.ok("endorse", "ana", "--about", "boats", "--relation", "client", "--words",
                 "Sails well, and tells the truth.")
        node.hears("Bruno", since=len(node.shown))
        ana.ok("stop")
        assert node.wait() == 0, node.text()
        told = [row["text"] for row in ana.call("log")[1]]
        assert all(text in " ".join(node.text().split()) for text in told), (told, node.text())
    finally:
        piped.send_signal(signal.SIGTERM)
        rest, error = piped.communicate(timeout=20)
        node.close()
    assert rest == b"" and error == b"", (rest, error)


def the_socket_refuses_what_is_no_request(place):
    ana = place.member("Ana").start()
    path = os.path.join(ana.home, "node.sock")
    assert os.stat(path).st_mode & 0o777 == 0o600
    for line in (b"nonsense\n", b"{}\n", b"[" * 100000 + b"\n", b"x" * 3000000,
                 b'{"jsonrpc":"2.0","id":1,"method":"no.such"}\n',
                 b'{"jsonrpc":"2.0","id":1,"method":"contact.add","params":{"name":7}}\n'):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(path)
            try:
                client.sendall(line)
                client.recv(65536)
            except (BrokenPipeError, ConnectionResetError):
                pass
    begun = time.monotonic()
    assert ana.ok("status")["node"] == "running" and time.monotonic() - begun < 10


run(dict(globals()))
