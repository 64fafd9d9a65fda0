"""Three and four people: a member brings two peers together, and both must agree."""
from kithtest import link, run, until


def three(here):
    """Iris, linked with Ana and with Bruno; all run."""
    iris, ana, bruno = (here.member(name).start() for name in ("Iris", "Ana", "Bruno"))
    link(iris, ana)
    link(iris, bruno)
    return iris, ana, bruno


def intros(member):
    return member.ok("intro", "list")["introductions"]


def state_of(member):
    rows = intros(member)
    return rows[0]["state"] if rows else None


def wait_for(member, state, seconds=30):
    until(lambda: state_of(member) == state, seconds,
          f"{member.name} is at {state_of(member)}, not {state}")


def introduced_people_are_linked_and_sync_directly(place):
    iris, ana, bruno = three(place)
    ana.ok("me", "edit", "--title", "Baker")
    made = iris.ok("introduce", "ana", "bruno", "--why", "You both restore boats.")
    assert made["state"] == "open" and made["role"] == "introducer"
    wait_for(ana, "offered")
    offer = intros(ana)[0]
    assert offer["other"] == {"name": "Bruno"}, offer
    assert offer["introducer"]["name"] == "Iris" and offer["why"] == "You both restore boats."
    assert intros(bruno) == []
    assert ana.ok("status")["introductions"] == {"waiting_for_me": 1, "open": 0}
    ana.ok("intro", "accept", offer["id"], "--message", "Glad to meet you.")
    wait_for(bruno, "offered")
    bruno.ok("intro", "accept", intros(bruno)[0]["id"])
    wait_for(iris, "released")
    for one, other in ((ana, "Bruno"), (bruno, "Ana")):
        wait_for(one, "connected")
        until(lambda o=one, n=other: o.card_of(n).get("name") == n)
        peer = one.ok("peer", "show", other)
        assert (peer["level"], peer["via"]) == ("introduced", "Iris"), peer
    assert bruno.card_of("Ana")["title"] == "Baker"
    iris.stop()
    until(lambda: ana.ok("peer", "show", "bruno")["state"] == "online")
    bruno.ok("me", "edit", "--title", "Sailmaker")
    until(lambda: ana.card_of("Bruno").get("title") == "Sailmaker")
    ana.ok("me", "edit", "--title", "Boat builder")
    until(lambda: bruno.card_of("Ana").get("title") == "Boat builder")


run(dict(globals()))
