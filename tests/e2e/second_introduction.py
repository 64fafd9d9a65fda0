"""Introductions (INTRO), as one of the two who are introduced."""
from second_keys import (Refused, digest, fresh, kdf, mac, seal, seal_open, sign, verify, x25519,
                         x25519_public)
from second_member import Identity, now_ms, open_statement
from second_pack import pack, unpack

KIND_INTRODUCTION = 70
OFFER, YES, RELEASE, HELLO, RELAY = 2, 3, 7, 9, 10


class Introduction:
    """What one offer has led to, on the side of whoever it was made to."""

    def __init__(self, node, introducer):
        self.node, self.peer = node, introducer
        self.secret = fresh()
        self.bond = self.other = None

    def heard(self, kind):
        """(body, hash) of what the introducer said of this type."""
        for one in self.node.said(self.peer, KIND_INTRODUCTION):
            member, body = open_statement("kith intro", one.value(1))
            fields = unpack(body)
            if fields[0] == kind and fields[2] == self.node.me.member and \
                    member == self.peer.member:
                return fields, digest("kith statement", one.value(1))
        return None

    def say(self, kind, *rest):
        """INTRO-1 to INTRO-3"""
        said = self.node.me.state("kith intro", [kind, self.id, self.peer.member, *rest])
        self.node.write_statement(self.peer.pair_out, KIND_INTRODUCTION, said)
        return digest("kith statement", said)

    def accept(self):
        """INTRO-4, INTRO-6: yes, to the offer by its hash."""
        (_, self.id, _, *_), self.offer = self.heard(OFFER)
        self.key = kdf(self.secret, "kith intro xid")
        self.ephemeral = kdf(self.secret, "kith intro eph", self.peer.member + self.id)
        key = self.node.me.state_root("kith intro key", [1, x25519_public(self.key), now_ms()])
        self.yes = self.say(YES, self.offer, key, x25519_public(self.ephemeral))

    def released(self):
        """INTRO-8, INTRO-11: the bond between the two, and hello under it."""
        (*_, theirs, my_yes, my_offer, their_offer, _), _ = self.heard(RELEASE)
        if my_yes != self.yes or my_offer != self.offer:
            raise Refused("a release of something else")
        self.other, body = open_statement("kith intro", theirs)
        kind, same, reader, offer, key, ephemeral = unpack(body)
        signer, stated = open_statement("kith intro key", key)
        if (kind, same, reader, offer, signer) != (YES, self.id, self.peer.member, their_offer,
                                                   self.other):
            raise Refused("another's yes")
        mine = [self.node.me.member, self.offer, self.yes]
        lower, higher = sorted([mine, [self.other, offer, digest("kith statement", theirs)]])
        self.t = digest("kith transcript", self.id + self.peer.member + lower[1] + higher[1] +
                        lower[2] + higher[2])
        crossed = [x25519(self.ephemeral, unpack(stated)[1]), x25519(self.key, ephemeral)]
        if lower is not mine:
            crossed.reverse()
        ss = x25519(self.ephemeral, ephemeral) + b"".join(crossed)
        self.bond = kdf(digest("kith intro ss", ss), "kith intro bond", self.t)

    def proof(self, sender, content):
        """INTRO-13: what only the two can compute."""
        return mac(32, kdf(self.bond, "kith hello sign", sender), "kith hello", self.t + content)

    def greet(self, pair_space):
        """INTRO-12"""
        me = self.node.me
        content = pack([me.identity.data, pair_space, me.card, me.knock, b"", me.name,
                        "Glad to meet you", False])
        signature = sign(me.signing, "kith hello", self.proof(me.member, content))
        self.say(HELLO, seal(kdf(self.bond, "kith hello key", me.member), self.t,
                             pack([content, signature])))

    def meet(self, peer):
        """INTRO-14: the other's hello makes the link."""
        (*_, sealed), _ = self.heard(RELAY)
        content, signature = unpack(seal_open(kdf(self.bond, "kith hello key", self.other), self.t,
                                              sealed))
        data, pair, card, knock, addresses, name, line, _ = unpack(content)
        identity = Identity(data)
        verify(identity.last.device, "kith hello", self.proof(self.other, content), signature)
        peer.static = identity.last.static
        peer.meet(data)
        peer.linked(kdf(self.bond, "kith intro pair"), knock, pair, card, name, addresses)
        return line
