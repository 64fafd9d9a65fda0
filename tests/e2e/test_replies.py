"""What comes back to an ask: hop by hop, readable by nobody on the way, and thanks walk forward."""
import os

from kithtest import link, run, until

CANARY = "Ask Elena Quist at the harbour yard."


def members_in_a_row(here, *names):
    """Members, each linked with the next; all run."""
    members = [here.member(name).start() for name in names]
    for one, other in zip(members, members[1:]):
        link(one, other)
    return members


def post(member, title="Looking for work", *flags):
    return member.ok("ask", "post", "I design packaging and look for a job.", "--title", title,
                     *flags)


def heard(member, ask, seconds=30):
    until(lambda: any(row["id"] == ask["id"] for row in member.ok("ask", "list", "--all")["asks"]),
          seconds, f"{member.name} has not heard of it")


def leads(member):
    return member.ok("lead", "list")["leads"]


def lead(member, number=1, seconds=30):
    until(lambda: len(leads(member)) >= number, seconds, f"{member.name} has {leads(member)}")
    return leads(member)[0]


def events(member, kind):
    _, answer = member.call("log")
    rows = answer if isinstance(answer, list) else [answer]
    return [row for row in rows if row.get("kind") == kind]


def acts(member, who):
    noted = member.ok("contact", "timeline", who)["interactions"]
    return [(row["kind"], row.get("text")) for row in reversed(noted) if row["kind"] != "linked"]


def holds(member, text):
    """Is this anywhere in what is stored or was told? The member is stopped."""
    needle = text.encode()
    for folder, _, files in os.walk(member.home):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                if needle in file.read():
                    return True
    return False


def a_lead_comes_back_over_one_hop(place):
    ana, bruno = members_in_a_row(place, "Ana", "Bruno")
    ask = post(ana)
    heard(bruno, ask)
    made = bruno.ok("ask", "reply", ask["id"][:8], "--text", CANARY)
    assert (made["role"], made["kind"], made["state"], made["through"]) == \
        ("answered", "lead", "sent", "Ana"), made
    got = lead(ana)
    assert (got["role"], got["kind"], got["text"], got["through"]) == \
        ("asked", "lead", CANARY, "Bruno"), got
    assert got["from"] == {"name": "Bruno", "member": bruno.identity["member"]}, got
    assert got["ask"] == {"id": ask["id"], "title": "Looking for work"}, got
    assert got["id"] == made["id"]
    assert [row["text"] for row in events(ana, "lead")] == [
        'brought a lead about "Looking for work", by Bruno']
    assert bruno.ok("ask", "show", ask["id"])["state"] == "answered"
    shown = ana.ok("ask", "show", ask["id"])
    assert [row["text"] for row in shown["leads"]] == [CANARY], shown
    thanked = ana.ok("thanks", got["id"][:8], "I start on Monday.")
    assert thanked["thanks"] == "I start on Monday." and thanked["thanked"], thanked
    until(lambda: leads(bruno)[0].get("thanks") == "I start on Monday.")
    assert acts(ana, "bruno") == [("asked", "Looking for work"),
                                  ("answered-me", "Looking for work"),
                                  ("thanked", "I start on Monday.")], acts(ana, "bruno")
    assert acts(bruno, "ana") == [("asked-me", "Looking for work"),
                                  ("answered", "Looking for work"),
                                  ("thanked-me", "I start on Monday.")], acts(bruno, "ana")
    assert ana.ok("balance", "bruno")["received"] == {"total": 1, "answered-me": 1}
    assert bruno.ok("balance", "ana")["given"] == {"total": 1, "answered": 1}
    ana.fails(1, "thanks", got["id"], "Again.")
    bruno.fails(1, "thanks", made["id"], "Me.")


def a_lead_comes_back_over_two_hops_and_nobody_between_reads_it(place):
    ana, bruno, carla = members_in_a_row(place, "Ana", "Bruno", "Carla")
    ask = post(ana)
    heard(bruno, ask)
    bruno.ok("ask", "pass", ask["id"], "--to", "carla")
    heard(carla, ask)
    carla.ok("ask", "reply", ask["id"], "--text", CANARY, "--kind", "offer-help")
    got = lead(ana)
    assert (got["kind"], got["text"], got["through"]) == ("offer-help", CANARY, "Bruno"), got
    assert got["from"] == {"name": "Carla", "member": carla.identity["member"]}, got
    assert leads(bruno) == [] and events(bruno, "lead") == []
    ana.ok("lead", "answer", got["id"], "When could we talk, my number is 555-0134?")
    until(lambda: len(carla.ok("lead", "show", got["id"])["thread"]) == 2)
    carla.ok("lead", "answer", got["id"], "On Friday at the harbour gate.")
    until(lambda: len(ana.ok("lead", "show", got["id"])["thread"]) == 3)
    thread = ana.ok("lead", "show", got["id"])["thread"]
    assert [(row["mine"], row["text"]) for row in thread] == [
        (False, CANARY), (True, "When could we talk, my number is 555-0134?"),
        (False, "On Friday at the harbour gate.")], thread
    ana.ok("thanks", got["id"], "We met on Friday.")
    until(lambda: leads(carla)[0].get("thanks") == "We met on Friday.")
    assert [(row["who"], row["text"]) for row in events(bruno, "thanks")] == [
        ("Ana", 'thanks you: your pass of "Looking for work" brought something back: '
                "We met on Friday.")], events(bruno, "thanks")
    assert [(row["who"], row["text"]) for row in events(carla, "thanks")] == [
        ("Bruno", 'brings thanks for your answer to "Looking for work": We met on Friday.')]
    assert acts(ana, "bruno")[1:] == [("passed-mine", "Looking for work"),
                                      ("thanked", "We met on Friday.")], acts(ana, "bruno")
    assert acts(bruno, "carla") == [("carried-me", "Looking for work")], acts(bruno, "carla")
    assert ("thanked-me", "We met on Friday.") in acts(bruno, "ana"), acts(bruno, "ana")
    assert acts(carla, "bruno") == [("answered", "Looking for work"),
                                    ("thanked-me", "We met on Friday.")], acts(carla, "bruno")
    everything = str(bruno.call("log")[1]) + str(bruno.ok("ask", "list", "--all"))
    bruno.stop()
    for secret in (CANARY, "555-0134", "harbour gate"):
        assert secret not in everything and not holds(bruno, secret), secret


run(dict(globals()))
