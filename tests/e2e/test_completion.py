"""What stands on the line after the tab key: bash, driven on a terminal; zsh and fish read the same
answers, so the answers themselves are looked at word by word."""
import os
import re
import shutil
import subprocess
import time

from kithtest import KITH, Skip, Terminal, link, run, until


def offered(member, *words, shell="fish"):
    """What may follow: {value: what it is about}."""
    done = subprocess.run([KITH, "complete", "--shell", shell, "--", "--home", member.home, *words],
                          capture_output=True, timeout=60, check=True, stdin=subprocess.DEVNULL)
    assert done.stderr == b"", done.stderr
    rows = [line.split("\t", 1) for line in done.stdout.decode().split("\n")[:-1]]
    return {row[0]: row[1] if len(row) > 1 else "" for row in rows}


def files_are(member, *words):
    return offered(member, *words).get("") == "files"


class Bash(Terminal):
    """Bash with our completion; kith is the one under test. Ctrl-U clears the line."""

    def __init__(self, place, member, **env):
        tools = os.path.join(place.path, "tools")
        os.makedirs(tools, exist_ok=True)
        if not os.path.exists(os.path.join(tools, "kith")):
            os.symlink(os.path.abspath(KITH), os.path.join(tools, "kith"))
        super().__init__("bash", "--norc", "--noprofile", columns=150,
                         PATH=tools + ":" + os.environ["PATH"], KITH_HOME=member.home, PS1="> ",
                         INPUTRC="/dev/null", HISTFILE="", **env)
        self.hears("> ")
        self.say("bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; "
                 "source <(kith completion bash); echo it is re''ady\n")
        self.hears("it is ready")
        self.hears("> ", since=self.shown.index(b"it is ready"))

    def line(self, typed, tabs=1):
        """What the line holds after typing and so many tabs; and what was listed below it."""
        self.say("\x15")
        before = len(self.shown)
        self.say(typed + "\t" * tabs + "<<")  # What bash draws for this comes after the rest.
        self.hears("<<", since=before)
        rows = self.shown[before:].decode("utf-8", "replace").replace("\r", "").split("\n")
        self.say("\x15")
        return drawn(rows[-1].split("<<")[0]), [row.strip() for row in rows[1:-1]]


def drawn(text):
    """A line as it stands after its backspaces."""
    out = []
    for letter in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x07", "", text):
        if letter != "\b":
            out.append(letter)
        elif out:
            out.pop()
    return "".join(out).removeprefix("> ")


def bash_completes_what_is_typed(place):
    ana = place.member("Ana")
    for name in ("Joon Kim", "Joost van Dam", "Ann O'Brien", "Zoe Angstrom", "-x"):
        ana.ok("contact", "add", "--tag", "boat builders", "--", name)
    bash = Bash(place, ana)
    try:
        for typed, line in (
                ("kith pe", "kith peer "), ("kith peer inv", "kith peer invite "),
                ("kith contact show Joon", "kith contact show Joon\\ Kim "),
                ("kith contact show joo", "kith contact show Joo"),
                ('kith contact show "Joon', 'kith contact show "Joon Kim" '),
                ("kith contact show 'ann", "kith contact show 'Ann O'\\''Brien' "),
                ("kith contact show joon\\ k", "kith contact show Joon\\ Kim "),
                ("kith contact show zo", "kith contact show Zoe\\ Angstrom "),
                ("kith contact list --ta", "kith contact list --tag "),
                ("kith contact list --tag=b", "kith contact list --tag=boat\\ builders "),
                ("kith contact list --tag b", "kith contact list --tag boat\\ builders "),
                ("kith contact edit zoe --set na", "kith contact edit zoe --set name="),
                ("kith import /etc/hostn", "kith import /etc/hostname "),
                ("kith import /et", "kith import /etc/"),
                ("kith --json contact sh", "kith --json contact sh"),
                ("kith nothing a", "kith nothing a"), ("kith contact show n", None)):
            got = bash.line(typed)[0]
            assert got == (line if line is not None else typed), (typed, got, line)
        _, rows = bash.line("kith peer ", tabs=2)
        assert "invite  (make an invitation for one person)" in rows, rows
    finally:
        bash.kill()


def every_shell_is_told_the_same(place):
    ana = place.member("Ana")
    for name in ("Joon Kim", "--flag", "A\u202eB", "Tab\there"):
        ana.ok("contact", "add", "--org", "Boats Inc", "--", name)
    ana.ok("circle", "create", "old friends")
    for shell in ("fish", "zsh", "bash-list"):
        assert list(offered(ana, "contact", "show", "jo", shell=shell)) == [
            "Joon\\ Kim" if shell == "bash-list" else "Joon Kim"]
    words = offered(ana, "")
    assert {"contact", "peer", "status", "ask"} <= set(words) and words["status"], words
    assert set(offered(ana, "offer", "")) == {"post"} == set(offered(ana, "help", "offer", ""))
    assert set(offered(ana, "--json", "endorsement", "w")) == {"want", "wants"}
    flags = offered(ana, "contact", "add", "--")
    assert "--email" in flags and "--home" in flags and flags["--kind"] == "person|org", flags
    for words, values in (
            (("contact", "add", "--kind", ""), {"person", "org"}),
            (("contact", "add", "Ana", "--org", ""), {"Boats Inc"}),
            (("ask", "post", "--circle", "old"), {"old friends"}),
            (("ask", "post", "--circle=o"), {"--circle=old friends"}),
            (("ask", "post", "--circle", "=", "o"), {"old friends"}),
            (("ask", "post", "--until", ""), set()), (("ask", "post", "--hops", ""), set("123")),
            (("circle", "add", ""), {"old friends"}),
            (("circle", "add", "old friends", "jo"), {"Joon Kim"}),
            (("circle", "add", "old friends", "Joon Kim", "jo"), {"Joon Kim"}),
            (("introduce", "a", "b", "--first", ""), {"A", "B", "both"}),
            (("import", "x", "--from", "l"), {"linkedin"}),
            (("completion", ""), {"bash", "zsh", "fish"}), (("--color", "a"), {"auto", "always"}),
            (("contact", "closeness", "joon", "g"), {"good"}),
            (("contact", "show", "Joon Kim", ""), set()), (("contact", "show", "--", "--"),
                                                           {"--flag"}),
            (("nothing", ""), set()), (("status", ""), set()), (("ask", "show", ""), set()),
            (("help", "peer", "inv"), {"invite"}), (("help", "peer", "invite", ""), set())):
        assert set(offered(ana, *words)) == values, (words, offered(ana, *words))
    for words in (("import", ""), ("export", "-o", ""), ("--home", ""), ("peer", "accept", ""),
                  ("endorsement", "verify", ""), ("init", "--passphrase-file", "")):
        assert files_are(ana, *words), words
    # What cannot be typed as it is shown, or would be a flag, is not offered.
    assert set(offered(ana, "contact", "show", "")) == {"Joon Kim"}
    if shutil.which("fish") is None:
        raise Skip("there is no fish here")
    done = subprocess.run(
        ["fish", "--no-config", "-c", "function kith; $KITH $argv; end; kith completion fish | "
         "source; complete -C 'kith contact show jo'; complete -C 'kith import /etc/hostn'"],
        capture_output=True, timeout=60, check=True, stdin=subprocess.DEVNULL,
        env=dict(os.environ, KITH=os.path.abspath(KITH), KITH_HOME=ana.home))
    assert done.stdout.decode().split() == ["Joon", "Kim", "/etc/hostname"], done


def ids_come_with_what_they_are_about(place):
    ana, bruno = place.pair()
    chie = place.member("Chie").start()
    link(ana, chie)
    until(lambda: ana.card_of("chie").get("name"))
    ana.ok("peer", "rename", "bruno", "bru")
    assert offered(ana, "peer", "show", "b") == {"bru": "Bruno"}
    assert set(offered(ana, "introduce", "bru", "")) == {"bru", "Chie"}
    assert set(offered(ana, "ask", "post", "--to", "ch")) == {"Chie"}
    ask = bruno.ok("ask", "post", "I look for a boat.", "--title", "A boat", "--hops", "1")["id"]
    until(lambda: ana.ok("ask", "list")["asks"])
    for verb in ("show", "pass", "reply", "dismiss"):
        told = offered(ana, "ask", verb, ask[:3])
        assert list(told) == [ask[:12]] and "A boat" in told[ask[:12]], (verb, told)
    assert offered(ana, "ask", "close", "") == {}
    assert offered(bruno, "ask", "close", "") == {ask[:12]: "A boat"}
    assert offered(bruno, "ask", "pass", "") == {}
    ana.ok("ask", "reply", ask, "--text", "Mine is for sale.")
    until(bruno.leads)
    lead = bruno.leads()[0]["id"]
    for words in (("lead", "answer"), ("thanks",), ("lead", "show")):
        assert offered(bruno, *words, "") == {lead[:12]: "Ana: Mine is for sale."}, words
    assert offered(ana, "thanks", "") == {}
    intro = ana.ok("introduce", "bru", "Chie", "--why", "You both sail.")["id"]
    until(lambda: bruno.ok("intro", "list")["introductions"])
    assert offered(bruno, "intro", "accept", "") == {intro[:12]: "Chie: Ana"}
    told = offered(ana, "intro", "withdraw", "")
    assert told == {intro[:12]: "bru: Chie"}, told
    given = ana.ok("endorse", "bru", "--about", "boats", "--relation", "client", "--words",
                   "Sails well and tells the truth.")["id"]
    until(lambda: bruno.ok("endorsement", "list", "--pending")["endorsements"])
    about = {given[:13]: ": Sails well and tells the truth."}
    assert offered(bruno, "endorsement", "accept", "") == {given[:13]: "Ana" + about[given[:13]]}
    assert offered(ana, "endorsement", "revoke", "") == {given[:13]: "bru" + about[given[:13]]}
    assert offered(ana, "endorsement", "accept", "") == {}
    assert bruno.ok("endorsement", "accept", given[:13])["id"] == given
    ana.ok("contact", "add", "Dana", "--email", "dana@example.org")
    ana.ok("contact", "share", "Dana", "--with", "bru", "--field", "email", "--agreed")
    until(lambda: bruno.ok("share", "list")["shares"])
    share = bruno.ok("share", "list")["shares"][0]["id"]
    assert offered(bruno, "share", "keep", "") == {share[:12]: "Dana: Ana"}
    assert list(offered(ana, "share", "withdraw", "")) == ["Dana"]
    invited = ana.ok("peer", "invite", "Eli")
    told = offered(ana, "peer", "revoke", "")
    assert list(told.values()) == ["Eli: " + invited["expires"]], told
    assert ana.ok("peer", "revoke", *told)["revoked"] and not offered(ana, "peer", "revoke", "")
    reminder = ana.ok("remind", "Dana", "--every", "3m", "--text", "boats")["id"]
    assert offered(ana, "reminder", "done", "") == {reminder[:12]: "Dana: boats"}
    assert offered(ana, "reminder", "done", reminder[:20]) == {reminder: "Dana: boats"}


def names_alone_are_a_line_each_and_nothing_is_none(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon")
    ana.ok("import", "-", stdin="BEGIN:VCARD\nVERSION:4.0\nFN:\u200b\u200b\n"
           "EMAIL:j@example.org\nEND:VCARD\n".encode())
    code, names = ana.call("complete", text=True)
    assert code == 0 and sorted(names.splitlines()) == ["Joon", "j@example.org"], names
    for words in (("zz",), ("--", "zz"), ("--shell", "bash", "zz")):
        assert ana.call("complete", *words, text=True) == (0, ""), words


def it_never_waits_and_never_complains(place):
    ana = place.member("Ana")
    cards = "".join(f"BEGIN:VCARD\nVERSION:3.0\nFN:Person {n}\nCATEGORIES:t{n % 400}\nEND:VCARD\n"
                    for n in range(10000))
    ana.ok("import", "-", stdin=cards.encode())
    for words in (("contact", "show", "person 99"), ("contact", "list", "--tag", ""),
                  ("contact", "list", "--org", ""), ("ask", "show", "")):
        times = []
        for _ in range(5):
            begin = time.monotonic()
            offered(ana, *words)
            times.append(time.monotonic() - begin)
        assert min(times) < 1, (words, times)  # With sanitizers, beside other tests.
    assert len(offered(ana, "contact", "show", "person 99")) == 50
    # A node that does not answer, one that writes, a home that is none, and one that is locked.
    ana.start()
    ana.process.send_signal(19)
    assert len(offered(ana, "contact", "show", "person 1")) == 50
    ana.process.send_signal(18)
    locked = place.member("Locked", passphrase="correct horse")
    locked.ok("contact", "add", "Joon")
    assert offered(locked, "contact", "show", "") == {}
    locked.start()
    assert set(offered(locked, "contact", "show", "")) == {"Joon"}
    locked.process.send_signal(19)
    begin = time.monotonic()
    assert offered(locked, "contact", "show", "") == {} and time.monotonic() - begin < 5
    locked.process.send_signal(18)
    locked.home = os.path.join(place.path, "nowhere")
    assert offered(locked, "contact", "show", "") == {} and "add" in offered(locked, "contact", "")
    assert not os.path.exists(locked.home)
    locked.home = os.path.join(place.path, "locked")
    for words in ((), ("\udcff",), ("contact", "show", "\udcff"), ("--",), ("--home",),
                  ("a" * 100000,), ("'",), ("=",), ("--=",), ("-o", ""), ("--home=",)):
        done = subprocess.run([KITH, "complete", "--shell", "bash", "--", *words],
                              capture_output=True, timeout=60, check=False,
                              env=dict(os.environ, KITH_HOME=ana.home))
        assert b"Sanitizer" not in done.stderr, done.stderr


run(globals())
