"""What is said in a pair space: shared contacts (SHARE), asks (ASK), and letters that answer them
(LETTER, REPLY)."""
from second_keys import (Refused, about, digest, ed25519_public, fresh, kdf, mac, sign, verify,
                         wrap_open, x25519_public)
from second_member import now_ms, open_statement
from second_pack import pack, unpack

KIND_PASS, KIND_REPLY, KIND_SHARE = 80, 85, 90
LEAD = 1
DAY_MS = 24 * 3600 * 1000


def statement_hash(data):
    """STATEMENT-3"""
    return digest("kith statement", data)


def share(node, peer, name, email):
    """SHARE-1, SHARE-3"""
    body = pack([1, name, "", "", "", False, [email], [], [], [], "as agreed", now_ms() // 1000])
    node.write(peer.pair_out, KIND_SHARE, about("kith share", peer.pair_out + fresh(16)),
               {1: body})


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
        node.write(peer.pair_out, KIND_PASS, statement_hash(data)[:16], {1: data},
                   expiry=self.expires // 1000)
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
