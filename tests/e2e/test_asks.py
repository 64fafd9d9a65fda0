"""An ask walks from neighbour to neighbour, by hand, as far as its author allowed."""
from kithtest import link, run, until


def chain(place, *names):
    """Members, each linked with the next; all run."""
    members = [place.member(name).start() for name in names]
    for one, other in zip(members, members[1:]):
        link(one, other)
    return members


def asks(member, *flags):
    return member.ok("ask", "list", *flags)["asks"]


def has(member, ask, seconds=30):
    until(lambda: any(row["id"] == ask["id"] for row in asks(member)), seconds,
          f"{member.name} has not heard of it: {member.ok('ask', 'list', '--all')}")
    return member.ok("ask", "show", ask["id"])


def events(member, kind):
    code, answer = member.call("log")
    rows = answer if isinstance(answer, list) else [answer]
    return [row for row in rows if row.get("kind") == kind]


def acts(member, who):
    noted = member.ok("contact", "timeline", who)["interactions"]
    return [(row["kind"], row.get("text"), row["ref"]) for row in reversed(noted)
            if row["kind"] != "linked"]


def an_ask_reaches_a_peer_and_is_passed_on_as_far_as_allowed(place):
    ana, bruno, carla, dora = chain(place, "Ana", "Bruno", "Carla", "Dora")
    ana.ok("me", "edit", "--title", "Packaging designer")
    made = ana.ok("ask", "post", "I design packaging and look for a job.", "--title",
                  "Looking for work", "--tag", "design", "--tag", "place:Norman", "--hops", "2",
                  "--caution", "Please not to my firm.")
    assert (made["state"], made["kind"], made["hop_limit"], made["mine"]) == \
        ("open", "ask", 2, True), made
    assert [who["name"] for who in made["to"]] == ["Bruno"], made
    heard = has(bruno, made)
    assert (heard["title"], heard["text"], heard["tags"], heard["caution"]) == \
        (made["title"], made["text"], ["design", "place:Norman"], "Please not to my firm."), heard
    assert (heard["from"], heard["author"]["name"], heard["hops"], heard["state"]) == \
        ("Ana", "Ana", 1, "shown"), heard
    assert heard["expires"] == made["expires"] and "mine" not in heard
    assert asks(carla) == []
    passed = bruno.ok("ask", "pass", made["id"][:8], "--to", "carla", "--note",
                      "You know everybody in packaging.")
    assert passed["state"] == "passed", passed
    assert [who["name"] for who in passed["passed_to"]] == ["Carla"], passed
    there = has(carla, made)
    assert (there["from"], there["author"]["name"], there["hops"], there["note"]) == \
        ("Bruno", "Ana", 2, "You know everybody in packaging."), there
    assert there["author"]["member"] == ana.identity["member"], there
    assert "no further" in carla.fails(1, "ask", "pass", made["id"], "--to", "dora")["message"]
    assert asks(dora) == []
    assert bruno.ok("status")["asks"] == {"mine": 0, "open": 1}
    assert ana.ok("status")["asks"] == {"mine": 1, "open": 0}
    assert acts(ana, "bruno") == [("asked", "Looking for work", made["id"])]
    assert acts(bruno, "ana") == [("asked-me", "Looking for work", made["id"]),
                                  ("passed", "Looking for work", made["id"])]
    assert acts(carla, "bruno") == [], acts(carla, "bruno")
    assert [row["text"] for row in events(bruno, "ask")] == ["asks: Looking for work"]
    assert [(row["who"], row["text"]) for row in events(carla, "ask")] == [
        ("Bruno", "passed an ask on to you: Looking for work")]


def people_may_be_away_in_turn(place):
    ana, bruno, carla = chain(place, "Ana", "Bruno", "Carla")
    for member in (ana, bruno, carla):
        member.stop()
    made = ana.ok("ask", "post", "A boat shed for the winter.", "--title", "Boat shed")
    ana.start()
    bruno.start()
    has(bruno, made)
    ana.stop()
    bruno.stop()
    bruno.ok("ask", "pass", made["id"], "--to", "carla")
    bruno.start()
    carla.start()
    assert has(carla, made)["author"]["name"] == "Ana"
    bruno.stop()
    carla.stop()
    ana.ok("ask", "close", made["id"], "--reason", "found")
    ana.start()
    bruno.start()
    until(lambda: bruno.ok("ask", "show", made["id"])["state"] == "closed")
    ana.stop()
    carla.start()
    until(lambda: carla.ok("ask", "show", made["id"])["state"] == "closed")
    there = carla.ok("ask", "show", made["id"])
    assert there["reason"] == "found" and asks(carla) == [], there
    bruno.fails(1, "ask", "pass", made["id"], "--to", "carla")
    for member in (bruno, carla):
        assert events(member, "ask")[-1]["text"] == "says that the ask is closed: found"


run(dict(globals()))
