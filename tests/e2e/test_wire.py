"""Between two nodes: bytes changed, cut off or repeated on the way."""
import socket
import threading

from kithtest import run, until


class Between:
    """Passes bytes on between a node and whoever calls; can change, cut and remember them."""

    def __init__(self):
        self.to = None
        self.flip = self.cut = False
        self.heard = []  # what callers said, one piece a read
        self.pairs = []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.door.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                caller, _ = self.door.accept()
                node = socket.create_connection(self.to, timeout=10)
            except OSError:
                return
            node.settimeout(None)
            self.pairs += [caller, node]
            for source, sink, is_caller in ((caller, node, True), (node, caller, False)):
                threading.Thread(target=self.carry, args=(source, sink, is_caller),
                                 daemon=True).start()

    def carry(self, source, sink, is_caller):
        try:
            while piece := source.recv(65536):
                if is_caller:
                    self.heard.append(piece)
                if self.flip and is_caller:
                    piece, self.flip = piece[:-1] + bytes([piece[-1] ^ 1]), False
                if self.cut and is_caller:
                    piece, self.cut = piece[:len(piece) // 2], False
                    sink.sendall(piece)
                    break
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def before(self, node):
        """Stands before this node from now on."""
        host, port = node.listen[0].rsplit(":", 1)
        self.to = (host, int(port))

    def end(self):
        for one in [self.door, *self.pairs]:
            one.close()


class Linked:
    """Ana and Bruno; whoever of them calls the other calls somebody in between."""

    def __init__(self, place):
        self.between = [Between(), Between()]
        self.members = [place.member("Ana"), place.member("Bruno")]
        for member, between in zip(self.members, self.between):
            between.before(member.start("127.0.0.1:0", "--announce", between.address))
        self.ana, self.bruno = self.members
        uri = self.ana.ok("peer", "invite", "Bruno", "--address", self.between[0].address)["uri"]
        assert self.bruno.ok("peer", "accept", uri)["state"] == "linked"
        self.write("first")

    def write(self, title):
        self.bruno.ok("me", "edit", "--title", title)
        until(lambda: self.ana.card_of("Bruno").get("title") == title, 40)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for between in self.between:
            between.end()


def rows_of(member, kind):
    rows = member.ok("log")
    return [row for row in (rows if isinstance(rows, list) else [rows]) if row["kind"] == kind]


def a_changed_byte_ends_the_session_and_the_log_says_why(place):
    with Linked(place) as pair:
        assert rows_of(pair.ana, "broken") == [] == rows_of(pair.bruno, "broken")
        for between in pair.between:
            between.flip = True
        pair.write("changed on the way")
        until(lambda: rows_of(pair.ana, "broken") + rows_of(pair.bruno, "broken"))
        for member, peer in (pair.members, pair.members[::-1]):
            for row in rows_of(member, "broken"):
                assert row["who"] == peer.name and "cannot be opened" in row["text"], row


def a_cut_in_the_middle_of_a_frame_heals_and_blames_nobody(place):
    with Linked(place) as pair:
        for between in pair.between:
            between.cut = True
        pair.write("cut off")
        for kind in ("violation", "broken"):
            assert rows_of(pair.ana, kind) == [] == rows_of(pair.bruno, kind)


def a_conversation_that_is_repeated_has_no_effect(place):
    """Whoever recorded everything a peer said and says it again is nobody."""
    with Linked(place) as pair:
        said = b"".join(pair.between[0].heard)
        pair.bruno.stop()
        # What was acknowledged is noted a moment later.
        until(lambda: pair.ana.peers()[0]["state"] == "offline"
              and pair.ana.peers()[0]["undelivered"] == 0)
        before = pair.ana.peers()[0]
        with socket.create_connection(pair.between[0].to, timeout=10) as stranger:
            stranger.settimeout(12)
            stranger.sendall(said)
            heard = b""
            try:
                while piece := stranger.recv(65536):
                    heard += piece
            except (TimeoutError, ConnectionResetError):
                pass
        # The knock fits, so message 2 comes back; without the keys nothing follows it.
        assert len(heard) <= 256, len(heard)
        after = pair.ana.peers()[0]
        assert after == before, (before, after)


run(dict(globals()))
