"""What a tired person types: names without quotes, verbs of other programs, words in the wrong
order, nothing at all. It works, or the line to type instead is told, whole."""
import os
import signal
import subprocess

from kithtest import KITH, Terminal, link, on_terminal, run

ABOUT, WHY = ("--relation", "client", "--about"), ("--words",)


def entries(member):
    return member.ok("status")["entries"]


def hint(member, code, *words):
    return member.fails(code, *words)["hint"]


def names_need_no_quotes(place):
    ana = place.member("Ana")
    joon = ana.ok("contact", "add", "Joon", "Kim", "--tag", "boats")
    assert joon["name"] == "Joon Kim", joon
    for words in (("Joon", "Kim"), ("joon", "kim"), ("Joon Kim",)):
        assert ana.ok("contact", "show", *words)["id"] == joon["id"]
    assert ana.ok("circle", "create", "old", "friends")["circles"][0]["name"] == "old friends"
    # What is no part of a name, or could belong to either, is asked back with the whole line.
    for typed, line in (
            ("contact add Mara Lindt mara@example.org",
             'contact add "Mara Lindt" --email mara@example.org'),
            ("contact add Mara Lindt +49301234", 'contact add "Mara Lindt" --tel +49301234'),
            ("contact add Mara --tag choir friends", 'contact add Mara --tag "choir friends"'),
            ("contact edit Joon Kim org=ACME", 'contact edit "Joon Kim" --set org=ACME'),
            ("contact log Joon Kim coffee", 'contact log "Joon Kim" coffee'),
            ("contact merge Joon Kim Mara", 'contact merge "Joon Kim" Mara'),
            ("peer rename Joon Kim joonie", 'peer rename "Joon Kim" joonie'),
            ("remind joon 3m", "remind joon --every 3m"),
            ("ask pass 3f9a1c bruno", "ask pass 3f9a1c --to bruno"),
            ("me edit --title Looking for work", 'me edit --title "Looking for work"')):
        assert hint(ana, 2, *typed.split()) == "kith " + line, typed
    assert [one["name"] for one in ana.ok("contact", "list")["contacts"]] == ["Joon Kim"]


def a_flag_without_its_value_takes_no_other_flag_for_it(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon", "--note", "tells jokes")
    for words in (("contact", "add", "Mia", "--email", "--tel", "123"),
                  ("contact", "add", "Mia", "--email", "--tel=123"),
                  ("contact", "add", "Mia", "--email"), ("me", "edit", "--title", "--org", "ACME"),
                  ("contact", "list", "--limit", "--tag", "boats")):
        flag = words[3 if words[1] == "add" else 2]
        assert ana.fails(2, *words)["message"] == f"a value is missing after {flag}", words
    kith = os.path.abspath(KITH)
    done = subprocess.run([kith, "--home", "--json", "init", "Mia"], check=False,
                          cwd=place.path, capture_output=True, text=True)
    assert done.returncode == 2 and "a value is missing after --home" in done.stderr, done
    assert not os.path.exists(os.path.join(place.path, "--json"))
    # Said on purpose it is a value; yes and no have none.
    assert ana.ok("contact", "add", "Odd", "--email=--tel")["emails"] == ["--tel"]
    for words in (("contact", "remove", "Joon", "--forget=no"), ("import", "-", "--dry-run=false"),
                  ("run", "--no-listen=0"), ("log", "--follow=no")):
        assert "takes no value" in ana.fails(2, *words)["message"], words
    assert ana.ok("contact", "show", "Joon")["note"] == "tells jokes"
    assert "Nobody" not in ana.call("contact", "search", "joon", "--limit", "0", text=True)[1]


def a_flag_of_one_value_is_not_said_twice(place):
    """Which of two was meant is not guessed; what may be repeated is."""
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon", "--title", "Cook")
    for words in (("contact", "add", "Mia", "--title", "A", "--title", "B"),
                  ("contact", "add", "Mia", "--title=A", "--org", "B", "--title=A"),
                  ("me", "edit", "--org", "A", "--org", "B"),
                  ("contact", "list", "--limit", "5", "--limit", "6"),
                  ("export", "-o", "a.vcf", "-o", "b.vcf")):
        told = ana.fails(2, *words)
        assert "two" in told["message"] and "leave one --" in told["hint"], (words, told)
    assert ana.ok("contact", "list")["total"] == 1 and "org" not in ana.ok("me", "show")
    mia = ana.ok("contact", "add", "Mia", "--email", "a@example.org", "--email", "b@example.org",
                 "--json", "--json")
    assert len(mia["emails"]) == 2, mia


def an_address_that_is_none_is_told_with_the_flag_it_was_for(place):
    ana = place.member("Ana")
    for flag in ("--listen", "--announce"):
        told = ana.fails(2, "run", flag, "nowhere")
        assert "nowhere" in told["message"] and told["hint"].startswith(flag + " "), told
        told = ana.fails(2, "run", *[flag, "127.0.0.1:0"] * 40)
        assert flag in told["message"] and "at most" in told["message"], told


def what_is_blank_missing_or_not_yet_is_told(place):
    ana = place.member("Ana")
    for words in (("contact", "add", "  "), ("me", "edit", "--name", " \t")):
        assert "needs a name" in ana.fails(2, *words)["message"], words
    assert "needs one" in ana.fails(2, "peer", "invite", " \t")["message"]
    assert ana.ok("contact", "list")["total"] == 0
    shown = on_terminal(KITH, "--home", ana.home, "contact", "list")[1]
    assert "kith import FILE" in shown, shown
    ana.ok("contact", "add", "Joon")
    assert "needs a name" in ana.fails(2, "contact", "edit", "Joon", "--set", "name= ")["message"]
    assert "has not come" in ana.fails(2, "balance", "--since", "2099-01-01")["message"]
    assert "--from" in ana.fails(2, "intro", "want", "Joon")["message"]
    assert hint(ana, 2, "contact", "list", "--limit", "many") == "--limit 50"
    assert hint(ana, 2, "offer", "post").startswith("kith offer post")
    # What the doctor has to break goes on below where it began.
    shown = on_terminal(KITH, "--home", ana.home, "doctor")[1].replace("\r\n", "\n")
    assert all(line[:6].strip() or line.startswith(" " * 21) for line in shown.split("\n")
               if line), shown


def a_circle_that_is_not_there_leads_to_those_that_are(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon")
    post = ("ask", "post", "I look for a boat.", "--title", "A boat", "--circle", "friends")
    ways = (post, ("circle", "add", "friends", "joon"),
            ("remind", "--circle", "friends", "--every", "3m"))
    for words in ways:
        told = ana.fails(3, *words)
        assert told["message"] == "there is no circle friends; you have none yet", (words, told)
        assert told["hint"] == (
            'kith circle create "friends", then kith circle add "friends" WHO'), (words, told)
    ana.ok("circle", "create", "old friends")
    ana.ok("circle", "create", "Choir")
    for words in ways:
        told = ana.fails(3, *words)
        head, names = told["message"].split(": ")
        assert head == "there is no circle friends; yours are", (words, told)
        assert sorted(names.split(", ")) == ["Choir", "old friends"], (words, told)
        assert told["hint"] == (
            'kith circle list, or to make it: kith circle create "friends"'), (words, told)
    for at in range(6):
        ana.ok("circle", "create", f"Number {at}")
    told = ana.fails(3, *post)["message"]
    assert told.endswith(" ...") and told.count(",") == 4, told
    # One that was removed is not among them, and no shell reads more in the line than a name.
    for name in ("old friends", "Choir", *(f"Number {at}" for at in range(6))):
        ana.ok("circle", "remove", name)
    told = ana.fails(3, *post[:-1], "$(reboot)")
    assert "none yet" in told["message"] and "$" not in told["hint"], told
    assert told["hint"] == "kith circle create NAME, then kith circle add NAME WHO", told


def a_name_has_something_to_see_in_it(place):
    """Nobody types such a name by hand; a copied one is refused before it makes an empty line."""
    ana, bruno = place.pair()
    for name in ("\u200b", "\u00a0", "\u3164", "\u202e\u202c", "\u0301", "\u2800", "\u200d \ufe0f"):
        for words in (("contact", "add", name),
                      ("contact", "edit", "bruno", "--set", "name=" + name),
                      ("me", "edit", "--name", name), ("circle", "create", name),
                      ("peer", "invite", name), ("peer", "rename", "bruno", name),
                      ("peer", "show", name), ("intro", "want", name, "--from", "bruno",
                                               "--blurb", "I build boats."),
                      ("ask", "post", "I look for a boat.", "--title", name),
                      ("offer", "post", name, "--title", "A boat")):
            error = ana.fails(2, *words)
            assert error["message"] and error["hint"], (words, error)
        card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nEMAIL:joon@example.org\r\nEND:VCARD\r\n"
        ana.ok("import", "-", stdin=card.encode())
        new = place.member(f"M{ord(name[0])}")
        new.home += "-none"
        assert new.fails(2, "init", "--name", name)["hint"] == "kith init --name NAME"
        assert new.fails(3, "status")
    assert ana.ok("me", "show")["name"] == "Ana"
    assert ana.ok("peer", "show", "bruno")["name"] == "Bruno"
    people = ana.ok("contact", "list")["contacts"]
    assert sorted(row.get("name", "") for row in people) == ["Bruno", "joon@example.org"], people


def a_text_has_something_to_see_in_it(place):
    """Tags, notes, reasons: what others would read as an empty line is refused, as a name is."""
    ana, bruno = place.pair()
    chie = place.member("Chie").start()
    link(ana, chie)
    ana.ok("contact", "add", "Joon")
    words = "Sails well and tells the truth."
    before = entries(ana)
    for nothing in ("\u200b", " \t", "\u3164\u200d", "\u202e\u202c" * 12, "\u2800"):
        for line in (("contact", "add", "Mia", "--tag", "boats", "--tag", nothing),
                     ("contact", "add", "Mia", "--note", nothing),
                     ("contact", "add", "Mia", "--title", nothing),
                     ("contact", "edit", "joon", "--set", "note=" + nothing),
                     ("contact", "edit", "joon", "--add", "tag=" + nothing),
                     ("contact", "log", "joon", nothing), ("me", "edit", "--title", nothing),
                     ("me", "edit", "--add", "tag=" + nothing),
                     ("remind", "joon", "--every", "3m", "--text", nothing),
                     ("endorse", "bruno", *ABOUT, nothing, *WHY, words),
                     ("endorse", "bruno", *ABOUT, "boats", *WHY, nothing * 30),
                     ("endorsement", "want", "bruno", "--words", nothing),
                     ("endorsement", "want", "bruno", "--words", words, "--about", nothing),
                     ("introduce", "bruno", "chie", "--why", nothing),
                     ("introduce", "bruno", "chie", "--why", words, "--to-a", nothing),
                     ("intro", "want", "Mia", "--from", "bruno", "--blurb", nothing),
                     ("contact", "share", "joon", "--with", "bruno", "--agreed", "--why", nothing),
                     ("ask", "post", "I look for a boat.", "--title", "A boat", "--tag", nothing),
                     ("ask", "post", "I look for a boat.", "--title", "A boat", "--caution",
                      nothing)):
            error = ana.fails(2, *line)
            assert error["message"] and error["hint"], (line, error)
        new = place.member(f"M{ord(nothing[0])}")
        new.home += "-none"
        error = new.fails(2, "init", "--name", "Mia", "--title", nothing)
        assert error["message"] == "there is nothing to see in what was given for title", error
        assert new.fails(3, "status")
    assert entries(ana) == before
    told = ana.fails(2, "introduce", "bruno", "chie", "--why", "\u200b")
    assert told["message"] == "there is nothing to see in what was given for why", told
    # A text may hold such signs; and what came in from elsewhere can be taken out again.
    ana.ok("contact", "edit", "joon", "--set", "note=a\u200bb", "--add", "tag=\u200bboats")
    ana.ok("contact", "edit", "joon", "--unset", "tag=\u200bboats", "--unset", "tag=\u200b")
    card = ("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Mia\r\nEMAIL:mia@example.org\r\nNOTE:\u200b\r\n"
            "TITLE:\u202e\r\nCATEGORIES:\u3164,boats\r\nEND:VCARD\r\n")
    ana.ok("import", "-", stdin=card.encode())
    mia = ana.ok("contact", "show", "mia")
    assert mia["tags"] == ["boats"] and "note" not in mia and "title" not in mia, mia


def init_takes_a_name_as_it_is_said(place):
    for at, words in enumerate((("Ana", "Müller"), ("--name", "Ana Müller"))):
        home = f"{place.path}/{at}"
        member = place.member(f"M{at}")
        member.home = home
        assert member.ok("init", *words)["name"] == "Ana Müller"
    member.home = f"{place.path}/none"
    # Half a name is no name.
    assert hint(member, 2, "init", "--name", "Ana", "Müller") == 'kith init --name "Ana Müller"'
    assert hint(member, 3, "status")


def an_invitation_that_was_broken_by_a_mail_still_counts(place):
    ana, bruno = place.member("Ana"), place.member("Bruno")
    uri = ana.ok("peer", "invite", "Bruno", "--address", "127.0.0.1:9")["uri"]
    assert bruno.ok("peer", "accept", uri[:40], uri[40:80], uri[80:])["state"] == "pending"


def other_words_lead_to_the_command(place):
    ana = place.member("Ana")
    for typed, line in (("peers", "peer list"), ("friends", "peer list"),
                        ("contacts", "contact list"), ("search boat", "contact search boat"),
                        ("add Joon Kim", "contact add Joon Kim"), ("delete joon",
                                                                   "contact remove joon"),
                        ("contact delete joon", "contact remove joon"),
                        ("contact ls", "contact list"), ("list peers", "peer list"),
                        ("add contact Bob", "contact add Bob"), ("circle new choir",
                                                                 "circle create choir"),
                        ("invite Bruno", "peer invite Bruno"), ("stauts", "status"),
                        ("contcat add Bob", "contact add Bob"), ("answers", "lead list"),
                        ("intro reject 3f9a1c", "intro decline 3f9a1c")):
        assert hint(ana, 2, *typed.split()) == "kith " + line, typed
    assert hint(ana, 2, "ask", "I look for a job.") == 'kith ask post "I look for a job."'
    assert hint(ana, 2, "search", "a$b") == "kith contact search", "no shell reads more out of it"
    error = ana.fails(2, "peer", "foo")
    assert "invite" in error["message"] and error["hint"] == "kith help peer", error
    for group in ("ask", "lead", "intro", "endorsement", "share"):
        assert hint(ana, 2, group, "show") == f"kith {group} list"


def what_is_missing_is_asked_for_on_a_terminal(place):
    ana = place.member("Ana")
    asked = Terminal(KITH, "--home", ana.home, "contact", "add").hears("Name: ")
    asked.say(" Zoë Ng \n")
    assert asked.wait() == 0, asked.text()
    asked.close()
    assert ana.ok("contact", "show", "zoe ng")["name"] == "Zoë Ng"
    for given, code in (("\n", 2), ("\x04", 2), ("\x03", -signal.SIGINT)):
        asked = Terminal(KITH, "--home", ana.home, "peer", "accept").hears("The invitation")
        asked.say(given)
        assert asked.wait() == code, asked.text()
        asked.close()
    assert ana.fails(2, "contact", "add")["message"] == "still missing: NAME"


def the_lines_for_namesakes_can_be_typed(place):
    """An import makes many in one millisecond; what is told of one means just that one."""
    ana = place.member("Ana")
    cards = "".join(f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nORG:Firm {at}\nEND:VCARD\n"
                    for at, name in enumerate(["Priya Sharma", "Priya Sharma"] +
                                              [f"Person {n}" for n in range(600)]))
    ana.ok("import", "-", stdin=cards.encode())
    pair = ana.ok("contact", "duplicates")["duplicates"][0]
    told = ana.fails(6, "contact", "show", "sharma")["message"]
    for one in pair["contacts"]:
        short = next(word for word in told.replace("(", " ").replace(")", " ").split()
                     if one["id"].startswith(word))
        assert ana.ok("contact", "show", short)["org"] == one["org"]
        assert f"({short}) of {one['org']}" in told, told
    shown = ana.call("contact", "duplicates", text=True)[1]
    assert "Priya Sharma (Firm 0) and Priya Sharma (Firm 1)" in shown or \
        "Priya Sharma (Firm 1) and Priya Sharma (Firm 0)" in shown, shown
    assert pair["next"] in shown
    ana.ok(*pair["next"].split()[1:])
    assert ana.ok("contact", "list")["total"] == 601


def what_is_set_to_what_it_is_stays(place):
    """Setting one of several keeps that one, whatever else is set beside it."""
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon", "--email", "a@example.org", "--email", "b@example.org")
    one = ana.ok("contact", "edit", "joon", "--set", "email=a@example.org")
    assert one["emails"] == ["a@example.org"], one
    again = ana.ok("contact", "edit", "joon", "--set", "email=a@example.org")
    assert again["emails"] == ["a@example.org"], again
    two = ana.ok("contact", "edit", "joon", "--set", "email=c@example.org", "--set",
                 "email=a@example.org")
    assert sorted(two["emails"]) == ["a@example.org", "c@example.org"], two
    both = ana.ok("contact", "edit", "joon", "--unset", "email", "--add", "email=a@example.org")
    assert both["emails"] == ["a@example.org"], both


def birthdays_are_written_by_hand_too(place):
    ana = place.member("Ana")
    joon = ana.ok("contact", "add", "Joon", "--birthday", "1990-05-01")
    assert joon["birthday"] == "1990-05-01", joon
    for _ in range(2):
        edited = ana.ok("contact", "edit", "joon", "--set", "birthday=05-02")
        assert edited["birthday"] == "--05-02", edited
    assert "Birthday       --05-02" in ana.call("contact", "show", "joon", text=True)[1]
    due = ana.ok("due", "--within", "12m")["due"]
    assert [(row["kind"], row["who"]) for row in due] == [("birthday", "Joon")], due
    assert "BDAY:--05-02" in ana.call("export", text=True)[1]
    for day in ("soon", "1990-13-01", ""):
        assert hint(ana, 2, "contact", "edit", "joon", "--set", "birthday=" + day)
    assert "birthday" not in ana.ok("contact", "edit", "joon", "--unset", "birthday")
    ana.ok("undo")
    assert ana.ok("contact", "show", "joon")["birthday"] == "--05-02"


run(globals())
