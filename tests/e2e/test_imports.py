"""An import is whole or not there: planned, repeated, taken back, broken off."""
import json
import os
import signal
import subprocess
import time

from kithtest import KITH, LATER, Member, Skip, run


def card(name, *lines):
    return "\r\n".join(("BEGIN:VCARD", "VERSION:3.0", "FN:" + name, *lines, "END:VCARD", ""))


def many(count, note=0):
    return "".join(card(f"Person {at:05}", f"UID:u{at}", f"EMAIL:p{at}@example.org",
                        "NOTE:" + "n" * note) for at in range(count)).encode()


def people(member):
    return member.ok("contact", "list")["contacts"]


def whoever_stands_twice_in_a_file_is_one(place):
    ana = place.member("Ana")
    book = (card("Jo Kim", "UID:1", "EMAIL:jo@example.org") + card("Al", "TEL:+1") +
            card("JO KIM", "EMAIL:Jo@Example.org", "TITLE:Welder") +  # by name and e-mail
            card("Jo Kim-Park", "UID:1", "ORG:ACME") +                # by UID
            card("Jo Kim", "EMAIL:other@example.org") +               # another of that name
            card("Somebody Else", "TEL:+1") +                         # another with that phone
            card("No Reach") + card("no reach", "NOTE:same")).encode()
    for _ in range(2):
        answer = ana.ok("import", "-", "--dry-run", stdin=book)
        assert (answer["new"], answer["updated"], answer["look_alike"]) == (5, 3, 2), answer
        assert [row["line"] for row in answer["alike"]] == [24, 29], answer
        assert people(ana) == []
    assert ana.ok("import", "-", stdin=book)["new"] == 5
    jo = ana.ok("contact", "show", "Jo Kim-Park")
    assert (jo["org"], jo["title"], jo["emails"]) == ("ACME", "Welder", ["jo@example.org"]), jo
    assert ana.ok("contact", "show", "no reach")["note"] == "same"
    again = ana.ok("import", "-", stdin=book)
    assert again["new"] == 0, again


def other_people_of_one_name_stay_apart(place):
    ana = place.member("Ana")
    answer = ana.ok("import", "-", stdin=(
        card("Jo", "UID:1") + card("Jo", "UID:2") + card("Jo", "UID:3", "ORG:ACME")).encode())
    assert (answer["new"], answer["look_alike"]) == (3, 2), answer
    more = ana.ok("import", "-", stdin=(card("Jo", "ORG:Other") + card("Jo", "TEL:1")).encode())
    assert more["look_alike"] == more["new"], more


def what_was_changed_by_hand_since_stays(place):
    """Three ways: what the file told last, what the owner made of it, what the file tells now."""
    ana = place.member("Ana")
    first = card("Jo Kim", "UID:1", "N:Kim;Jo;;;", "EMAIL:jo@example.org", "EMAIL:jo@old.example",
                 "ORG:ACME", "TITLE:Welder", "NOTE:from the file", "TEL:+1 555 0100",
                 "CATEGORIES:choir,yard").encode()
    assert ana.ok("import", "-", stdin=first)["new"] == 1
    again = ana.ok("import", "-", stdin=first)
    assert (again["unchanged"], again.get("kept")) == (1, None), again
    ana.ok("contact", "edit", "jo", "--set", "title=Master welder", "--unset", "note", "--unset",
           "email=jo@old.example", "--add", "email=jo@new.example", "--unset", "tag=yard",
           "--set", "name=Jo Kim-Park")
    again = ana.ok("import", "-", stdin=first)
    assert (again["unchanged"], again["kept"]) == (1, 5), again
    jo = ana.ok("contact", "show", "Jo Kim-Park")
    assert (jo["title"], jo["org"], jo["tags"]) == ("Master welder", "ACME", ["choir"]), jo
    assert sorted(jo["emails"]) == ["jo@example.org", "jo@new.example"] and "note" not in jo, jo
    newer = card("Jo Kim", "UID:1", "EMAIL:jo@example.org", "EMAIL:jo@third.example",
                 "ORG:Borealis", "TITLE:Foreman", "NOTE:another note", "TEL:+1 555 0100").encode()
    more = ana.ok("import", "-", stdin=newer)
    assert (more["updated"], more["kept"]) == (1, 2), more
    jo = ana.ok("contact", "show", "Jo Kim-Park")
    assert jo["org"] == "Borealis", "what nobody changed by hand follows the file"
    assert jo["title"] == "Master welder", "what both changed stays the owner's"
    assert jo["note"] == "another note", "what was cleared comes back when the file has news"
    assert sorted(jo["emails"]) == ["jo@example.org", "jo@new.example", "jo@third.example"], jo
    ana.ok("contact", "edit", "Jo Kim-Park", "--set", "title=Foreman")
    assert ana.ok("import", "-", stdin=first)["updated"] == 1
    assert ana.ok("contact", "show", "Jo Kim-Park")["title"] == "Welder", \
        "a value that came from a file is the file's to change"
    fields = {change["field"] for step in ana.ok("contact", "history", "Jo Kim-Park")["history"]
              for change in step["changes"]}
    assert "imported" not in fields, fields
    assert "imported" not in ana.call("export", "--format", "vcard", text=True)[1].lower()
    code, text = ana.call("import", "-", stdin=first, text=True)
    assert code == 0, text
    ana.ok("undo")
    ana.ok("contact", "edit", "Jo Kim-Park", "--set", "org=Mine")
    code, text = ana.call("import", "-", stdin=newer, text=True)
    assert code == 0 and "as you changed it by hand" in text, text


def a_file_after_a_contact_by_hand_is_believed_once(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Jo Kim", "--email", "jo@example.org", "--title", "Sailor")
    book = card("Jo Kim", "EMAIL:jo@example.org", "TITLE:Welder").encode()
    assert ana.ok("import", "-", stdin=book)["updated"] == 1
    assert ana.ok("contact", "show", "jo")["title"] == "Welder"
    ana.ok("contact", "edit", "jo", "--set", "title=Sailor")
    assert ana.ok("import", "-", stdin=book)["kept"] == 1
    assert ana.ok("contact", "show", "jo")["title"] == "Sailor"


def what_was_entered_by_hand_about_the_meeting_stays(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Jo Kim", "--email", "jo@example.org", "--met", "at sea")
    rows = ("First Name,Last Name,Email Address,Company,Connected On\n"
            "Jo,Kim,jo@example.org,ACME,1 Jan 2020\n")
    assert ana.ok("import", "-", stdin=rows.encode())["updated"] == 1
    jo = ana.ok("contact", "show", "Jo Kim")
    assert (jo["met"], jo["org"]) == ("at sea", "ACME"), jo


def a_whole_import_is_taken_back(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Person 00007", "--email", "p7@example.org", "--tag", "mine")
    before = people(ana)
    for node in (False, True):
        if node:
            ana.start()
        answer = ana.ok("import", "-", "--tag", "book", stdin=many(600))
        assert (answer["new"], answer["updated"]) == (599, 1), answer
        assert ana.ok("contact", "search", "person", "--limit", "1000")["total"] == 600
        undone = ana.ok("undo")
        assert undone["contacts"] == 600 and "import" in undone["undone"], undone
        after = people(ana)
        for contact in before + after:
            contact.pop("updated", None)
        assert after == before, after


def through_a_node_it_is_the_same_and_done_when_it_answers(place):
    ana = place.member("Ana").start()
    book = many(3000, note=400)  # more than one piece of the socket
    assert ana.ok("import", "-", stdin=book, timeout=120)["new"] == 3000
    assert ana.ok("contact", "search", "person 02999")["total"] == 1
    again = ana.ok("import", "-", stdin=book, timeout=120)
    assert (again["new"], again["updated"], again["unchanged"]) == (0, 0, 3000), again


def reading_meanwhile_neither_waits_for_ever_nor_stops_it(place):
    ana = place.member("Ana").start()
    book = os.path.join(place.path, "book.vcf")
    with open(book, "wb") as file:
        file.write(many(6000))
    with subprocess.Popen([KITH, "--home", ana.home, "import", book],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        end = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < end:
            ana.ok("status")  # Each takes the writer away from the views for a moment.
        process.kill()
        assert process.wait() == 0, process.stderr.read()
    assert ana.ok("contact", "search", "person 05999")["total"] == 1


def killed_or_interrupted_it_never_happened(place):
    book = os.path.join(place.path, "book.vcf")
    with open(book, "wb") as file:
        file.write(many(6000))
    ana = place.member("Ana")
    ana.ok("contact", "add", "Wake")
    for number, wait in ((signal.SIGKILL, 0.2), (signal.SIGINT, 0.4), (signal.SIGKILL, 0.8),
                         (signal.SIGTERM, 0.6)):
        with subprocess.Popen([KITH, "--home", ana.home, "import", book],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(wait)
            process.send_signal(number)
            process.communicate(timeout=120)
        ana.ok("contact", "edit", "Wake", "--set", "note=%d" % number)  # Whoever writes catches up.
        total = ana.ok("contact", "list", "--limit", "1")["total"]
        assert total in (1, 6001), total
    assert ana.ok("import", book, timeout=120)["rejected"] == []
    assert ana.ok("contact", "list", "--limit", "1")["total"] == 6001
    assert ana.ok("doctor")["healthy"] is True


def a_full_disk_leaves_everything_as_it_was(place):
    disk = os.path.join(place.path, "disk")
    os.mkdir(disk)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "kith-test", disk],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        raise Skip("a small tmpfs cannot be mounted here: " + mounted.stderr.decode().strip())
    try:
        ana = Member(disk, "Ana")
        ana.ok("contact", "add", "Before")
        error = ana.fails(1, "import", "-", stdin=many(6000, note=900), timeout=120)
        assert "disk" in error["message"] or "room" in error["hint"], error
        assert [contact["name"] for contact in people(ana)] == ["Before"]
        assert ana.ok("doctor")["healthy"] is True
        assert ana.ok("import", "-", stdin=many(3))["new"] == 3
    finally:
        subprocess.run(["umount", disk], check=False)


def nothing_of_a_card_becomes_another_property(place):
    ana = place.member("Ana")
    book = (b"BEGIN:VCARD\nVERSION:2.1\nFN;ENCODING=QUOTED-PRINTABLE:Eve=0D=0AEMAIL:x@example.org\n"
            b"NOTE;ENCODING=QUOTED-PRINTABLE:a=0D=0AEND:VCARD=0D=0ABEGIN:VCARD\n"
            b"X-ODD;ENCODING=QUOTED-PRINTABLE:b=0D=0ATEL:1\nEND:VCARD\n")
    assert ana.ok("import", "-", stdin=book)["new"] == 1
    eve = people(ana)[0]
    assert eve["name"] == "Eve EMAIL:x@example.org" and "emails" not in eve, eve
    assert eve["note"] == "a\nEND:VCARD\nBEGIN:VCARD" and "phones" not in eve, eve
    text = ana.ok("export")["text"]
    lines = text.split("\r\n")
    assert lines.count("BEGIN:VCARD") == 1 and "\r\nTEL" not in text, text


def nothing_of_any_format_becomes_another_card(place):
    def properties(text):
        return [line for line in text.replace("\r\n ", "").split("\r\n") if line]

    # A line end of an old Mac, in a file that has others.
    ana = place.member("Ana")
    book = (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Eve\r\nX-ODD:a\rEND:VCARD\rBEGIN:VCARD\rFN:Mallory"
            b"\r\nNOTE:b\rc\r\nEND:VCARD\r\n")
    assert ana.ok("import", "-", stdin=book)["new"] == 1
    assert people(ana)[0]["note"] == "b\nc", people(ana)
    # The name of a column, and what kind of address it is.
    book = (b'Name,Email,"Colour\nTEL:1",Address 1 - Type,Address 1 - City,E-mail 1 - Value,'
            b'Group Membership\nJoe,joe@example.org,blue,"work\nTEL:2",Porto,j@example.org,\n')
    assert ana.ok("import", "-", stdin=book)["new"] == 1
    # What says by itself that it is a line of a vCard.
    book = {"contacts": [{"name": "Kim", "photo": "END:VCARD",
                          "extra": ["END:VCARD", "X-A:1\nEND:VCARD\nBEGIN:VCARD\nX-C:3",
                                    "no property", "VERSION:2.1", "X-B:2"]}]}
    assert ana.ok("import", "-", stdin=json.dumps(book).encode())["new"] == 1
    for version in ("vcard", "vcard4"):
        lines = properties(ana.ok("export", "--format", version)["text"])
        assert [lines.count(one) for one in ("BEGIN:VCARD", "END:VCARD")] == [3, 3], lines
        assert sorted(line for line in lines if line.startswith("FN:")) == ["FN:Eve", "FN:Joe",
                                                                           "FN:Kim"], lines
        assert all(":" in line and not line.startswith("TEL") for line in lines), lines
        assert "X-ODD:a END:VCARD BEGIN:VCARD FN:Mallory" in lines and "X-B:2" in lines, lines
        assert sum(line.startswith("VERSION") for line in lines) == 3, lines
        assert 'X-COLUMN;NAME="Colour TEL:1":blue' in lines, lines
        assert 'ADR;TYPE="work tel:2":;;;Porto;;;' in lines, lines


def an_empty_file_and_a_rehearsal_say_so(place):
    ana = place.member("Ana")
    for nothing in (b"", b"\r\n \t\n", b"\xef\xbb\xbf\n"):
        code, said = ana.call("import", "-", text=True, stdin=nothing)
        assert code == 1 and "there is nothing in it" in said, (code, said)
    jo = card("Jo Kim").encode()
    code, said = ana.call("import", "-", "--dry-run", text=True, stdin=jo)
    assert code == 0 and "Nothing was written" in said, said
    assert ana.ok("contact", "list")["total"] == 0
    code, said = ana.call("import", "-", text=True, stdin=jo)
    assert code == 0 and "Nothing was written" not in said, said


def what_is_too_large_is_left_out_and_told(place):
    ana = place.member("Ana")
    book = (card("Big Photo", "PHOTO;ENCODING=b;TYPE=JPEG:" + "A" * 300000) +
            card("Small Photo", "PHOTO;ENCODING=b;TYPE=JPEG:" + "A" * 150000) +
            card("N" * 5000) + card("Many", *[f"EMAIL:e{at}@example.org" for at in range(600)]))
    answer = ana.ok("import", "-", stdin=book.encode())
    assert answer["new"] == 3 and [row["line"] for row in answer["notes"]] == [1, 11], answer
    assert [row["line"] for row in answer["rejected"]] == [15], answer
    text = ana.ok("export", "--format", "json")["text"]
    assert text.count("PHOTO;ENCODING=b") == 1


def a_card_without_an_end_is_taken_and_told(place):
    ana = place.member("Ana")
    book = (b"BEGIN:VCARD\nVERSION:2.1\nFN:Ann\nEMAIL:a@example.org\n"
            b"BEGIN:VCARD\nVERSION:3.0\nFN:Bo\nEND:VCARD\n"
            b"BEGIN:VCARD\nFN:Cy\nAGENT:\nBEGIN:VCARD\nFN:Deb\nTEL:1\n")
    for node in (False, True):
        if node:
            ana.start()
        answer = ana.ok("import", "-", stdin=book)
        assert [row["line"] for row in answer["notes"]] == [1, 9], answer
        assert all("END:VCARD is missing" in row["why"] for row in answer["notes"]), answer
        assert answer["rejected"] == [] and answer["new"] == (0 if node else 3), answer
    assert [one["name"] for one in people(ana)] == ["Ann", "Bo", "Cy"], people(ana)
    assert ana.ok("contact", "show", "Ann")["emails"] == ["a@example.org"]
    text = ana.ok("export")["text"]  # Nothing of the one inside is lost with its end.
    assert "AGENT:BEGIN:VCARD\\nFN:Deb\\nTEL:1" in text.replace("\r\n ", ""), text
    whole = ana.ok("import", "-", stdin=card("Dee").encode())
    assert "notes" not in whole, whole
    code, said = ana.call("import", "-", "--dry-run", text=True, stdin=book)
    assert code == 0 and "line 9: END:VCARD is missing" in said, said


def hostile_files_cost_little_and_break_nothing(place):
    """The program as a whole, as unit/book_hostile shows of the readers alone. Memory is of the
    process; sanitizers are asked to keep little of what was freed."""
    ana = place.member("Ana")
    end = b"END:VCARD\n"
    files = {  # what is in it: new people, or the sentence of the failure
        "one line of 100 MB": (b"BEGIN:VCARD\nFN:" + b"x" * 100_000_000 + b"\n" + end +
                               card("Bo").encode(), 1),
        "nested 50,000 deep": (b"BEGIN:VCARD\nFN:Top\n" + b"AGENT:\nBEGIN:VCARD\nFN:D\n" * 50000 +
                               end * 50001, 1),
        "begun 50,000 times": (b"BEGIN:VCARD\n" * 50000 + b"FN:Deep\n" + end * 50000, 1),
        "a million columns": (b"Name,Email\nAda,a@example.org" + b",x" * 1_000_000 +
                              b"\nCal,c@example.org\n", 1),
        "a million names of columns": (b"Name,Email" + b",x" * 1_000_000 + b"\nEva,e@example.org\n",
                                       "no row names its columns"),
        "control bytes": (b"BEGIN:VCARD\nFN:Ev\x1b[31mil\x00\x07\nTEL:1\x1b]0;x\x07\n" + end, 1)}
    env = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=1:malloc_context_size=2")
    for what, (book, wanted) in files.items():
        path = os.path.join(place.path, "hostile")
        with open(path, "wb") as file:
            file.write(book)
        with subprocess.Popen([KITH, "--home", ana.home, "--no-input", "import", path],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env) as process:
            said = process.stdout.read().decode()  # At most 1,000 lines are told.
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if isinstance(wanted, int):
            assert process.returncode == 0 and said.startswith(f"{wanted} new,"), (what, said[:300])
        else:
            assert process.returncode == 1 and wanted in said, (what, said[:300])
        assert usage.ru_maxrss <= 256 << 10, (what, usage.ru_maxrss)
        assert usage.ru_utime + usage.ru_stime <= 30, (what, usage)
        assert "\x1b" not in said and "\x07" not in said, said
    code, said = ana.call("contact", "list", text=True)
    assert code == 0 and "\x1b" not in said and "\x07" not in said, said
    assert ana.ok("contact", "list")["total"] == 5


def who_reads_after_a_break_between_commit_and_lists_reads_all_of_it(place):
    """More entries than a commit follows by itself: the import is durable and its lists are not
    there yet. Whatever is typed first, reading or writing, brings them up to date before it looks;
    the doctor alone looks at things as they are."""
    ways = {("contact", "list"): lambda answer: answer["total"] == 300,
            ("contact", "search", "person 00008"): lambda answer: answer["total"] == 1,
            ("contact", "show", "Person 00003"): lambda answer: answer["name"] == "Person 00003",
            ("export",): lambda answer: answer["contacts"] == 300,
            ("status",): lambda answer: answer["contacts"] == 300,
            ("contact", "duplicates"): lambda answer: True,
            ("contact", "edit", "Person 00001", "--set", "org=ACME"):
                lambda answer: answer["org"] == "ACME"}
    for at, (way, is_right) in enumerate(ways.items()):
        ana = place.member("Ana%d" % at)
        broken = subprocess.run([LATER, "--home", ana.home, "import", "-"], input=many(300),
                                env={**os.environ, "KITH_LATER": "behind"}, capture_output=True,
                                check=False)
        assert broken.returncode == 1, broken
        doctor = ana.ok("doctor")
        assert doctor["healthy"] is True, doctor
        assert is_right(ana.ok(*way)), way
        assert ana.ok("contact", "list")["total"] == 300
        again = ana.ok("import", "-", stdin=many(300))
        assert (again["new"], again["unchanged"]) == (0, 300), again


def an_import_that_a_stop_cuts_short_is_no_success(place):
    """The node ends after the step that is under way: what is in stays, and the rest is told of."""
    ana = place.member("Ana")
    ana.program = LATER
    os.environ["KITH_LATER"] = "ending"
    ana.start()
    del os.environ["KITH_LATER"]
    told = ana.fails(1, "import", "-", stdin=many(60))
    assert "only a part" in told["message"], told
    assert ana.wait_end() == 0
    assert ana.ok("contact", "list")["total"] == 20
    again = ana.ok("import", "-", stdin=many(60))
    assert (again["new"], again["unchanged"]) == (40, 20), again


run(dict(globals()))
