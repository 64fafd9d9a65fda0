"""The command line among other programs: completion, manual pages, pipes."""
import json
import os
import re
import shlex
import shutil
import signal
import subprocess

from kithtest import KITH, Skip, link, on_terminal, run, until


def the_other_shells_read_what_is_written(place):
    ana = place.member("Ana")
    for shell, program in (("zsh", "zsh"), ("fish", "fish"), ("bash", "bash")):
        code, text = ana.call("completion", shell, text=True)
        assert code == 0 and "complete --shell" in text
        if shutil.which(program):
            check = subprocess.run([program, "-n"], input=text.encode(), capture_output=True,
                                   timeout=60, check=False)
            assert check.returncode == 0, check.stderr
    assert "completion" in ana.fails(2, "completion", "tcsh")["hint"]


def the_manual_is_one_page_and_one_for_each_command(place):
    ana = place.member("Ana")
    code, page = ana.call("man", text=True)
    assert code == 0 and page.startswith(".TH KITH 1")
    for line in page.split("\n"):
        assert not line.startswith("'"), line
    code, names = ana.call("help", "all", text=True)
    assert names.count("\n  kith ") > 90
    for line in names.split("\n"):
        if line.startswith("  kith "):
            word = line.split()[1]
            assert word in page.replace("\\-", "-"), word
    if shutil.which("mandoc"):
        checked = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=page.encode(),
                                 capture_output=True, timeout=60, check=False)
        told = [line for line in checked.stdout.decode().split("\n")
                if line and "missing date" not in line]  # It would be of the day it was printed.
        assert told == [] and checked.stderr == b"", told
    code, page = ana.call("man", "peer", "invite", text=True)
    assert code == 0 and "\\-\\-qr" in page
    ana.fails(2, "man", "nothing")
    if shutil.which("man") is None:
        raise Skip("there is no man here")
    shown = subprocess.run(["man", "-l", "-"], input=page.encode(), capture_output=True, timeout=60,
                           check=False, env=dict(os.environ, MANWIDTH="80"))
    assert b"warning" not in shown.stderr and b"invite" in shown.stdout


def a_closed_pipe_ends_quietly(place):
    ana = place.member("Ana")
    cards = "".join(f"BEGIN:VCARD\nVERSION:3.0\nFN:Person {n}\nEND:VCARD\n" for n in range(3000))
    ana.ok("import", "-", stdin=cards.encode())
    for command in ("contact list", "contact list --json", "contact search person", "export",
                    "export --format csv", "help", "man", "completion bash", "completion zsh"):
        done = subprocess.run(["bash", "-c", f"{KITH} --home {ana.home} {command} | head -1"],
                              capture_output=True, timeout=60, check=True)
        assert done.stdout.count(b"\n") == 1 and done.stderr == b"", done.stderr


def what_cannot_be_written_is_a_failure(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Mara")
    for command in ("status", "contact list", "contact show mara", "export", "me show", "version",
                    "help", "help who", "help exit-codes", "man", "completion fish", "doctor",
                    "peer invite", "complete ma"):
        for more in ([], ["--json"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([KITH, "--home", ana.home, *command.split(), *more],
                                      stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
            assert done.returncode == 1 and b"Sanitizer" not in done.stderr, (command, more, done)


def what_the_system_does_not_let_is_told_as_what_it_is(place):
    ana = place.member("Ana")
    here = f"'{os.path.abspath(KITH)}' --home '{ana.home}'"

    def said(line):
        done = subprocess.run(["bash", "-c", line], capture_output=True, check=False, text=True,
                              stdin=subprocess.DEVNULL)
        return done.returncode, done.stderr

    code, text = said(f"ulimit -c 0 -f 1; {here} contact add Joon")
    assert code == 1 and "no file may grow" in text and "backup" not in text, (code, text)
    for command in ("import -", "peer accept -", "endorsement verify -"):
        code, text = said(f"{here} {command} <&-")
        assert code in (1, 2) and "standard input is closed" in text, (command, code, text)
    assert ana.ok("contact", "list")["total"] == 0


def a_disk_without_room_for_an_identity_is_told(place):
    disk = os.path.join(place.path, "tiny")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], check=False,
                      capture_output=True).returncode != 0:
        raise Skip("only root may mount a small disk")
    try:
        done = subprocess.run([KITH, "--home", disk + "/home", "--json", "init", "Ana"],
                              capture_output=True, check=False, text=True)
        assert done.returncode == 1 and "disk is full" in done.stdout, done
    finally:
        subprocess.run(["umount", disk], check=False)


def who_follows_the_log_ends_with_its_reader(place):
    ana = place.member("Ana").start()
    following = [subprocess.Popen([KITH, "--home", ana.home, "log", "--follow", *more],
                                  stdout=subprocess.PIPE) for more in ([], ["--json"])]
    bruno = place.member("Bruno").start()
    link(ana, bruno)
    for one in following:
        assert b"Bruno" in one.stdout.readline()
    late = subprocess.Popen([KITH, "--home", ana.home, "log", "--follow"], stdout=subprocess.PIPE)
    assert b"Bruno" in late.stdout.readline(), "what was before it is told, too"
    ana.ok("peer", "remove", "Bruno")
    for one in (late, following[0]):
        assert b"no peer" in one.stdout.readline(), "each row once"
    ana.ok("peer", "accept", bruno.ok("peer", "invite")["uri"])
    following.append(late)
    for one in following:
        one.stdout.close()
    ana.ok("peer", "remove", "Bruno")
    ana.ok("peer", "accept", bruno.ok("peer", "invite")["uri"])
    for one in following:
        assert one.wait(timeout=20) in (0, 1)


def lines_on_terminal(member, columns, *args, **env):
    """What a command shows on a terminal this wide, line by line."""
    _, shown = on_terminal(KITH, "--home", member.home, *args, columns=columns, **env)
    return shown.split("\n")[:-1]


def tables_fit_the_terminal_and_stay_readable(place):
    ana = place.member("Ana")
    mail = "mara@a-domain-of-some-length.example.org"
    ana.ok("contact", "add", "Mara Lindt", "--email", mail, "--org",
           "An Organisation With A Rather Long Name Indeed", "--tel", "+49 30 12345678")
    ana.ok("contact", "add", "Joon")
    for columns in (40, 80, 200):
        rows = lines_on_terminal(ana, columns, "contact", "list")
        assert all(len(row) <= columns for row in rows) and len(rows) == 4, rows
        titles = ["NAME", "ORGANISATION", "E-MAIL", "PHONE"]
        assert rows[0].split() == titles[:3 if columns == 40 else 4], rows
        assert any("Mara Lindt" in row and "An Organ" in row and "mara@" in row for row in rows)
        assert any(mail in row for row in rows) == (columns == 200), rows
        # What was cut says so, and nothing ends in blanks.
        assert any("…" in row for row in rows) == (columns != 200), rows
        assert all(row == row.rstrip() for row in rows), rows
    # A column nothing is in takes no room.
    ana.ok("contact", "edit", "mara", "--unset", "tel")
    assert lines_on_terminal(ana, 80, "contact", "list")[0].split() == titles[:3]
    ana.ok("contact", "edit", "mara", "--add", "tel=+49 30 12345678")
    narrow = lines_on_terminal(ana, 200, "contact", "list", COLUMNS="50")
    assert all(len(row) <= 50 for row in narrow), narrow
    # Among programs: whole cells, tabs between them, titles when wanted.
    rows = ana.call("contact", "list", text=True)[1].split("\n")
    assert "Joon\t\t\t" in rows and any(row.split("\t")[2:3] == [mail] for row in rows), rows
    titled = ana.call("contact", "list", "--header", text=True)[1].split("\n")
    assert titled == ["NAME\tORGANISATION\tE-MAIL\tPHONE", *rows], titled


def sentences_are_broken_between_words_and_commands_never(place):
    ana = place.member("Ana")
    for columns in (40, 60, 80):
        rows = lines_on_terminal(ana, columns, "contact", "show", "Somebody Whom Nobody Knows Yet",
                                 NO_COLOR="1")
        told = " ".join(row.strip() for row in rows[:-1])
        assert all(len(row) <= columns for row in rows[:-1]), rows
        assert told == ('kith: nobody in your address book is called '
                        '"Somebody Whom Nobody Knows Yet"'), rows
        assert rows[-1] == '      try: kith contact search "Somebody Whom Nobody Knows Yet"'
    shown = lines_on_terminal(ana, 80, "status", TZ="Asia/Kolkata")
    assert any(row.startswith("Next           kith import FILE.vcf   # ") for row in shown), shown


def colours_are_for_terminals_that_want_them(place):
    ana = place.member("Ana")
    for env, args, is_coloured in (({}, [], True), ({"NO_COLOR": "1"}, [], False),
                                   ({"TERM": "dumb"}, [], False), ({"CLICOLOR": "0"}, [], False),
                                   ({"NO_COLOR": "1"}, ["--color=always"], True),
                                   ({}, ["--color=never"], False), ({}, ["--color", "auto"], True)):
        for command in ("doctor", "nothing-like-that"):
            shown = "".join(lines_on_terminal(ana, 80, command, *args, **env))
            assert ("\x1b[" in shown) == is_coloured, (env, args, shown)
    for args, is_coloured in ((("doctor",), False), (("--color=always", "doctor"), True)):
        assert ("\x1b[" in ana.call(*args, text=True)[1]) == is_coloured
    assert "\x1b" not in json.dumps(ana.ok("doctor", "--color=always"))
    assert "--color=never" in ana.fails(2, "status", "--color=sometimes")["hint"]
    ana.fails(2, "status", "--color")


def help_knows_commands_groups_words_and_what_was_meant(place):
    ana = place.member("Ana")
    assert ana.call("--help", text=True) == ana.call("help", text=True)
    code, text = ana.call("help", text=True)
    assert text.count("\n") <= 23 and all(len(line) <= 80 for line in text.split("\n")), text
    table = {row["command"] for row in ana.ok("help")["commands"]}
    for line in text.split("\n"):  # One screen, and what it names is there.
        words = line[2:29].split()[1:3]
        if line.startswith("  kith ") and words:
            assert " ".join(words) in table or words[0] in table, line
    code, text = ana.call("help", "peer", text=True)
    assert code == 0 and all("kith peer " + word in text for word in ("invite", "accept", "words"))
    assert ana.call("peer", "--help", text=True)[1] == text
    code, text = ana.call("help", "peer", "invite", text=True)
    example, usage = text.index("e.g. kith peer invite"), text.index("[--qr]")
    assert code == 0 and example < usage
    assert ana.call("peer", "invite", "--help", text=True)[1] == text
    words = ana.call("help", text=True)[1].split("Words: ")[1].split(" (")[0].split()
    for word in words:
        code, text = ana.call("help", word, text=True)
        assert code == 0 and len(text) > 30, word
    assert "alias" in ana.ok("help", "WHO")["means"]
    assert ana.call("help", "exit-codes", text=True)[1].count("\n") == 10
    for typed, meant in (("per list", "peer list"), ("contact lst", "contact list"),
                         ("statsu", "status"), ("inport x", "import x")):
        assert ana.fails(2, *typed.split())["hint"] == "kith " + meant
    assert "invite" in ana.fails(2, "peer")["message"]
    assert ana.fails(2, "xyzzy")["hint"] == "kith help"


def the_readme_types_what_there_is(place):
    """Every command in it, with its flags, is one of the table."""
    table = {row["command"]: row for row in place.member("Ana").ok("help")["commands"]}
    with open(os.path.join(os.environ.get("KITH_TOP", "."), "README.md"), encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    typed = [line.split(" $ kith ", 1)[1] for line in text.split("\n") if " $ kith " in line]
    typed += re.findall(r"`kith ([^`]+)`", text)
    assert len(typed) > 25, typed
    for line in typed:
        words = shlex.split(line, comments=True)
        row = table.get(" ".join(words[:2])) or table.get(words[0])
        assert row, line
        known = {"--" + flag["name"] for flag in row["flags"]} | {"--json", "-o"}
        assert {word for word in words if word.startswith("-")} <= known, line


def ctrl_c_ends_whatever_waits(place):
    ana = place.member("Ana")
    ana.start()
    for words in (("log", "--follow"), ("sync", "--wait", "50")):
        waiting = subprocess.Popen([KITH, "--home", ana.home, *words], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        until(lambda: os.path.exists(f"/proc/{waiting.pid}/stat"))
        waiting.send_signal(signal.SIGINT)
        _, error = waiting.communicate(timeout=10)
        assert waiting.returncode in (0, 130, -signal.SIGINT) and b"Sanitizer" not in error
    reading = subprocess.Popen([KITH, "--home", ana.home, "import", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reading.stdin.write(b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Half\r\n")
    reading.stdin.flush()
    reading.send_signal(signal.SIGINT)
    reading.wait(timeout=10)
    for pipe in (reading.stdin, reading.stdout, reading.stderr):
        pipe.close()
    assert ana.ok("status")["node"] == "running" and ana.ok("contact", "list")["total"] == 0


run(globals())
