"""Devices of one member (OWN): the self space, and what it makes known to each of them."""
import unicodedata

from second_fork import (CARD, FORKED, KIND_CERTIFICATE, KIND_KEEP, KIND_RETIRE, PAIR, STOLEN,
                         Fact)
from second_keys import about, did, digest, fresh, kdf, x25519
from second_member import Certificate, Identity, Welcome, now_ms
from second_node import KIND_CARD, KIND_DOOR, KIND_ENDORSEMENT, NOBODY, Peer
from second_object import edits_of, forgotten, read
from second_pack import pack, unpack
from second_restate import restate
from second_session import FACTS

KIND_CONTACT, KIND_LINK, KIND_KEY, KIND_SPACE, KIND_KNOCK = 10, 11, 13, 14, 15
KIND_CIRCLE, KIND_CLOSENESS = 17, 20
SELF, NETWORK = 1, 4
LINKED, REMOVED, INVITED, COMPARED = 1, 2, 1, 3


LETTERS = str.maketrans(dict(zip(
    "æðøþđħıĸłŋœŧƀƒƙƚƴƶǝǥȷɇɉɍɏɓɔɖɗəɛɣɨɲʋ\u02bb\u02bc\u2010\u2013\u2018\u2019",
    "ae d o th d h i k l n oe t b f k l y z e g j e j r y b o d d e e g i n v ' ' - - ' '"
    .split())))
# Of what Unicode lets be ignored: what is neither a mark nor a letter of a language.
IGNORED = {0xad, 0x34f, 0x61c, 0x180e, 0xfeff, *range(0x200b, 0x2010), *range(0x202a, 0x202f),
           *range(0x2060, 0x2070), *range(0xfff0, 0xfff9)}


def fold(text):
    """FOLD-1"""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    text = "".join(one for one in text if ord(one) not in IGNORED
                   and not unicodedata.category(one).startswith("M"))
    text = unicodedata.normalize("NFC", text).translate(LETTERS)
    return " ".join("".join(" " if unicodedata.category(one) in ("Cc", "Zs", "Zl", "Zp") else one
                            for one in text).split())


class Sibling:
    """Another device of my member, as a session sees it."""

    knock = None  # That of OWN-2, where those that were drawn count no more.

    def __init__(self, own, device, address=None):
        certificate = own.devices[device]
        self.own, self.member, self.static = own, own.me.member, certificate.static
        self.speaker, self.retired, self.keeps = device, own.retired, own.keeps
        self.secret, self.address = own.secret, address

    @property
    def devices(self):
        """HANDSHAKE-10: this one, and whoever has followed it."""
        device, chain = self.speaker, {}
        while device in self.own.devices and device not in chain:
            chain[device] = self.own.devices[device]
            device = self.own.successors.get(device)
        return chain

    def kind_of(self, space):
        return self.own.spaces[space]

    def door(self):
        """OWN-1, OWN-2"""
        return self.knock or self.own.me.knock, fresh(8), self.secret, self.static

    def split(self, logs, _):
        """OWN-5, SYNC-2: each of the two digests covers all."""
        shared = [log for log in logs if log.space in self.own.spaces]
        return shared, shared

    def knows(self, space, device):
        return device in self.own.writers(space)

    def reads(self, space, _):
        return space in self.own.spaces

    def shares(self, *_):
        return True

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
        self.retired, self.successors = {}, {}  # device -> the reason, and who follows it
        self.keeps = {}      # (space, device) -> size and hash of what counts
        self.told = {}       # space that a peer writes -> who
        self.readers = {}    # epoch's id -> the keys of those who may read

    @classmethod
    def begin(cls, node):
        """The first device of a member: self and card space, and what stands there at once."""
        own = cls(node, fresh(16), None)
        epoch = node.open_epoch(own.space, own.receivings(own.space))
        own.secret = kdf(node.keys.keys[epoch.id], "kith sibling")  # OWN-1
        for space, kind in own.spaces.items():
            node.write(own.space, KIND_SPACE, space, {1: kind})
        own.tell_knock()
        node.write_certificate()
        return own

    def admit(self, ask):
        """OWN-6: certified by the root; EPOCH-8: a new epoch of self, for it as well."""
        node, me = self.node, self.me
        _, device, static, receiving, name = unpack(ask)  # WELCOME-1
        certificate = me.certify(device, static, receiving, name)
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
        if space in self.told:
            return self.devices_of(self.told[space])
        return self.devices if space in self.spaces else {}

    def devices_of(self, member):
        return self.peers[member].devices if member in self.peers else {}

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
            for card in self.objects(KIND_CARD, self.me.card):
                self.me.name = card.value(1)
            for peer in self.peers.values():
                self.node.reread(peer)

    def read_space(self, space):
        books = self.node.books_of(space) + [
            book for (one, _), (book, _) in self.node.forks.returns.items() if one == space]
        for book in books:
            book.hear(self.me.receivings)
        self.node.objects[space] = read(books, self.node.keys)

    def read_link(self, link):
        if link.value(2) != LINKED:
            self.peers.pop(link.value(1), None)
            return
        peer = self.peers.setdefault(link.value(1), Peer(None))
        peer.own, peer.member, peer.pin = self, link.value(1), link.value(7)
        peer.pair_out = link.value(8)
        peer.linked(link.value(5), link.value(11), link.value(9), link.value(10), link.value(14),
                    link.value(18) or b"")
        identity = Identity(link.value(17))
        for one in identity.chain:
            peer.devices[one.device] = one
        peer.static, peer.speaker = identity.last.static, identity.last.device
        self.tell_spaces(peer)

    def tell_spaces(self, peer):
        for space in peer.spaces():
            self.spaces[space] = PAIR if space == peer.pair_in else CARD
            self.told[space] = peer.member

    def hear_facts(self, statements):
        """FACT-1, OWN-5: of any member."""
        for fact in map(Fact, statements):
            one, body = fact.certificate, fact.body
            is_mine = fact.member == self.me.member
            devices = self.devices if is_mine else self.devices_of(fact.member)
            if one and (one.certifier == one.member or one.certifier in devices):
                devices[one.device] = one
            elif fact.is_retire and is_mine:
                self.retired[body[0]] = body[2]
                self.successors[body[0]] = body[1]
            elif fact.is_keep and is_mine:
                self.keeps[tuple(body[:2])] = body[2:4]

    def tell_writer(self, session, device):
        """FACT-1: the certificates of another device of mine, before what it wrote."""
        chain = []
        while device != self.me.device and device in self.devices:
            chain.insert(0, self.devices[device].statement)
            device = self.devices[device].certifier
        if chain:
            session.say(FACTS, chain)

    # Writing.

    def good(self):
        """The devices that were not shut out."""
        return {device: one for device, one in self.devices.items()
                if self.retired.get(device, FORKED) == FORKED}

    def audience(self, space):
        """The members who may read a space and their devices."""
        keys = {self.me.member, *self.good()}
        for peer in self.peers.values():
            if space in peer.readable(self.me):
                keys |= {peer.member, *peer.devices}
        return keys

    def salted(self, space):
        """EPOCH-3: the salt and the readers of an epoch that is opened today."""
        return fresh(16) + b"".join(sorted(self.audience(space)))

    def receivings(self, space):
        """EPOCH-4: whom the key of an epoch is wrapped for."""
        kind = self.spaces[space]
        if kind in (CARD, NETWORK):
            return []
        devices = [*self.good().values()]
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
                    self.retired.get(one.opener) != STOLEN and  # STOLEN-3
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
        self.spaces[peer.pair_out], peer.own = PAIR, self
        self.peers[peer.member] = peer
        self.node.write(self.space, KIND_SPACE, peer.pair_out, {1: PAIR, 2: peer.member})

    def write_link(self, peer):
        self.node.write(self.space, KIND_LINK, about("kith link", peer.member), {
            1: peer.member, 2: LINKED, 3: INVITED, 4: now_ms(), 5: peer.secret, 7: peer.pin,
            8: peer.pair_out, 9: peer.pair_in, 10: peer.card_in, 11: peer.knock, 14: peer.name,
            17: peer.identity.data, 18: peer.addresses})
        self.tell_spaces(peer)

    def knock_between(self):
        """OWN-2: while none of them is shut out."""
        return kdf(self.secret, "kith own knock")

    def knock_with(self, static):
        """OWN-12: that which I have with the one of this static key."""
        return kdf(x25519(self.me.static, static), "kith mutual", self.secret)

    def knocks(self):
        """OWN-2, OWN-12: what own devices may knock with, beside those that were drawn."""
        between = [] if set(self.retired.values()) - {FORKED} else [self.knock_between()]
        return between + [self.knock_with(one.static) for one in self.devices.values()
                          if self.retired.get(one.device, FORKED) == FORKED]

    def network(self):
        """OWN-11: the id of the member's network space."""
        return kdf(self.secret, "kith space", bytes([NETWORK]))[:16]

    def turn_network(self, is_on):
        """NETWORK-1 to NETWORK-3, SELF-2, SELF-3: all peers are let in, and told its key."""
        node, space = self.node, self.network()
        node.write(self.space, KIND_SPACE, space, {1: NETWORK, 3: 1 if is_on else 2})
        self.spaces[space] = NETWORK
        for peer in self.peers.values():
            peer.network = space if is_on else None
        for peer in self.peers.values() if is_on else ():
            self.let_in(peer)

    def let_in(self, peer):
        peer.network = self.network()
        self.node.grant(peer, NETWORK, self.node.current(peer.network))
        self.node.write(self.space, KIND_LINK, about("kith link", peer.member), {19: 1})

    def let_in_anew(self, peer):
        """RESTATE-6, RESTATE-7: what it could read and holds no more is left out; all who read hear
        of the epoch."""
        peer.network = self.network()
        epoch = restate(self.node, peer.network)
        for one in self.peers.values():
            if one.network:
                self.node.grant(one, NETWORK, epoch)
        self.node.write(self.space, KIND_LINK, about("kith link", peer.member), {19: 1})

    def let_out(self, peer):
        """NETWORK-3, EPOCH-9: an epoch without this one, and a knock."""
        node, space, peer.network = self.node, peer.network, None
        node.write(self.space, KIND_LINK, about("kith link", peer.member), {19: 0})
        epoch = node.open_epoch(space, [])
        self.me.knock = fresh()
        self.tell_knock()
        for one in self.peers.values():
            if one.network:
                node.grant(one, NETWORK, epoch)

    @staticmethod
    def quote_id(shown):
        """STATEMENT-3"""
        return digest("kith statement", shown.value(1))[:16]

    def quote(self, shown, expiry=0):
        """QUOTE-2: an endorsement and its show, as they stand in the card of their subject."""
        self.node.write(self.network(), KIND_ENDORSEMENT, self.quote_id(shown),
                        {1: shown.value(1), 2: shown.value(2)}, expiry)

    def tell_knock(self):
        """KNOCK-4, SELF-4: by the door, and to the own devices."""
        node, card = self.node, self.me.card
        node.write(card, KIND_DOOR, NOBODY, {1: self.me.knock})
        node.write(self.space, KIND_KNOCK, fresh(16), {
            1: self.me.knock, 2: now_ms(), 3: node.book(card, self.me.device).log.size(),
            4: self.me.device, 5: 1})

    def end(self, device, reason, state):
        """RETIRE-1, RETIRE-2: the spaces of the member, with a keep in each."""
        node, me = self.node, self.me
        self.retired[device], self.successors[device] = reason, b""
        statements = [state("kith retire", [device, b"", reason, now_ms()])]
        node.write_statement(me.card, KIND_RETIRE, statements[0])
        spaces = [space for space in self.spaces if space not in self.told]
        for space in spaces:
            log = node.book(space, device).log
            keep = state("kith keep", [space, device, log.size(), log.tip(),
                                       log.heads.get(log.size(), b"")])
            node.write_statement(space, KIND_KEEP, keep)
            statements.append(keep)
        node.forks.facts[device] = [self.devices[device].statement, *statements]
        return spaces

    def shut_out(self, device, reason):
        """STOLEN-5, STOLEN-6: by the root."""
        node, me = self.node, self.me
        spaces = self.end(device, reason, me.state_root)
        for space in spaces:
            node.open_epoch(space, self.receivings(space))
        me.knock = fresh()
        self.tell_knock()
        for one in self.peers.values():
            node.grant(one, CARD, node.current(me.card))

    def remove(self, peer):
        """EPOCH-9: what is written from now on is for those who are left, who knock anew."""
        node, me = self.node, self.me
        del self.peers[peer.member]
        node.write(self.space, KIND_LINK, about("kith link", peer.member),
                   {2: REMOVED, 4: now_ms()})
        epoch = node.open_epoch(me.card, [])
        me.knock = fresh()
        self.tell_knock()
        for one in self.peers.values():
            node.grant(one, CARD, epoch)

    def add_contact(self, name, email, expiry=0):
        contact = now_ms().to_bytes(6, "big") + fresh(10)
        self.node.write(self.space, KIND_CONTACT, contact, {1: name, 11: now_ms()}, expiry,
                        adds=[(20, email)])

    def contact(self, name):
        return next(at for (kind, at), one in self.node.objects[self.space].items()
                    if kind == KIND_CONTACT and one.value(1) == name)

    def drop_forgotten(self):
        """FORGET-2: the places of what is forgotten in self; its payloads are gone."""
        named = {place[:2] for place in forgotten(edits_of(self.node.books_of(self.space)))}
        for device, seq in named:
            self.node.books[(self.space, device)].log.entry(seq).payload = None
        return named

    def say_near(self, member, level):
        """KIND-3, closeness"""
        self.node.write(self.space, KIND_CLOSENESS, about("kith closeness", member),
                        {1: did(member), 2: level})

    def near(self, member):
        found = self.node.objects[self.space].get((KIND_CLOSENESS,
                                                   about("kith closeness", member)))
        return found and found.value(2)

    def add_to_circle(self, name, member):
        """KIND-3: its id comes from the folded name."""
        circle = about("kith circle", digest("kith circle name", fold(name).encode()))
        self.node.write(self.space, KIND_CIRCLE, circle, {1: name.strip()}, adds=[(20, member)])

    def contacts(self):
        return {one.value(1): one.values(20) for one in self.objects(KIND_CONTACT)}
