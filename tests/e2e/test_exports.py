"""What goes out comes back the same, whatever the format, with and without a node."""
import json
import os
import stat
import subprocess

from kithtest import DATA, KITH, Skip, link, run

FORMATS = {"vcard": "vcf", "vcard4": "vcf", "csv": "csv", "json": "json"}
BOOK = b"\r\n".join((
    b"BEGIN:VCARD", b"VERSION:3.0", b"UID:urn:uuid:1", b"FN:Mr. Jo Kim", b"N:Kim;Jo;;Mr.;",
    b"ORG:ACME;Sales", b"TITLE:=1+1", b"EMAIL;TYPE=WORK:jo@example.org",
    b"item1.TEL;TYPE=PREF:+49 30 1", b"item1.X-ABLabel:Boat", b"ADR;TYPE=HOME:;;1 Main St;Town;;;",
    b"NOTE:two\\nlines", b"CATEGORIES:choir,friends", b"PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgoAAA==",
    b"X-SPOUSE:Mara", b"item2.X-ABDATE:1999-01-01", b"item2.X-ABLabel:_$!<Anniversary>!$_",
    b"END:VCARD", b"BEGIN:VCARD", b"VERSION:4.0", b"KIND:org", b"FN:Zo\xc3\xab's",
    b"TEL;VALUE=uri:tel:+48-22-1", b"END:VCARD", b""))


def contacts(member):
    found = member.ok("contact", "list")["contacts"]
    for contact in found:
        for key in ("id", "created", "updated"):
            contact.pop(key, None)
    return found


def everything_comes_back_from_every_format(place):
    ana = place.member("Ana")
    ana.ok("import", "-", "--tag", "book", stdin=BOOK)
    ana.ok("contact", "add", "By hand", "--met", "at sea", "--place", "Berlin, Germany")
    for node in (False, True):
        if node:
            ana.start()
        for name, end in FORMATS.items():
            path = os.path.join(place.path, f"book-{node}-{name}.{end}")
            answer = ana.ok("export", "--format", name, "-o", path)
            assert (answer["contacts"], answer["file"]) == (3, path), answer
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            assert not os.path.exists(path + ".new")
            same = ana.ok("import", path)
            assert (same["new"], same["updated"], same["unchanged"]) == (0, 0, 3), (name, same)
            other = place.member(f"Other-{node}-{name}")
            assert other.ok("import", path)["new"] == 3
            assert contacts(other) == contacts(ana), (name, contacts(other), contacts(ana))
            again = other.ok("export", "--format", name)["text"]
            with open(path, encoding="utf-8", newline="") as file:
                text = file.read()
            if name != "json":  # its ids are the home's own
                assert sorted(again.splitlines()) == sorted(text.splitlines()), name


def a_formula_is_told_as_text(place):
    ana = place.member("Ana")
    ana.ok("import", "-", stdin=BOOK)
    text = ana.ok("export", "--format", "csv")["text"]
    assert ",'=1+1," in text and ",'+49 30 1," in text, text


def a_tag_chooses_and_a_pipe_gets_the_text_itself(place):
    ana = place.member("Ana")
    ana.ok("import", "-", stdin=BOOK)
    assert ana.ok("export", "--tag", "CHOIR")["contacts"] == 1
    assert ana.ok("export", "--tag", "nobody")["contacts"] == 0
    code, text = ana.call("export", "--format", "json", text=True)
    assert code == 0 and json.loads(text)["total"] == 2, text
    code, text = ana.call("export", "--output", "-", text=True)
    assert code == 0 and text.count("BEGIN:VCARD\r\n") == 2, text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def a_reader_that_goes_away_ends_it(place):
    ana = place.member("Ana")
    cards = b"".join(b"BEGIN:VCARD\r\nFN:Person %d\r\nNOTE:%s\r\nEND:VCARD\r\n" % (at, b"n" * 900)
                     for at in range(600))
    ana.ok("import", "-", stdin=cards)
    for node in (False, True):
        if node:
            ana.start()
        with subprocess.Popen([KITH, "--home", ana.home, "export"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.read(10)
            process.stdout.close()
            error = process.stderr.read()
            assert process.wait(timeout=30) == 1, error
            assert b"Sanitizer" not in error


def more_than_a_line_of_the_socket_comes_whole(place):
    ana = place.member("Ana")
    cards = b"".join(b"BEGIN:VCARD\r\nFN:Person %d\r\nNOTE:%s\r\nEND:VCARD\r\n" % (at, b"n" * 900)
                     for at in range(2500))
    ana.ok("import", "-", stdin=cards)
    alone = {name: ana.ok("export", "--format", name)["text"] for name in FORMATS}
    ana.start()
    for name in FORMATS:
        answer = ana.ok("export", "--format", name)
        assert answer["contacts"] == 2500 and answer["text"] == alone[name], name


def what_cannot_be_written_is_told_and_leaves_nothing(place):
    ana = place.member("Ana")
    ana.ok("import", "-", stdin=BOOK)
    ana.fails(2, "export", "--format", "xml")
    ana.fails(2, "export", "-o")
    path = os.path.join(place.path, "kept")
    with open(path, "w", encoding="utf-8") as file:
        file.write("before")
    os.mkdir(path + ".new")  # In the way of the file beside it.
    ana.fails(1, "export", "-o", path)
    ana.fails(1, "export", "-o", os.path.join(place.path, "no", "such", "folder"))
    with open(path, encoding="utf-8") as file:
        assert file.read() == "before"


def what_a_peer_says_of_themself_goes_out_and_does_not_come_back_as_mine(place):
    ana, bruno = place.member("Ana").start(), place.member("Bruno").start()
    bruno.ok("me", "edit", "--email", "bruno@example.org", "--org", "ACME")
    link(ana, bruno)
    ana.ok("sync", "--wait", "20")
    ana.ok("contact", "edit", "Bruno", "--add", "tag=friend")
    text = ana.ok("export")["text"]
    assert "EMAIL:bruno@example.org" in text and "ORG:ACME" in text, text
    again = ana.ok("import", "-", stdin=text.encode())
    assert (again["new"], again["updated"], again["unchanged"]) == (0, 0, 1), again
    assert "emails" not in ana.ok("contact", "show", "Bruno")["mine"]


def a_new_name_leaves_the_old_one_behind(place):
    ana = place.member("Ana")
    ana.ok("import", "-", stdin=BOOK)
    ana.ok("contact", "edit", "Mr. Jo Kim", "--set", "name=Jo Park")
    text = ana.ok("export")["text"]
    assert "FN:Jo Park\r\nN:Park;Jo;;;\r\n" in text, text


def real_books_come_back(place):
    if not os.path.isdir(DATA):
        raise Skip("no test data")
    ana = place.member("Ana")
    for folder in ("vcards/ez-vcard", "vcards/khard", "linkedin-csv"):
        top = os.path.join(DATA, folder)
        for name in sorted(os.listdir(top)) if os.path.isdir(top) else []:
            code, _ = ana.call("import", os.path.join(top, name))
            assert code in (0, 1), name
    total = ana.ok("contact", "list")["total"]
    for name in FORMATS:
        text = ana.ok("export", "--format", name)["text"]
        again = ana.ok("import", "-", stdin=text.encode())
        assert (again["new"], again["updated"], again["unchanged"]) == (0, 0, total), (name, again)


run(dict(globals()))
