"""Being in touch: notes, reminders that count from the last contact, what is due, the mirror."""
import datetime

from kithtest import KITH, link, on_terminal, run, until


def day(offset):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(days=offset)).strftime("%Y-%m-%d")


def due(member, within="2w"):
    return {(row["kind"], row["who"]): row for row in member.ok("due", "--within", within)["due"]}


def what_was_noted_is_on_the_timeline(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon Kim")
    for node in (False, True):
        if node:
            ana.start()
        ana.ok("contact", "log", "joon", "coffee, talked about boats", "--kind", "met",
               "--on", day(-3))
        note = ana.ok("contact", "log", "joon", "sent the drawings", "--kind", "mail")
        assert note["who"] == "Joon Kim" and note["kind"] == "mail" and note["on"] == day(0)
    rows = ana.ok("contact", "timeline", "joon")["interactions"]
    assert [row["kind"] for row in rows] == ["mail", "mail", "met", "met"]
    assert rows[3]["text"] == "coffee, talked about boats" and rows[3]["on"] == day(-3)
    ana.fails(2, "contact", "log", "joon", "x", "--kind", "party")
    ana.fails(2, "contact", "log", "joon", "x", "--on", "soon")
    ana.fails(2, "contact", "log", "joon", "x", "--on", day(9))
    ana.fails(2, "contact", "log", "joon", "")
    ana.fails(3, "contact", "log", "nobody", "x")


def a_reminder_counts_from_the_last_contact(place):
    ana = place.member("Ana")
    for name in ("Joon Kim", "Mara Lindt", "Zora Bell"):
        ana.ok("contact", "add", name, "--tag", "choir")
    ana.ok("contact", "log", "joon", "a call", "--kind", "call", "--on", day(-100))
    ana.ok("remind", "joon", "--every", "3m", "--text", "ask about the boat")
    row = due(ana)["reminder", "Joon Kim"]
    assert (row["due"], row["state"], row["last"]) == (day(-10), "due", day(-100))
    assert row["text"] == "ask about the boat"
    ana.ok("remind", "--tag", "choir", "--every", "2w", "--late", "3w")  # Joon has one of his own.
    rows = due(ana)
    assert rows["reminder", "Joon Kim"]["due"] == day(-10)
    assert rows["reminder", "Mara Lindt"]["due"] == day(14)
    ana.ok("contact", "log", "mara", "met", "--kind", "met", "--on", day(-22))
    ana.ok("contact", "log", "zora", "met", "--kind", "met", "--on", day(-15))
    rows = due(ana)
    assert (rows["reminder", "Mara Lindt"]["due"], rows["reminder", "Mara Lindt"]["state"]) == (
        day(-8), "late")
    assert (rows["reminder", "Zora Bell"]["due"], rows["reminder", "Zora Bell"]["state"]) == (
        day(-1), "due")
    ana.ok("contact", "log", "joon", "talked", "--kind", "call")
    assert ("reminder", "Joon Kim") not in due(ana)
    assert due(ana, "4m")["reminder", "Joon Kim"]["due"] == day(90)
    one = [row for row in ana.ok("reminder", "list")["reminders"] if row.get("who") == "Joon Kim"]
    assert one[0]["every_days"] == 90
    ana.ok("remind", "joon", "--every", "1w")  # In place of the first.
    assert len(ana.ok("reminder", "list")["reminders"]) == 2
    assert due(ana)["reminder", "Joon Kim"]["due"] == day(7)


def reminders_on_a_day_are_done_snoozed_and_removed(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon Kim")
    ana.ok("circle", "create", "work")
    ana.ok("circle", "add", "work", "joon")
    made = ana.ok("remind", "joon", "--on", day(5), "--text", "his exam")
    week = ana.ok("remind", "joon", "--in", "1w")
    ana.ok("remind", "--circle", "work", "--every", "1w")
    rows = ana.ok("due")["due"]
    assert [row["due"] for row in rows] == [day(5), day(7), day(7)], rows
    assert rows[0]["state"] == "soon" and rows[0]["id"] == made["id"]
    ana.ok("reminder", "snooze", made["id"][:12], "--for", "3w")
    assert made["id"] not in [row["id"] for row in ana.ok("due")["due"]]
    ana.ok("reminder", "done", week["id"])
    ana.ok("reminder", "remove", made["id"])
    assert [row["every_days"] for row in ana.ok("reminder", "list")["reminders"]] == [7]
    ana.ok("circle", "remove", "work")
    assert ana.ok("due")["due"] == []
    for wrong in (["joon"], ["joon", "--every", "3m", "--in", "2w"], ["--every", "3m"],
                  ["joon", "--tag", "x", "--every", "1w"], ["joon", "--every", "often"],
                  ["joon", "--on", "2026-02-30"], ["joon", "--in", "0d"]):
        ana.fails(2, "remind", *wrong)
    ana.fails(3, "remind", "--circle", "nothing", "--every", "1w")
    ana.fails(3, "reminder", "done", "ffffffff")
    ana.fails(2, "reminder", "done", "ff")
    ana.fails(2, "due", "--within", "soon")


def birthdays_and_quiet_ties_are_due(place):
    ana = place.member("Ana")
    born = datetime.date.fromisoformat(day(3)).replace(year=1992)
    card = ("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{}\r\n{}:{}\r\nEND:VCARD\r\n")
    ana.ok("import", "-", stdin=(card.format("Joon Kim", "BDAY", born.isoformat()) +
                                 card.format("Mara Lindt", "BDAY", born.strftime("--%m%d")) +
                                 card.format("Zora Bell", "NOTE", "x")).encode())
    ana.ok("contact", "log", "zora", "lunch", "--kind", "met", "--on", day(-400))
    rows = due(ana)
    turns = int(day(3)[:4]) - 1992
    assert rows["birthday", "Joon Kim"]["text"] == f"turns {turns}"
    assert rows["birthday", "Mara Lindt"]["due"] == day(3)
    assert rows["quiet", "Zora Bell"]["last"] == day(-400)
    assert rows["quiet", "Zora Bell"]["state"] == "late"
    ana.ok("remind", "zora", "--every", "1y")
    assert ("quiet", "Zora Bell") not in due(ana)
    calendar = ana.ok("due", "--ical")["ical"]
    assert calendar.count("BEGIN:VEVENT") == 3 and "Birthday: Joon Kim" in calendar
    code, text = ana.call("due", "--ical", text=True)
    assert code == 0 and text.startswith("BEGIN:VCALENDAR") and "RRULE:FREQ=YEARLY" in text


def what_waits_is_named_by_status(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon Kim")
    keys = set(ana.ok("status"))
    assert "Waiting" not in ana.call("status", text=True)[1]
    ana.ok("remind", "joon", "--on", day(1))
    assert "Waiting" not in ana.call("status", text=True)[1], "that is tomorrow"
    for number in range(5):
        ana.ok("contact", "add", f"Friend {number}")
        ana.ok("remind", f"Friend {number}", "--on", day(-number))
    waiting = ("\nWaiting for you:\n  due today: Friend 4, Friend 3, Friend 2 and 2 more\n"
               "      kith due\n")
    for node in (False, True):
        if node:
            ana.start()
        for words in ([], ["status"]):
            code, text = ana.call(*words, text=True)
            assert code == 0 and waiting in text, text
    assert set(ana.ok("status")) - {"pid", "listen"} == keys - {"pid", "listen"}


def what_peers_want_and_share_is_due(place):
    ana, bruno = place.pair()
    chie = place.member("Chie").start()
    link(ana, chie)
    until(lambda: ana.card_of("chie").get("name"))
    bruno.ok("intro", "want", "--tag", "boats", "--from", "ana", "--blurb", "I build them.")
    bruno.ok("endorsement", "want", "ana", "--words", "The shed by the lake")
    bruno.ok("contact", "add", "Dana", "--email", "dana@example.org")
    bruno.ok("contact", "share", "dana", "--with", "ana", "--agreed")
    bruno.ok("ask", "post", "I look for oak.", "--title", "Oak", "--hops", "1", "--until", "2d")

    def kinds(member):
        return sorted(row["kind"] for row in member.ok("due")["due"])
    until(lambda: len(kinds(ana)) == 3, what="not all of it came")
    assert kinds(ana) == ["endorsement wanted", "introduction wanted", "share"], kinds(ana)
    assert kinds(bruno) == ["ask"], kinds(bruno)
    rows = {row["kind"]: row for row in ana.ok("due")["due"]}
    assert all(row["who"] == "Bruno" for row in rows.values()), rows
    assert rows["share"]["id"] == ana.ok("share", "list")["shares"][0]["id"]
    assert (rows["share"]["text"], rows["share"]["state"]) == ("shares a contact: Dana", "due")
    assert "boats: I build them." in rows["introduction wanted"]["text"], rows
    assert "The shed by the lake" in rows["endorsement wanted"]["text"], rows
    calendar = ana.ok("due", "--ical")["ical"]
    assert "VEVENT" not in calendar, "what others want is nobody else's business"
    code, text = ana.call(text=True)
    for line in ("  Bruno would like to meet boats: I build them.\n      kith intro list\n",
                 "  1 shared contact: keep or let pass\n      kith share list --received\n"):
        assert code == 0 and line in text, text
    assert "due today" not in text and "endorse" not in text, "nobody is reminded of a favour"
    code, text = on_terminal(KITH, "--home", ana.home, "due")
    assert code == 0 and "share                kith share list --received\n" in text, text
    assert ana.call("due", text=True)[1].count("\n") == 3, "hints are for people"
    ana.ok("share", "set-aside", rows["share"]["id"])
    ana.ok("endorse", "bruno", "--about", "sheds", "--relation", "client", "--words",
           "Built the shed by the lake, and it stands.")
    assert kinds(ana) == ["introduction wanted"], kinds(ana)


def a_merged_person_has_one_timeline(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon Kim")
    ana.ok("contact", "add", "Kim, Joon")
    ana.ok("contact", "log", "joon kim", "first", "--on", day(-9))
    ana.ok("contact", "log", "Kim, Joon", "second", "--on", day(-2))
    ana.ok("contact", "merge", "joon kim", "Kim, Joon")
    rows = ana.ok("contact", "timeline", "joon kim")["interactions"]
    assert [row["text"] for row in rows] == ["second", "first"]


def a_reminder_about_everybody_of_a_large_import_comes_once_for_each(place):
    ana, count = place.member("Ana"), 1500
    book = "".join(f"BEGIN:VCARD\nVERSION:3.0\nFN:Person {at:04}\nEND:VCARD\n"
                   for at in range(count))
    ana.ok("import", "-", "--tag", "book", stdin=book.encode())
    ana.ok("contact", "log", "person 0007", "long ago", "--on", day(-400))
    ana.ok("remind", "person 0008", "--every", "1w")
    ana.ok("remind", "--tag", "book", "--every", "2w")
    rows = ana.ok("due", "--within", "3w")["due"]
    assert {row["kind"] for row in rows} == {"reminder"}, {row["kind"] for row in rows}
    assert sorted(row["who"] for row in rows) == [f"Person {at:04}" for at in range(count)]
    assert [row["who"] for row in rows if row["due"] == day(7)] == ["Person 0008"]


def of_too_much_that_is_due_the_first_stays(place):
    """The list ends at 5,000: what is left out is what is due last, however it was met."""
    ana, count = place.member("Ana"), 5003
    book = "".join(f"BEGIN:VCARD\nVERSION:3.0\nFN:Person {at:04}\nEND:VCARD\n"
                   for at in range(count))
    soon = datetime.date.fromisoformat(day(1)).replace(year=1992).isoformat()
    later = datetime.date.fromisoformat(day(9)).replace(year=1992).isoformat()
    card = "BEGIN:VCARD\nVERSION:3.0\nFN:{}\nBDAY:{}\nEND:VCARD\n"
    ana.ok("import", "-", "--tag", "book", stdin=book.encode())
    ana.ok("import", "-", stdin=(card.format("Zora", soon) + card.format("Yan", later)).encode())
    ana.ok("contact", "log", "person 5001", "last week", "--on", day(-3))
    ana.ok("remind", "--tag", "book", "--every", "1w")
    told = ana.ok("due")
    rows = told["due"]
    assert told["is_cut"] is True and len(rows) == 5000, len(rows)
    assert [row["due"] for row in rows] == sorted(row["due"] for row in rows)
    assert [row["who"] for row in rows[:2]] == ["Zora", "Person 5001"], rows[:2]
    assert [row["who"] for row in rows[2:]] == [f"Person {at:04}" for at in range(4998)]


def the_mirror_is_a_sentence(place):
    ana, bruno = place.pair()
    until(lambda: [row["kind"] for row in
                   ana.ok("contact", "timeline", "bruno")["interactions"]] == ["linked"],
          what="linking was not noted")
    balance = ana.ok("balance")
    assert balance["given"]["total"] == 0 and balance["asked"]["total"] == 0
    assert "you helped never" not in balance["sentence"], balance
    assert "sentence" in ana.ok("balance", "bruno", "--since", "6m")
    ana.fails(2, "balance", "--since", "whenever")
    assert bruno.ok("contact", "timeline", "ana")["interactions"][0]["what"] == "you linked on kith"


run(globals())
