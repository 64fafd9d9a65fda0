"""Members, their devices and what they sign: certificates, identities, statements, invitations
(KEYS, CERT, STATEMENT, INVITE)."""
import base64
import ipaddress
import time

from second_keys import (Refused, digest, ed25519_public, fresh, kdf, mac, sign, u16, u32, verify,
                         x25519_public)
from second_pack import pack, unpack


def now_ms():
    return int(time.time() * 1000)


class Certificate:
    """CERT-1"""

    def __init__(self, statement):
        self.statement = statement
        body, signature = unpack(statement)
        (self.form, self.member, self.device, self.static, self.receiving, self.made, self.name,
         self.certifier) = unpack(body)
        verify(self.certifier, "kith cert", body, signature)


class Identity:
    """CERT-4: a member, the hash of root 1, and the certificates that lead to a device."""

    def __init__(self, data):
        self.data = data
        self.member, self.pin, statements = unpack(data)
        self.chain = [Certificate(one) for one in statements]
        by = self.member
        for one in self.chain:  # CERT-3
            if one.certifier != by or one.member != self.member:
                raise Refused("a chain of certificates")
            by = one.device
        self.last = self.chain[-1]


class Self:
    """A member with one device, and all its secrets."""

    def __init__(self, name):
        seed = fresh()
        roots = [kdf(seed, "kith root", u32(n)) for n in range(2)]  # KEYS-2
        self.name = name
        self.root_secret, self.member = roots[0], ed25519_public(roots[0])
        self.recovery = x25519_public(kdf(seed, "kith recovery"))  # KEYS-4
        self.pin = digest("kith next root", ed25519_public(roots[1]))
        self.knock = fresh()
        self.card = fresh(16)
        self.receivings, self.certificates = [], {}  # RETIRE-9: of all my devices
        self.take_device(fresh(), fresh(), fresh())

    def take_device(self, signing, static, receiving):
        """KEYS-5, certified by the root."""
        self.signing, self.static = signing, static
        self.receivings.append(receiving)
        self.device = ed25519_public(signing)
        self.certificate = self.certify(self.device, x25519_public(static),
                                        x25519_public(receiving))
        self.certificates[self.device] = self.certificate
        self.identity = Identity(pack([self.member, self.pin, [self.certificate]]))

    def certify(self, device, static, receiving, name="second"):
        """CERT-1, by the root."""
        body = pack([1, self.member, device, static, receiving, now_ms(), name, self.member])
        return pack([body, sign(self.root_secret, "kith cert", body)])

    def succeed(self, session):
        """RETIRE-7: keys that follow from no older one, and from the session with the proof."""
        self.take_device(*(kdf(fresh(), "kith successor", session) for _ in range(3)))

    def state(self, label, body):
        """STATEMENT-1, STATEMENT-2: by the device."""
        signer, body = self.identity.data, pack(body)
        return pack([signer, body, sign(self.signing, label, u16(len(signer)) + signer + body)])

    def state_own(self, label, body):
        """RETIRE-4: about my devices."""
        return self.state_root(label, body)

    def state_root(self, label, body):
        """The same by root 0."""
        signer, body = self.member, pack(body)
        return pack([signer, body,
                     sign(self.root_secret, label, u16(len(signer)) + signer + body)])


class Welcome:
    """WELCOME-2: what a new device is told."""

    FIELDS = ("member", "pin", "recovery", "space", "card", "secret", "knock", "identity", "host",
              "addresses")

    @classmethod
    def read(cls, data):
        """WELCOME-4"""
        told, (form, *fields) = cls(), unpack(data)
        if form != 1 or len(data) > 3364:
            raise Refused("a welcome of another form")
        for name, value in zip(cls.FIELDS, fields, strict=True):
            setattr(told, name, value)
        return told

    def wire(self):
        return pack([1, *(getattr(self, name) for name in self.FIELDS)])


class Further(Self):
    """A further device of a member: with keys of its own, and without the root."""

    root_secret = None

    def __init__(self):  # pylint: disable=super-init-not-called
        self.signing, self.static = fresh(), fresh()
        self.receivings, self.certificates = [fresh()], {}
        self.device = ed25519_public(self.signing)

    def ask(self):
        """WELCOME-1"""
        return pack([1, self.device, x25519_public(self.static),
                     x25519_public(self.receivings[0]), "second"])

    def welcomed(self, told):
        """WELCOME-3"""
        last = Identity(told.identity).last
        if {Identity(told.host).member, last.member} != {told.member} or \
                (last.device, last.static) != (self.device, x25519_public(self.static)) or \
                last.receiving != x25519_public(self.receivings[0]):
            raise Refused("a welcome for somebody else")
        self.member, self.pin, self.recovery = told.member, told.pin, told.recovery
        self.card, self.knock = told.card, told.knock
        self.identity = Identity(told.identity)
        self.certificate = self.identity.last.statement
        self.certificates[self.device] = self.certificate

    def succeed(self, session):
        """RETIRE-7, RETIRE-12: certified by the device before, by form 2."""
        before, by = self.signing, self.device
        self.signing, self.static, receiving = (kdf(fresh(), "kith successor", session)
                                                for _ in range(3))
        self.receivings.append(receiving)
        self.device = ed25519_public(self.signing)
        body = pack([2, self.member, self.device, x25519_public(self.static),
                     x25519_public(receiving), now_ms(), "second", by])
        self.certificate = pack([body, sign(before, "kith cert", body)])
        self.certificates[self.device] = self.certificate
        chain = [one.statement for one in self.identity.chain]
        self.identity = Identity(pack([self.member, self.pin, [*chain, self.certificate]]))

    def state_own(self, label, body):
        return self.state(label, body)


def open_statement(label, statement):
    """(member, body) of a statement that is signed as it says."""
    signer, body, signature = unpack(statement)
    key, member = signer, signer
    if len(signer) != 32:
        identity = Identity(signer)
        key, member = identity.last.device, identity.member
    verify(key, label, u16(len(signer)) + signer + body, signature)
    return member, body


def read_addresses(data):
    """INVITE-2, one after the other."""
    addresses, at = [], 0
    while at < len(data):
        size = {4: 4, 6: 16}[data[at]]
        host = ipaddress.ip_address(data[at + 1:at + 1 + size])
        at += 3 + size
        addresses.append((str(host), int.from_bytes(data[at - 2:at], "big")))
    return addresses


def door_of(secret):
    """KNOCK-3: knock key, selector, psk."""
    root = digest("kith invitation", secret)
    return (kdf(root, "kith inv knock"), mac(8, root, "kith selector"),
            kdf(root, "kith inv psk"))


def packed_address(host, port):
    return b"\x04" + ipaddress.ip_address(host).packed + u16(port)


def invite(static, secret, address, hint):
    """INVITE-1: for a week, at one address."""
    hours = int(time.time()) // 3600 + 7 * 24
    data = x25519_public(static) + secret + u32(hours) + b"\x01" + address + \
        bytes([len(hint)]) + hint.encode()
    data += digest("kith invite", data)[:4]
    return "kith:1" + base64.b32encode(data).decode().rstrip("=").lower()


class Invitation:
    """INVITE-1, read, and the door it opens."""

    def __init__(self, text):
        text = "".join(text.split()).upper()
        if not text.startswith("KITH:1"):
            raise Refused("another version of invitation")
        text = text[6:]
        data = base64.b32decode(text + "=" * (-len(text) % 8))
        if digest("kith invite", data[:-4])[:4] != data[-4:]:
            raise Refused("the checksum of an invitation")
        at = 53
        for _ in range(data[52]):
            at += {4: 7, 6: 19}[data[at]]
        self.static, self.secret = data[:32], data[32:48]
        self.addresses = read_addresses(data[53:at])
        self.hint = data[at + 1:at + 1 + data[at]].decode()
        self.door = (*door_of(data[32:48]), self.static)
