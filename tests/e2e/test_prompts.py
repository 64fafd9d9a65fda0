"""What is asked on a terminal: has somebody agreed, and longer text, in the owner's editor."""
import os
import signal

from kithtest import KITH, Terminal, link, on_terminal, run, until


def asked_for(member, *words, **env):
    return Terminal(KITH, "--home", member.home, *words, **env)


def answered(member, text, *words):
    """(exit code, what was shown) once the question was answered so."""
    terminal = asked_for(member, *words).hears("[y/N]")
    terminal.say(text)
    code = terminal.wait()
    terminal.close()
    return code, terminal.text()


def an_ask(here):
    """Bruno, who has Ana's ask before him."""
    ana, bruno = here.pair()
    ask = ana.ok("ask", "post", "I look for a boat.", "--title", "A boat", "--hops", "1")["id"]
    until(lambda: bruno.ok("ask", "list")["asks"])
    bruno.ok("contact", "add", "Dana Ito", "--email", "dana@example.org")
    return ana, bruno, ask


def whoever_an_answer_names_has_been_asked(place):
    ana, bruno, ask = an_ask(place)
    reply = ("ask", "reply", ask[:12], "--text", "Dana sells hers.", "--about", "dana")
    error = bruno.fails(6, *reply)
    assert "have you asked them" in error["message"] and "--asked" in error["hint"], error
    for no in ("n\n", "\n", "\x04", "no\n", "maybe\n", "yes" * 20 + "\n"):
        code, shown = answered(bruno, no, *reply)
        assert code == 8 and "nothing was sent" in shown, (no, code, shown)
        assert "Dana Ito is not on kith with you. Have you asked them?" in shown, shown
    terminal = asked_for(bruno, *reply).hears("[y/N]")
    terminal.say("\x03")
    assert terminal.wait() == -signal.SIGINT
    terminal.close()
    assert bruno.leads() == [] and ana.leads() == []
    # What would be refused is told before anything is asked.
    code, shown = on_terminal(KITH, "--home", bruno.home, "ask", "reply", "0" * 12, *reply[3:])
    assert code == 3 and "[y/N]" not in shown, shown
    code, shown = on_terminal(KITH, "--home", bruno.home, *reply, "--no-input")
    assert code == 6 and "[y/N]" not in shown, shown
    code, shown = answered(bruno, "y\n", *reply)
    assert code == 0, shown
    until(ana.leads)
    assert ana.leads()[0]["about"]["name"] == "Dana Ito", ana.leads()
    bruno.ok(*reply, "--asked")
    # Nobody asks about a peer, who can answer for themself.
    code, shown = on_terminal(KITH, "--home", bruno.home, *reply[:5], "--about", "ana")
    assert code == 0 and "[y/N]" not in shown, shown


def pages_end_with_the_lines_to_type(place):
    """With the id and the name in them, to be copied as they stand."""
    ana, bruno, ask = an_ask(place)
    bruno.ok("contact", "share", "dana", "--with", "ana", "--agreed")
    given = bruno.ok("endorse", "ana", "--about", "boats", "--relation", "client", "--words",
                     "Sails well and tells the truth.")["id"]
    bruno.ok("ask", "reply", ask, "--text", "Mine is for sale.")
    until(lambda: ana.leads() and ana.ok("share", "list")["shares"] and
          ana.ok("endorsement", "list", "--pending")["endorsements"])
    lead, share = ana.leads()[0]["id"][:12], ana.ok("share", "list")["shares"][0]["id"][:12]
    for member, page, lines in (
            (bruno, ("ask", "show", ask), (f"kith ask reply {ask[:12]} --text \"...\"",)),
            (ana, ("ask", "show", ask), (f"kith ask close {ask[:12]}  # when you have found it",)),
            (ana, ("lead", "show", lead), (f"kith lead answer {lead} \"...\"",
                                           f"kith thanks {lead} \"...\"  # whoever")),
            (ana, ("share", "show", share), (f"kith share keep {share}",
                                             f"kith share set-aside {share}  # nobody is told")),
            (ana, ("endorsement", "show", given), (
                f"kith endorsement accept {given[:13]} --to peers",
                f"kith endorsement set-aside {given[:13]}  # nobody is told")),
            (ana, ("peer", "words", "bruno"), ("kith peer compared \"Bruno\"",))):
        code, text = member.call(*page, text=True)
        assert code == 0 and all(line in text for line in lines), (page, text)
    for page, line in ((("lead", "list"), f"kith lead show {lead}"),
                       (("share", "list"), f"kith share show {share}"),
                       (("endorsement", "list"), f"kith endorsement show {given[:13]}")):
        code, text = on_terminal(KITH, "--home", ana.home, *page)
        assert code == 0 and f"\nLook at one: {line}\n" in text, text
        assert "Look at" not in ana.call(*page, text=True)[1], "programs read this"
    assert ana.fails(1, "ask", "dismiss", ask[:12])["hint"] == "kith ask close " + ask[:12]


def an_editor(here):
    """Writes $WRITE before what it finds, when its own first argument is there."""
    path = os.path.join(here.path, "editor")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n[ \"$1\" = --wait ] || exit 9\nprintf '%s' \"$WRITE\" > \"$2.new\"\n"
                   "cat \"$2\" >> \"$2.new\"\nmv \"$2.new\" \"$2\"\n")
    os.chmod(path, 0o755)
    return path + "  --wait "


def kept(member):
    return sorted(name for name in os.listdir(member.home) if name.startswith("text-"))


def every_command_with_words_asks_the_editor(place):
    ana, bruno, ask = an_ask(place)
    chie = place.member("Chie").start()
    link(ana, chie)
    editor = an_editor(place)

    def written(member, text, *words):
        terminal = Terminal(KITH, "--home", member.home, *words, EDITOR=editor, VISUAL="",
                            WRITE=text)
        if text.strip() and words[1] == "post":  # Who gets it is asked about, too.
            terminal.hears("Send it? [y/N]").say("y\n")
        code = terminal.wait(60)
        terminal.close()
        return code, terminal.text()

    code, shown = written(bruno, "One boat.\n\nIt floats.\n", "ask", "reply", ask[:12])
    assert code == 0 and kept(bruno) == [], shown
    until(ana.leads)
    lead = ana.leads()[0]
    assert lead["text"] == "One boat.\n\nIt floats.", lead
    words = {"lead answer": ("lead", "answer", lead["id"][:12]),
             "thanks": ("thanks", lead["id"][:12]),
             "introduce": ("introduce", "bruno", "chie"),
             "endorse": ("endorse", "bruno", "--about", "boats", "--relation", "client"),
             "endorsement want": ("endorsement", "want", "chie"),
             "intro want": ("intro", "want", "--tag", "boats", "--from", "chie"),
             "contact log": ("contact", "log", "bruno"),
             "offer post": ("offer", "post", "--title", "A shed", "--hops", "1")}
    text = "What you read here was written in an editor.\n"
    for command, line in words.items():
        before = ana.ok("status")["entries"]
        code, shown = written(ana, " \n\t\n", *line)
        assert code == 8 and "cancelled" in shown and kept(ana) == [], (command, code, shown)
        assert ana.ok("status")["entries"] == before, command
        code, shown = written(ana, text, *line)
        assert code == 0 and kept(ana) == [], (command, code, shown)
        # Without a terminal there is nobody to write.
        code, shown = ana.call(*line, text=True)
        assert "cancelled" not in shown and kept(ana) == [], (command, shown)
    # What no op can foresee is told afterwards, and the words are not lost.
    code, shown = written(ana, text * 100, "endorse", "bruno", *ABOUT)
    assert code == 2 and len(kept(ana)) == 1 and kept(ana)[0] in shown, shown
    with open(os.path.join(ana.home, kept(ana)[0]), encoding="utf-8") as file:
        assert file.read().startswith(text)


ABOUT = ("--about", "boats", "--relation", "client")


def nobody_writes_what_can_be_given_to_nobody(place):
    """Whatever can be checked is checked before words are asked for, with a node and without."""
    ana, bruno, ask = an_ask(place)
    bruno.ok("ask", "reply", ask[:12], "--text", "Dana sells hers.")
    until(ana.leads)
    lead = ana.leads()[0]["id"][:12]
    nobody = ((3, ("contact", "log", "nobody")), (2, ("contact", "log", "bruno", "--kind", "sung")),
              (2, ("contact", "log", "bruno", "--on", "soon")),
              (2, ("contact", "log", "bruno", "-", "--on", "soon")),
              (2, ("contact", "add", "Joon", "--kind", "cat", "--note", "-")),
              (3, ("contact", "edit", "nobody")),
              (3, ("introduce", "bruno", "nobody")), (2, ("introduce", "bruno", "bruno")),
              (3, ("intro", "want", "Joon", "--from", "nobody")), (2, ("intro", "want", "Joon")),
              (3, ("intro", "thanks", "0" * 12)),
              (3, ("endorse", "nobody", *ABOUT)), (2, ("endorse", "bruno", *ABOUT[:2])),
              (2, ("endorse", "bruno", *ABOUT, "--since", "soon")),
              (3, ("endorsement", "want", "nobody")),
              (2, ("endorsement", "want", "bruno", *("--about", "a") * 4)),
              (3, ("ask", "reply", "0" * 12)), (3, ("lead", "answer", "0" * 12)),
              (3, ("thanks", "0" * 12)), (3, ("ask", "post", "--to", "nobody")),
              (2, ("offer", "post", "--hops", "9")))
    for is_running in (True, False):
        for member, more in ((ana, nobody), (bruno, (
                (2, ("ask", "reply", ask[:12], "--kind", "song")),
                (2, ("ask", "reply", ask[:12], "--kind", "song", "--about", "dana")),
                (3, ("endorse", "dana", *ABOUT))))):
            before = member.ok("status")["entries"]
            for code, line in more:
                got, shown = on_terminal(KITH, "--home", member.home, *line, EDITOR="false",
                                         VISUAL="")
                assert got == code and "try:" in shown, (line, got, shown)
                assert "your editor" not in shown and "[y/N]" not in shown, (line, shown)
            assert member.ok("status")["entries"] == before and kept(member) == []
            # What may be said is asked for.
            for line in (() if member is bruno else (
                    ("contact", "log", "bruno"), ("contact", "edit", "bruno"),
                    ("lead", "answer", lead), ("thanks", lead), ("endorse", "bruno", *ABOUT))):
                got, shown = on_terminal(KITH, "--home", member.home, *line, EDITOR="false",
                                         VISUAL="")
                assert got == 8 and "your editor" in shown, (line, got, shown)
            assert member.ok("status")["entries"] == before
            if is_running:
                member.stop()


def a_passphrase_is_asked_for_once(place):
    """Whoever must type it is not asked again for a look at what would be done."""
    ana = place.member("Ana", passphrase="correct horse")
    ana.ok("contact", "add", "Dana Ito")
    extra, ana.extra = ana.extra, []
    terminal = asked_for(ana, "contact", "log", "Dana", EDITOR="", VISUAL="").hears("In one line")
    terminal.say("Coffee by the river.\n")
    terminal.hears("assphrase").say("correct horse\n")
    assert terminal.wait() == 0, terminal.text()
    terminal.close()
    assert terminal.text().count("assphrase") == 1, terminal.text()
    ana.extra = extra
    assert "Coffee by the river." in str(ana.ok("contact", "timeline", "Dana"))


def a_question_before_the_deed_asks_for_no_second_passphrase(place):
    """What would be done is looked at first: by another call, with the keys opened again."""
    ana, bruno = place.member("Ana").start(), place.member("Bruno", passphrase="correct horse")
    bruno.start()
    link(ana, bruno)
    ask = ana.ok("ask", "post", "I look for a boat.", "--title", "A boat", "--hops", "1")["id"]
    until(lambda: bruno.ok("ask", "list")["asks"])
    bruno.ok("contact", "add", "Dana Ito", "--email", "dana@example.org")
    bruno.stop()
    extra, bruno.extra = bruno.extra, []
    for question, words in (
            ("[y/N]", ("ask", "reply", ask[:12], "--text", "Dana sells hers.", "--about", "dana")),
            ("[y/N]", ("ask", "post", "I look for oars.", "--title", "Oars", "--hops", "1")),
            ("[y/N]", ("contact", "share", "dana", "--with", "ana")),
            (None, ("doctor", "--rebuild"))):
        terminal = asked_for(bruno, *words).hears("assphrase")
        terminal.say("correct horse\n")
        if question is not None:
            terminal.hears(question).say("y\n")
        assert terminal.wait() == 0, (words, terminal.text())
        terminal.close()
        assert terminal.text().count("Passphrase: ") == 1, (words, terminal.text())
    # A wrong one is not kept, nor is one for another command.
    for given, code in (("correct hose", 7), ("correct horse", 8)):
        terminal = asked_for(bruno, "contact", "share", "dana", "--with", "ana")
        terminal.hears("assphrase").say(given + "\n")
        if code == 8:
            terminal.hears("[y/N]").say("n\n")
        assert terminal.wait() == code, terminal.text()
        terminal.close()
    bruno.extra = extra
    assert len(bruno.ok("lead", "list")["leads"]) == 1


def who_has_named_no_editor_is_asked_for_a_line(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon")
    for given, code in (("\n", 8), ("\x04", 8), ("Coffee, and boats.\n", 0)):
        terminal = asked_for(ana, "contact", "log", "joon", EDITOR="", VISUAL="")
        terminal.hears("In one line").say(given)
        assert terminal.wait() == code, terminal.text()
        terminal.close()
    timeline = ana.ok("contact", "timeline", "joon")
    assert "Coffee, and boats." in str(timeline) and kept(ana) == [], timeline


def whoever_asks_sees_first_who_gets_it(place):
    """It cannot be called back, and the next is days away."""
    ana, bruno = place.pair()
    chie = place.member("Chie").start()
    link(ana, chie)
    post = ("ask", "post", "I am looking for a job. Anything with wood.", "--tag", "wood")
    for no in ("n\n", "\n", "\x04"):
        terminal = asked_for(ana, *post).hears("Send it? [y/N]")
        terminal.say(no)
        assert terminal.wait() == 8 and "nothing was sent" in terminal.text(), terminal.text()
        terminal.close()
        told = " ".join(terminal.text().split())
        assert '"I am looking for a job" goes to ' in told and "your name goes" in told, told
        assert " and " in told and "Bruno" in told and "Chie" in told, told
    terminal = asked_for(ana, *post).hears("[y/N]")
    terminal.say("\x03")
    assert terminal.wait() == -signal.SIGINT
    terminal.close()
    assert ana.ok("ask", "list", "--mine")["asks"] == [] and bruno.ok("ask", "list")["asks"] == []
    # What would be refused is told before anything is asked.
    code, shown = on_terminal(KITH, "--home", ana.home, *post, "--to", "nobody")
    assert code == 3 and "[y/N]" not in shown, shown
    code, shown = answered(ana, "y\n", *post)
    assert code == 0, shown
    until(lambda: bruno.ok("ask", "list")["asks"])
    assert bruno.ok("ask", "list")["asks"][0]["title"] == "I am looking for a job"
    # Two people were asked, once.
    balance = ana.ok("balance")
    assert balance["asked"]["total"] == 2 and "and asked once;" in balance["sentence"], balance
    # A title that is given counts, and a program is asked nothing.
    assert ana.ok("offer", "post", "A bench is free, and the saw with it? Come and see.", "--hops",
                  "1")["title"] == "A bench is free, and the saw with it?"
    long = "word " * 40
    assert len(bruno.ok("offer", "post", long, "--hops", "1")["title"]) <= 80
    assert bruno.fails(2, "ask", "post", "w" * 200)["message"] == "give it a title"


run(globals())
