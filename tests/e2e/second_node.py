"""The second node: a member with one device, the logs it holds, and its peers."""
import socket

from second_channel import Channel
from second_epoch import Book, Keys
from second_fork import CARD, KIND_CERTIFICATE, PAIR, Forks
from second_handshake import answer, call
from second_keys import Refused, about, digest, fresh, kdf, x25519_public
from second_log import Entry, Log
from second_member import (Identity, Invitation, Self, door_of, invite, now_ms,
                           packed_address, read_addresses)
from second_object import deletes, edits_of, read
from second_pack import pack
from second_session import IDENTITY, LINK, Session

KIND_CARD, KIND_DOOR, KIND_GRANT, KIND_FORGET, KIND_ENDORSEMENT = 30, 33, 40, 56, 60
NETWORK = 4
NOBODY = bytes(16)


class Peer:
    """What a node knows of a member it is linked with."""

    own = None  # The self space of the node, where its member has several devices.
    network = None  # The network space of the node, where this one reads it (NETWORK-3).

    def __init__(self, static):
        self.static, self.member, self.devices = static, None, {}
        self.secret = self.knock = self.pair_in = self.card_in = None
        self.pair_out = fresh(16)
        self.retired, self.keeps, self.networks = {}, {}, []
        self.name = self.address = None

    def meet(self, data):
        """LINK-1: the chain ends with the key that the handshake proved."""
        self.identity = identity = Identity(data)
        assert identity.last.static == self.static
        self.member, self.pin = identity.member, identity.pin
        for one in identity.chain:
            self.devices[one.device] = one
        self.speaker = identity.last.device

    def linked(self, secret, knock, pair, card, name, addresses):
        """LINK-3"""
        self.secret, self.knock, self.pair_in, self.card_in = secret, knock, pair, card
        self.name, self.addresses = name, addresses
        self.address = (read_addresses(addresses) or [None])[0]

    def door(self):
        """KNOCK-4: the newest knock that was told."""
        return self.knock, fresh(8), self.secret, self.static

    def spaces(self):
        """Those that this member writes for me."""
        return [one for one in (self.pair_in, self.card_in, *self.networks) if one]

    def readable(self, me):
        """Those that are written for this member."""
        return [one for one in (me.card, self.pair_out, self.network) if one]

    def reads(self, space, me):
        return space in self.readable(me)

    def shares(self, space, device):
        """Not what my member writes for others, or wrote for this one (NETWORK-3)."""
        return self.own is None or device not in self.own.devices or \
            space in self.readable(self.own.me)

    def split(self, logs, me):
        """SYNC-2: what my member writes for this one, and the other way."""
        return [log for log in logs if log.space in self.readable(me)], \
            [log for log in logs if log.space in self.spaces()]

    def knows(self, space, device):
        """Of my own devices, too: what one has of another, a peer gives on (SYNC-6)."""
        return space in self.spaces() and device in self.devices or self.own is not None and \
            space in self.readable(self.own.me) and device in self.own.devices

    def kind_of(self, space):
        return PAIR if space == self.pair_in else CARD

    def reread(self, node):
        node.reread(self)
        if self.own:
            self.own.reread()

    def hear_facts(self, node, statements):
        if self.own:
            self.own.hear_facts(statements)
        node.forks.hear_facts(self, statements)


class Node:
    own = None  # The self space, where the member has several devices (second_own.py).

    def __init__(self, me):
        self.me = me if isinstance(me, Self) else Self(me)
        self.keys = Keys()
        self.books = {}      # (space, device) -> book
        self.chosen = {}     # space -> the index under which is written
        self.counters = {}
        self.objects = {}
        self.forks = Forks(self)
        self.addresses = b""   # INVITE-2

    # Logs.

    def book(self, space, device):
        if (space, device) not in self.books:
            self.books[(space, device)] = Book(Log(space, device), self.keys)
        return self.books[(space, device)]

    def books_of(self, space):
        return [book for (one, _), book in self.books.items() if one == space]

    def shared(self, peer):
        """The logs that the two share: those this member writes, those the other does."""
        return peer.split([book.log for book in self.books.values() if book.log.size()], self.me)

    def all_shared(self, peer):
        """The same together, each once, as marks are ordered."""
        return [log for _, log in sorted({(log.space, log.device): log
                                          for logs in self.shared(peer) for log in logs}.items())]

    @staticmethod
    def marks(logs):
        return sorted(log.mark() for log in logs)

    def take(self, peer, key, start, entries, signature):
        """SYNC-8: the size that is held then; None where the batch does not begin there."""
        book = self.book(*key)
        log = book.log
        at = log.size() if start is None else start[0]
        if start is not None and len(start) == 4 and not log.size():
            log.begin(*start[:2])
            book.begin(*start[2:])
        if at + len(entries) <= log.size():
            return log.size()
        if at != log.size() or (start is not None and start[1] != log.tip()):
            return None
        log.take(entries, signature)
        peer.reread(self)
        return log.size()

    def reread(self, peer):
        """Pair spaces grant what card and network spaces are sealed under (EPOCH-5)."""
        for space in peer.spaces():
            books = self.books_of(space) + [
                book for (one, _), (book, _) in self.forks.returns.items() if one == space]
            for book in books:
                book.hear(self.me.receivings)
            self.objects[space] = read(books, self.keys)
            for (kind, _), grant in self.objects[space].items():
                if kind == KIND_DOOR and space == peer.card_in:
                    peer.knock = grant.value(1)
                if kind == KIND_GRANT:
                    self.keys.learn(grant.value(3), grant.value(4))
                    if grant.value(2) == NETWORK and not peer.networks:  # NETWORK-2
                        peer.networks.append(grant.value(1))

    # Writing.

    def append(self, space, epoch, payload, expiry=0):
        log = self.book(space, self.me.device).log
        if log.append(Entry(epoch, expiry, payload)):
            log.sign_head(self.me.signing)

    def open_epoch(self, space, readers, is_told=True):
        """A new epoch of a space under a fresh key; readers: receiving keys it is wrapped for."""
        book = self.book(space, self.me.device)
        tips = self.keys.tips(space)
        salted = self.own.salted(space) if self.own else fresh(16)
        payload, epoch = self.keys.open_epoch(space, self.me.device, tips, salted, readers,
                                              is_told)
        self.append(space, 0, payload)
        book.hear(self.me.receivings)
        self.chosen[space] = len(book.named)
        if self.own:
            self.own.tell_key(epoch, salted)
        return epoch

    def write(self, space, kind, object_id, fields, expiry=0, adds=()):
        """One sealed edit that sets these fields, and adds (field, value)."""
        writes = [[1, field, fresh(16), value] for field, value in adds]
        seen = self.objects.get(space, {}).get((kind, object_id))
        for field, value in fields.items():
            counter = 1 + max(self.counters.get((space, kind, object_id, field), 0),
                              seen.registers.get(field, (0,))[0] if seen else 0)
            self.counters[(space, kind, object_id, field)] = counter
            writes.append([0, field, counter, value])
        self.edit(space, [kind, object_id, now_ms(), writes], expiry)

    def forget(self, space, kind, object_id):
        """MERGE-4, FORGET-1: the object is deleted, then each of its entries named."""
        edits = [edit for edit in edits_of(self.books_of(space))
                 if (edit.kind, edit.id) == (kind, object_id)]
        self.edit(space, [kind, object_id, now_ms(), deletes(edits)])
        places = {}
        for edit in edits:
            places.setdefault(edit.at[0], []).append(edit.named[1:])
        self.write(space, KIND_FORGET, fresh(16), {
            1: kind, 2: object_id, 3: pack([list(one) for one in places.items()])})

    def write_statement(self, space, kind, statement):
        """STATEMENT-3, STATEMENT-4"""
        object_id = digest("kith statement", statement)[:16]
        self.edit(space, [kind, object_id, now_ms(), [[0, 1, 1, statement]]])

    def write_certificate(self):
        self.write(self.me.card, KIND_CERTIFICATE, about("kith device", self.me.device),
                   {1: self.me.certificate})

    def begin_again(self, old):
        """A successor's own logs: each begins by using the epoch of the one before (EPOCH-1)."""
        for (space, device), book in list(self.books.items()):
            if device != old:
                continue
            self.append(space, 0, pack([2, [one for one in book.named if one][-1]]))
            mine = self.book(space, self.me.device)
            mine.hear(self.me.receivings)
            self.chosen[space] = len(mine.named)
            for (kind, object_id), one in read([book], self.keys).items():
                for field, register in one.registers.items():
                    self.counters[(space, kind, object_id, field)] = register[0]
        self.write_certificate()

    def edit(self, space, edit, expiry=0):
        if self.own:
            self.own.choose(space)
        book, index = self.book(space, self.me.device), self.chosen[space]
        seq = book.log.size() + 1
        self.append(space, index, book.seal(index, seq, pack(edit), expiry), expiry)

    def commit(self):
        """HEAD-1: a head is signed at every commit."""
        for (_, device), book in self.books.items():
            if device == self.me.device and book.log.size() not in book.log.heads:
                book.log.sign_head(self.me.signing)

    def write_card(self, **fields):
        """The card space begins with an epoch, the certificate and the card."""
        numbers = {"name": 1, "org": 2, "title": 3, "place": 4}
        if self.me.card not in self.chosen and not self.own:
            self.open_epoch(self.me.card, [])
            self.write_certificate()
        self.write(self.me.card, KIND_CARD, NOBODY,
                   {numbers[name]: value for name, value in fields.items()})

    def write_email(self, email, instead=None):
        """MERGE-3: its dot; another's is removed."""
        dot = fresh(16)
        writes = [[1, 20, dot, email]]
        if instead:
            writes.append([2, 20, bytes(16), [instead]])
        self.edit(self.me.card, [KIND_CARD, NOBODY, now_ms(), writes])
        return dot

    def current(self, space):
        """The epoch under which is written."""
        if self.own:
            self.own.choose(space)
        named = self.book(space, self.me.device).named
        return self.keys.epochs[named[self.chosen[space] - 1]]

    def write_pair(self, peer):
        """A pair space begins with an epoch for its reader; it grants the card's key (EPOCH-5)."""
        readers = self.own.receivings(peer.pair_out) if self.own else \
            [x25519_public(self.me.receivings[-1]), self.me.recovery] + \
            [one.receiving for one in peer.devices.values()]
        self.open_epoch(peer.pair_out, readers)
        self.grant(peer, CARD, self.current(self.me.card))

    def grant(self, peer, kind, epoch):
        self.write(peer.pair_out, KIND_GRANT, epoch.id[:16],
                   {1: epoch.space, 2: kind, 3: epoch.id, 4: self.keys.keys[epoch.id]})

    # Sessions.

    def call(self, address, door, content):
        sock = socket.create_connection(address, timeout=20)
        return Channel(sock, call(sock, door, self.me.static, content))

    def open(self, text):
        """A session under an invitation."""
        invitation = Invitation(text)
        return Session(self, Peer(invitation.static), self.call(
            invitation.addresses[0], invitation.door, self.me.identity.data))

    def accept(self, text):
        """LINK, as the acceptor: a session in which the link was made."""
        session = self.open(text)
        session.until(lambda: session.peer.secret, what="no link message")
        self.greet(session, b"")
        session.hello()
        return session

    def greet(self, session, secret):
        """LINK-3: what the reader needs to find what is written for it."""
        if self.own:
            self.own.meet(session.peer)
        self.write_pair(session.peer)
        self.commit()
        session.say(LINK, secret, self.me.knock, session.peer.pair_out, self.me.card, self.me.name,
                    self.addresses)

    def dial(self, peer, content=b""):
        """HANDSHAKE-4: under the link's secret."""
        session = Session(self, peer, self.call(peer.address, peer.door(), content))
        session.hello()
        return session

    def open_door(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(20)
        self.addresses = packed_address(*self.listener.getsockname())

    def invite(self):
        """INVITE-1: the text; whoever calls with it is answered by link()."""
        self.open_door()
        self.secret = fresh(16)
        return invite(self.me.static, self.secret, self.addresses, self.me.name)

    def link(self):
        """LINK, as the inviter."""
        knock, _, psk = door_of(self.secret)
        sock, _ = self.listener.accept()
        shaken = answer(sock, [(knock, lambda _: psk)], self.me.static)
        peer = Peer(shaken.static)
        peer.meet(shaken.content)
        session = Session(self, peer, Channel(sock, shaken))
        session.say(IDENTITY, self.me.identity.data)
        secret = kdf(fresh(), "kith link secret", self.secret + peer.member)  # INVITE-3
        self.greet(session, secret)
        session.until(lambda: peer.card_in, what="no link message")
        peer.secret = secret
        session.hello()
        return session

    def knocks(self):
        """KNOCK-4, OWN-2, OWN-12: those that are answered."""
        return [self.me.knock] + (self.own.knocks() if self.own else [])

    def listen(self, peer):
        """A session that this peer began, under the link's secret; others are not answered."""
        while True:
            sock, _ = self.listener.accept()
            try:
                shaken = answer(sock, [(one, lambda static: peer.secret if static == peer.static
                                        else fresh()) for one in self.knocks()], self.me.static)
                break
            except Refused:
                sock.close()
        session = Session(self, peer, Channel(sock, shaken))
        session.hello()
        return session

    def card_of(self, peer):
        return self.objects.get(peer.card_in, {}).get((KIND_CARD, NOBODY))

    def said(self, peer, kind):
        """The objects of a kind in the space that a peer writes for me."""
        return [one for (at, _), one in self.objects.get(peer.pair_in, {}).items() if at == kind]

    def book_of(self, peer):
        """The log of a peer's first device in its card space."""
        return self.books[(peer.card_in, peer.speaker)]

    def quotes(self, peer):
        """QUOTE-2: what a peer quotes in its network space."""
        return [one for space in peer.networks
                for (at, _), one in self.objects.get(space, {}).items() if at == KIND_ENDORSEMENT]
