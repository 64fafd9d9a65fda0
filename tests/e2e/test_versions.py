"""A node of another version: nothing is exchanged, nobody is blamed, the owner is told once."""
from kithtest import run, start_later, until


def rows_of(member, kind):
    rows = member.ok("log")
    return [row for row in (rows if isinstance(rows, list) else [rows]) if row["kind"] == kind]


def returns_to_this_version(ana, bruno):
    bruno.stop()
    bruno.start()
    bruno.ok("sync")
    ana.ok("sync")
    until(lambda: ana.card_of("Bruno").get("title") == "of another version", 40)
    for member in (ana, bruno):
        assert len(rows_of(member, "version")) <= 1 and rows_of(member, "violation") == []


def a_hello_of_another_version_ends_the_session_and_is_told_once(place):
    ana, bruno = place.pair()
    bruno.stop()
    start_later(bruno, "hello")
    bruno.ok("me", "edit", "--title", "of another version")
    until(lambda: rows_of(ana, "version"))
    assert "another version" in rows_of(ana, "version")[0]["text"]
    assert rows_of(ana, "version")[0]["who"] == "Bruno"
    for _ in range(5):
        bruno.call("sync", "--wait", "1")
    assert len(rows_of(ana, "version")) == 1 and len(rows_of(bruno, "version")) == 1
    assert "title" not in ana.card_of("Bruno")
    assert ana.peers()[0]["in_step"] is False
    checks = {row["check"]: row for row in ana.ok("doctor")["checks"]}
    assert checks["versions"]["state"] == "warn" and "Bruno" in checks["versions"]["text"], checks
    assert "both sides" in checks["versions"]["remedy"]
    returns_to_this_version(ana, bruno)


def a_knock_of_another_version_gets_silence_and_is_told_once(place):
    ana, bruno = place.pair()
    # Before that Bruno would call with the invitation still.
    until(lambda: ana.peers()[0]["in_step"] and bruno.peers()[0]["in_step"])
    bruno.stop()
    start_later(bruno, "knock")
    bruno.ok("me", "edit", "--title", "of another version")
    until(lambda: rows_of(ana, "version"))
    assert "somebody you know" in rows_of(ana, "version")[0]["text"]
    for _ in range(5):
        bruno.call("sync", "--wait", "1")
    assert len(rows_of(ana, "version")) == 1 and len(rows_of(bruno, "version")) <= 1
    assert "title" not in ana.card_of("Bruno")
    returns_to_this_version(ana, bruno)


def who_was_invited_and_has_another_version_is_told_of(place):
    ana, bruno = place.member("Ana").start(), place.member("Bruno")
    start_later(bruno, "knock")
    uri = ana.ok("peer", "invite", "Bruno")["uri"]
    assert bruno.ok("peer", "accept", uri)["state"] == "pending"
    rows = rows_of(ana, "version")
    assert len(rows) == 1 and "somebody you invited" in rows[0]["text"], rows
    bruno.stop()
    bruno.start()
    until(lambda: [peer["state"] for peer in ana.peers()] == ["online"], 40)


def a_first_link_over_a_hello_of_another_version_is_whole_and_waits(place):
    """What makes the link is understood; what would follow is not. Both are told, either way."""
    for later in (0, 1):
        ana, bruno = place.member("Ana%d" % later), place.member("Bruno%d" % later)
        for at, member in enumerate((ana, bruno)):
            if at == later:
                start_later(member, "hello")
            else:
                member.start()
        uri = ana.ok("peer", "invite", bruno.name)["uri"]
        assert bruno.ok("peer", "accept", uri)["state"] == "linked"
        for one, other in ((ana, bruno), (bruno, ana)):
            until(lambda: rows_of(one, "version"))
            assert "another version" in rows_of(one, "version")[0]["text"]
            assert [row["who"] for row in rows_of(one, "linked")] == [other.name]
            assert [(peer["name"], peer["in_step"]) for peer in one.peers()] == [
                (other.name, False)]
            checks = {row["check"]: row for row in one.ok("doctor")["checks"]}
            assert checks["versions"]["state"] == "warn", checks
            assert one.ok("doctor")["healthy"] is True
        eve = place.member("Eve%d" % later).start()
        assert "used before" in eve.fails(5, "peer", "accept", uri)["message"]
        of_another = (ana, bruno)[later]
        of_another.ok("me", "edit", "--title", "of another version")
        of_another.stop()
        of_another.start()
        bruno.ok("sync")
        until(lambda: all(peer["in_step"] for one in (ana, bruno) for peer in one.peers()), 40)
        other = (bruno, ana)[later]
        assert other.card_of(of_another.name)["title"] == "of another version"
        for one in (ana, bruno):
            assert len(rows_of(one, "linked")) == 1 and len(rows_of(one, "version")) == 1
            assert rows_of(one, "violation") == []


run(dict(globals()))
