"""What is said in a pair space: shared contacts (SHARE), asks (ASK), and letters that answer them
(LETTER, REPLY)."""
from second_keys import (Refused, about, digest, ed25519_public, fresh, kdf, mac, sign, verify,
                         wrap_open, x25519_public)
from second_member import now_ms, open_statement
from second_pack import pack, unpack

KIND_PASS, KIND_REPLY, KIND_SHARE = 80, 85, 90
LEAD = 1
DAY_MS = 24 * 3600 * 1000


def say(node, peer, kind, data, expires):
    """STATEMENT-3, of bytes; the entry expires in the second in which the ask does."""
    node.write(peer.pair_out, kind, about("kith statement", data), {1: data},
               expiry=expires // 1000)


def share(node, peer, name, email, expiry=0):
    """SHARE-1, SHARE-3"""
    body = pack([1, name, "", "", "", False, [email], [], [], [], "as agreed", now_ms() // 1000])
    share_id = about("kith share", peer.pair_out + fresh(16))
    node.write(peer.pair_out, KIND_SHARE, share_id, {1: body}, expiry)
    return share_id


class Ask:
    """ASK-1 to ASK-5: an ask of mine, named at every hop."""

    def __init__(self, node, title, text):
        self.secret, self.reply = fresh(), fresh()
        self.a0, salt, now = ed25519_public(self.secret), fresh(), now_ms()
        self.expires = now + 7 * DAY_MS
        self.body = pack([1, 1, title, text, ["wood"], 2, 1, now, self.expires, self.a0,
                          x25519_public(self.reply), "", b"",
                          digest("kith ask commit", salt + node.me.member)])
        self.hash = digest("kith ask", self.a0 + digest("kith ask body", self.body))
        self.author = salt + node.me.state("kith ask author", [self.hash, node.me.name])

    def pass_to(self, node, peer, line):
        """ASK-4, ASK-5: the first link, by A0."""
        seed = kdf(self.secret, "kith ask grant", peer.member)
        salt = kdf(self.secret, "kith ask salt", peer.member)
        grant, tag = ed25519_public(seed), mac(16, salt, "kith ask tag", peer.member)
        signature = sign(self.secret, "kith ask link", self.hash + b"\x01" + grant + tag)
        data = pack([1, self.body, self.author, [[grant, tag, signature]], seed, salt, line])
        say(node, peer, KIND_PASS, data, self.expires)
        return grant

    def read_reply(self, data):
        """LETTER-1 to LETTER-4, REPLY-3: (grant, kind, text, name)."""
        grant, letter = unpack(data)
        if len(letter) not in (1024, 4096, 16384):
            raise Refused("the size of a letter")
        plain = wrap_open(self.reply, letter)
        end = 2 + int.from_bytes(plain[:2], "big")
        content, signature, proof = unpack(plain[2:end])
        if any(plain[end:]):
            raise Refused("the padding of a letter")
        _, ask, kind, _, thread, _, _, text, name, _ = unpack(content)
        verify(thread, "kith letter", content, signature)
        member = None
        if proof:
            member, said = open_statement("kith letter by", proof)
            if said != digest("kith letter by", content):
                raise Refused("the proof of a letter")
        if ask != self.hash:
            raise Refused("a letter to another ask")
        return grant, kind, text, name, member


class Passed:
    """ASK-7: a pass that counts, and what can be done with it."""

    def __init__(self, node, data):
        self.node = node
        form, self.body, self.author, self.links, self.secret, salt, self.line = unpack(data)
        (_, _, self.title, _, _, self.hops, _, _, self.expires, a0, _, _, _, commit) = \
            unpack(self.body)
        self.hash = digest("kith ask", a0 + digest("kith ask body", self.body))
        by = a0
        for depth, (grant, tag, signature) in enumerate(self.links, 1):
            verify(by, "kith ask link", self.hash + bytes([depth]) + grant + tag, signature)
            by = grant
        member, said = open_statement("kith ask author", self.author[32:])
        self.writer, (of, self.name) = member, unpack(said)
        if form != 1 or tag != mac(16, salt, "kith ask tag", node.me.member) or \
                ed25519_public(self.secret) != by or of != self.hash or \
                commit != digest("kith ask commit", self.author[:32] + member):
            raise Refused("a pass")

    def pass_on(self, peer, line):
        """ASK-4, ASK-8: one link more, by the grant before it."""
        seed = kdf(self.secret, "kith ask grant", peer.member)
        salt = kdf(self.secret, "kith ask salt", peer.member)
        grant, tag = ed25519_public(seed), mac(16, salt, "kith ask tag", peer.member)
        signed = self.hash + bytes([len(self.links) + 1]) + grant + tag
        link = [grant, tag, sign(self.secret, "kith ask link", signed)]
        data = pack([1, self.body, self.author, [*self.links, link], seed, salt, line])
        say(self.node, peer, KIND_PASS, data, self.expires)
        return grant

    def carry(self, peer, reply, grant):
        """REPLY-6: the same letter under the grant by which the ask came."""
        given, letter = unpack(reply)
        if given != grant:
            raise Refused("a reply under another grant")
        say(self.node, peer, KIND_REPLY, pack([ed25519_public(self.secret), letter]), self.expires)
