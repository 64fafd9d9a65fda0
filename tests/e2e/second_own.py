"""Devices of one member (OWN): the self space, and what it makes known to each of them."""
from second_fork import CARD, KIND_CERTIFICATE, PAIR
from second_keys import about, fresh, kdf
from second_member import Certificate, Identity, Welcome, now_ms
from second_node import Peer
from second_object import read
from second_pack import pack

KIND_CONTACT, KIND_LINK, KIND_KEY, KIND_SPACE, KIND_KNOCK = 10, 11, 13, 14, 15
SELF, NETWORK = 1, 4
ON, LINKED, INVITED = 1, 1, 1


class Sibling:
    """Another device of my member, as a session sees it."""

    def __init__(self, own, device, address=None):
        certificate = own.devices[device]
        self.own, self.member, self.static = own, own.me.member, certificate.static
        self.devices, self.speaker = {device: certificate}, device
        self.retired, self.keeps, self.address = {}, {}, address
        self.secret = own.secret

    def door(self):
        """OWN-1, OWN-2"""
        return self.own.me.knock, fresh(8), self.secret, self.static

    def split(self, logs, _):
        """OWN-5, SYNC-2: each of the two digests covers all."""
        shared = [log for log in logs if log.space in self.own.spaces]
        return shared, shared

    def knows(self, space, device):
        return device in self.own.writers(space)

    def reread(self, _):
        self.own.reread()

    def hear_facts(self, _, statements):
        self.own.hear_facts(statements)


class Own:
    """The self space of a node."""

    def __init__(self, node, space, secret):
        self.node, self.me, self.space, self.secret = node, node.me, space, secret
        node.own = self
        self.peers = {}      # member -> peer
        self.devices = {one.device: one for one in self.me.identity.chain}
        self.spaces = {space: SELF, self.me.card: CARD}
        self.readers = {}    # epoch's id -> the keys of those who may read

    @classmethod
    def begin(cls, node):
        """The first device of a member: self and card space, and what stands there at once."""
        own = cls(node, fresh(16), None)
        epoch = node.open_epoch(own.space, own.receivings(own.space))
        own.secret = kdf(node.keys.keys[epoch.id], "kith sibling")  # OWN-1
        for space, kind in own.spaces.items():
            node.write(own.space, KIND_SPACE, space, {1: kind, 3: ON})
        node.write(own.space, KIND_KNOCK, fresh(16), {1: own.me.knock, 2: now_ms(),
                                                      4: own.me.device})
        node.write_certificate()
        return own

    def admit(self, ask):
        """OWN-6: certified by the root; EPOCH-8: a new epoch of self, for it as well."""
        node, me = self.node, self.me
        device, static, receiving = ask[:32], ask[32:64], ask[64:]
        certificate = me.certify(device, static, receiving)
        self.devices[device] = Certificate(certificate)
        node.write(me.card, KIND_CERTIFICATE, about("kith device", device), {1: certificate})
        for peer in self.peers.values():
            self.keep_keys(peer)
        node.open_epoch(self.space, self.receivings(self.space))
        node.commit()
        told = Welcome()
        told.member, told.pin, told.recovery = me.member, me.pin, me.recovery
        told.space, told.card, told.secret, told.knock = self.space, me.card, self.secret, me.knock
        told.identity, told.host = pack([me.member, me.pin, [certificate]]), me.identity.data
        told.addresses = node.addresses
        return told

    def keep_keys(self, peer):
        """OWN-9: what was wrapped for this device alone stands in self."""
        for epoch in self.node.keys.epochs.values():
            if epoch.space == peer.pair_in and epoch.id in self.node.keys.keys:
                self.node.write(self.space, KIND_KEY, epoch.id[:16], {
                    1: epoch.id, 2: epoch.space, 3: self.node.keys.keys[epoch.id]})

    # What is known.

    def writers(self, space):
        """The devices that may write in a space (SYNC-19)."""
        if space in self.spaces and not any(space in peer.spaces() for peer in self.peers.values()):
            return self.devices
        return next((peer.devices for peer in self.peers.values() if space in peer.spaces()), {})

    def objects(self, kind, space=None):
        found = self.node.objects.get(space or self.space, {})
        return [one for (at, _), one in found.items() if at == kind]

    def reread(self):
        """OWN-8: self makes the other spaces known, and opens them (KIND-3, key)."""
        before = None
        while before != len(self.node.keys.keys):
            before = len(self.node.keys.keys)
            self.read_space(self.space)
            for key in self.objects(KIND_KEY):
                self.node.keys.learn(key.value(1), key.value(3))
                if key.value(5):
                    self.readers[key.value(1)] = key.value(5)
            for one in self.objects(KIND_LINK):
                self.read_link(one)
            for (kind, space), one in list(self.node.objects[self.space].items()):
                if kind == KIND_SPACE:
                    self.spaces[space] = one.value(1)
            for space, kind in list(self.spaces.items()):
                if kind in (CARD, PAIR, NETWORK) and self.writers(space) is self.devices:
                    self.read_space(space)
            for one in self.objects(KIND_CERTIFICATE, self.me.card):
                self.hear_facts([one.value(1)])
            for peer in self.peers.values():
                self.node.reread(peer)

    def read_space(self, space):
        books = [book for (one, _), book in self.node.books.items() if one == space]
        for book in books:
            book.hear(self.me.receivings)
        self.node.objects[space] = read(books, self.node.keys)

    def read_link(self, link):
        if link.value(2) != LINKED:
            return
        peer = self.peers.setdefault(link.value(1), Peer(None))
        peer.member, peer.pin = link.value(1), link.value(7)
        peer.pair_out = link.value(8)
        peer.linked(link.value(5), link.value(11), link.value(9), link.value(10), link.value(14),
                    link.value(18) or b"")
        if link.value(19) and link.value(19) not in peer.networks:
            peer.networks.append(link.value(19))
        identity = Identity(link.value(17))
        for one in identity.chain:
            peer.devices[one.device] = one
        peer.static, peer.speaker = identity.last.static, identity.last.device
        self.spaces.update({one: PAIR for one in peer.spaces()})

    def hear_facts(self, statements):
        """FACT-1, OWN-5: of any member."""
        for statement in statements:
            one = Certificate(statement)
            devices = self.devices if one.member == self.me.member else \
                self.peers[one.member].devices
            if one.certifier == one.member or one.certifier in devices:
                devices[one.device] = one

    # Writing.

    def audience(self, space):
        """The members who may read a space and their devices."""
        keys = {self.me.member, *self.devices}
        for peer in self.peers.values():
            if space in (self.me.card, peer.pair_out):
                keys |= {peer.member, *peer.devices}
        return keys

    def salted(self, space):
        """EPOCH-3: the salt and the readers of an epoch that is opened today."""
        return fresh(16) + b"".join(sorted(self.audience(space)))

    def receivings(self, space):
        """EPOCH-4: whom the key of an epoch is wrapped for."""
        kind = self.spaces[space]
        if kind == CARD:
            return []
        devices = [*self.devices.values()]
        for peer in self.peers.values():
            if space == peer.pair_out:
                devices += peer.devices.values()
        return [self.me.recovery] + [one.receiving for one in devices]

    def choose(self, space):
        """EPOCH-6: the deepest epoch all of whose readers may read today, of several the least."""
        may, keys = self.audience(space), self.node.keys
        book = self.node.book(space, self.me.device)
        best = min((one for one in keys.epochs.values()
                    if one.space == space and one.id in keys.keys and one.id in self.readers and
                    self.split_readers(one.id) <= may),
                   key=lambda one: (-one.depth, one.id), default=None)
        if best is None:
            self.node.open_epoch(space, self.receivings(space))
        elif not book.named or book.named[-1] != best.id:
            self.node.append(space, 0, pack([2, best.id]))
            book.hear(self.me.receivings)
            self.node.chosen[space] = len(book.named)

    def split_readers(self, epoch_id):
        keys = self.readers[epoch_id][16:]
        return {keys[at:at + 32] for at in range(0, len(keys), 32)}

    def tell_key(self, epoch, salted):
        """KIND-3: the key stands in self, with the opening of its readers (EPOCH-3)."""
        self.readers[epoch.id] = salted
        self.node.write(self.space, KIND_KEY, epoch.id[:16], {
            1: epoch.id, 2: epoch.space, 3: self.node.keys.keys[epoch.id], 4: epoch.depth,
            5: salted, 6: b"".join(epoch.parents), 7: now_ms()})

    def meet(self, peer):
        """OWN-11: the pair space's id."""
        peer.pair_out = kdf(self.secret, "kith space", bytes([PAIR]) + peer.member)[:16]
        self.spaces[peer.pair_out] = PAIR
        self.peers[peer.member] = peer
        self.node.write(self.space, KIND_SPACE, peer.pair_out, {1: PAIR, 2: peer.member, 3: ON})

    def write_link(self, peer):
        self.node.write(self.space, KIND_LINK, about("kith link", peer.member), {
            1: peer.member, 2: LINKED, 3: INVITED, 4: now_ms(), 5: peer.secret, 7: peer.pin,
            8: peer.pair_out, 9: peer.pair_in, 10: peer.card_in, 11: peer.knock, 14: peer.name,
            17: peer.identity.data, 18: peer.addresses})
        self.spaces.update({one: PAIR for one in peer.spaces()})

    def add_contact(self, name, email):
        contact = now_ms().to_bytes(6, "big") + fresh(10)
        self.node.write(self.space, KIND_CONTACT, contact, {1: name, 11: now_ms()},
                        adds=[(20, email)])
        return contact

    def contacts(self):
        return {one.value(1): one.values(20) for one in self.objects(KIND_CONTACT)}
