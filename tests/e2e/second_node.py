"""The second node: a member with one device, the logs it holds, and its peers."""
from second_channel import Channel
from second_epoch import Book, Keys
from second_keys import about, fresh, x25519_public
from second_log import Entry, Log
from second_member import Identity, Invitation, Self, now_ms, read_addresses
from second_object import read
from second_pack import pack
from second_session import LINK, Session

CARD, PAIR = 2, 3
KIND_CARD, KIND_CERTIFICATE, KIND_GRANT = 30, 31, 40
NOBODY = bytes(16)


class Peer:
    """What a node knows of a member it is linked with."""

    def __init__(self, static):
        self.static, self.member, self.devices = static, None, {}
        self.secret = self.knock = self.pair_in = self.card_in = None
        self.pair_out = fresh(16)
        self.name = self.address = None

    def meet(self, data):
        """LINK-1: the chain ends with the key that the handshake proved."""
        identity = Identity(data)
        assert identity.last.static == self.static
        self.member, self.pin = identity.member, identity.pin
        for one in identity.chain:
            self.devices[one.device] = one

    def linked(self, secret, knock, pair, card, name, addresses):
        """LINK-3"""
        self.secret, self.knock, self.pair_in, self.card_in = secret, knock, pair, card
        self.name, self.address = name, read_addresses(addresses)[0]

    def own_devices(self):
        return self.devices

    def door(self):
        """KNOCK-4"""
        return self.knock, fresh(8), self.secret, self.static


class Node:
    def __init__(self, name):
        self.me = Self(name)
        self.keys = Keys()
        self.books = {}      # (space, device) -> book
        self.chosen = {}     # space -> the index under which is written
        self.peers = []
        self.counters = {}
        self.objects = {}

    # Logs.

    def book(self, space, device):
        if (space, device) not in self.books:
            self.books[(space, device)] = Book(Log(space, device), self.keys)
        return self.books[(space, device)]

    def shared(self, peer):
        """The logs that the two share: those this member writes, those the other does."""
        logs = [book.log for book in self.books.values() if book.log.size()]
        return [log for log in logs if log.space in (self.me.card, peer.pair_out)], \
            [log for log in logs if log.space in (peer.card_in, peer.pair_in)]

    @staticmethod
    def marks(logs):
        return sorted(log.mark() for log in logs)

    def compare(self, session, space, device, size, tag):
        pass

    def take(self, peer, key, start, entries, signature):
        """SYNC-8: the size that is held then; None where the batch does not begin there."""
        space, device = key
        assert space in (peer.card_in, peer.pair_in) and device in peer.devices, "another's log"
        book = self.book(space, device)
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
        self.reread(peer)
        return log.size()

    def reread(self, peer):
        """Pair spaces grant what card spaces are sealed under."""
        for space in (peer.pair_in, peer.card_in):
            books = [book for (one, _), book in self.books.items() if one == space]
            for book in books:
                book.hear(self.me.receiving)
            self.objects[space] = read(books)
            for (kind, _), grant in self.objects[space].items():
                if kind == KIND_GRANT:
                    self.keys.learn(grant.value(3), grant.value(4))

    # Writing.

    def append(self, space, epoch, payload, expiry=0):
        log = self.book(space, self.me.device).log
        if log.append(Entry(epoch, expiry, payload)):
            log.sign_head(self.me.signing)

    def open_epoch(self, space, readers):
        """A new epoch of a space under a fresh key; readers: receiving keys it is wrapped for."""
        book = self.book(space, self.me.device)
        tips = [self.keys.epochs[book.named[-1]]] if book.named else []
        payload, epoch = self.keys.open_epoch(space, self.me.device, fresh(), tips, readers)
        self.append(space, 0, payload)
        book.hear(self.me.receiving)
        self.chosen[space] = len(book.named)
        return epoch

    def write(self, space, kind, object_id, fields, expiry=0):
        """One sealed edit that sets these fields."""
        writes = []
        for field, value in fields.items():
            counter = self.counters.get((space, kind, object_id, field), 0) + 1
            self.counters[(space, kind, object_id, field)] = counter
            writes.append([0, field, counter, value])
        self.edit(space, [kind, object_id, now_ms(), writes], expiry)

    def edit(self, space, edit, expiry=0):
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
        if self.me.card not in self.chosen:
            self.card_epoch = self.open_epoch(self.me.card, [])
            self.write(self.me.card, KIND_CERTIFICATE, about("kith device", self.me.device),
                       {1: self.me.certificate})
        self.write(self.me.card, KIND_CARD, NOBODY,
                   {numbers[name]: value for name, value in fields.items()})

    def write_pair(self, peer):
        """A pair space begins with an epoch for its reader; it grants the card's key (EPOCH-5)."""
        readers = [x25519_public(self.me.receiving), self.me.recovery]
        self.open_epoch(peer.pair_out,
                        readers + [one.receiving for one in peer.devices.values()])
        self.grant(peer, CARD, self.card_epoch)

    def grant(self, peer, kind, epoch):
        self.write(peer.pair_out, KIND_GRANT, epoch.id[:16],
                   {1: epoch.space, 2: kind, 3: epoch.id, 4: self.keys.keys[epoch.id]})

    # Sessions.

    def accept(self, text):
        """LINK, as the acceptor: a session in which the link was made."""
        invitation = Invitation(text)
        peer = Peer(invitation.static)
        channel = Channel(invitation.addresses[0], invitation.door, self.me.static,
                          self.me.identity.data)
        session = Session(self, peer, channel)
        session.until(lambda: peer.secret or session.counts.get(13), what="no link message")
        self.peers.append(peer)
        self.write_pair(peer)
        self.commit()
        session.say(LINK, b"", self.me.knock, peer.pair_out, self.me.card, self.me.name, b"")
        session.hello()
        return session

    def dial(self, peer, content=b""):
        """HANDSHAKE-4: under the link's secret."""
        session = Session(self, peer, Channel(peer.address, peer.door(), self.me.static, content))
        session.hello()
        return session

    def card_of(self, peer):
        return self.objects.get(peer.card_in, {}).get((KIND_CARD, NOBODY))

    def said(self, peer, kind):
        """The objects of a kind in the space that a peer writes for me."""
        return [one for (at, _), one in self.objects.get(peer.pair_in, {}).items() if at == kind]
