"""The knock and the handshake (KNOCK, HANDSHAKE): Noise XKpsk3, from both sides."""
import hashlib
import hmac

from second_keys import Refused, aead, aead_open, fresh, mac, u16, x25519, x25519_public

NAME = b"Noise_XKpsk3_25519_ChaChaPoly_SHA256"
CIPHER = "chacha20poly1305"
VERSION = b"\x01"


class Closed(Exception):
    """The other side has closed the connection."""


def read(sock, size):
    data = b""
    while len(data) < size:
        try:
            piece = sock.recv(size - len(data))
        except OSError as why:
            raise Closed() from why
        if not piece:
            raise Closed()
        data += piece
    return data


class Cipher:
    """A key with its counter (Noise 5.1)."""

    def __init__(self, key):
        self.key, self.count = key, 0

    def nonce(self):
        self.count += 1
        return bytes(4) + (self.count - 1).to_bytes(8, "little")

    def seal(self, context, plain):
        return aead(CIPHER, self.key, self.nonce(), context, plain)

    def open(self, context, sealed):
        return aead_open(CIPHER, self.key, self.nonce(), context, sealed)

    def rekey(self):
        self.key = aead(CIPHER, self.key, bytes(4) + b"\xff" * 8, b"", bytes(32))[:32]


class Symmetric:
    """The symmetric state of Noise 5.2."""

    def __init__(self):
        self.hash = self.chain = hashlib.sha256(NAME).digest()
        self.cipher = None
        self.mix_hash(b"kith" + VERSION)

    def mix_hash(self, data):
        self.hash = hashlib.sha256(self.hash + data).digest()

    def derive(self, data, count):
        secret = hmac.digest(self.chain, data, "sha256")
        parts = [b""]
        for at in range(count):
            parts.append(hmac.digest(secret, parts[-1] + bytes([at + 1]), "sha256"))
        return parts[1:]

    def mix_key(self, data):
        self.chain, key = self.derive(data, 2)
        self.cipher = Cipher(key)

    def mix_psk(self, psk):
        self.chain, middle, key = self.derive(psk, 3)
        self.mix_hash(middle)
        self.cipher = Cipher(key)

    def seal(self, plain):
        sealed = self.cipher.seal(self.hash, plain)
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed):
        plain = self.cipher.open(self.hash, sealed)
        self.mix_hash(sealed)
        return plain


class Shaken:
    """What a handshake leaves: keys, its hash, and what the other side showed of itself."""

    def __init__(self, noise, is_caller, static=None, content=b""):
        keys = list(map(Cipher, noise.derive(b"", 2)))
        self.out, self.back = keys if is_caller else reversed(keys)
        self.hash, self.static, self.content = noise.hash, static, content


def begin(there, public):
    noise = Symmetric()
    noise.mix_hash(there)
    noise.mix_hash(public)
    noise.mix_key(public)
    return noise


def call(sock, door, static, content):
    """door: knock key, selector, psk, static key of the one called."""
    knock, selector, psk, there = door
    own = fresh()
    public = x25519_public(own)
    noise = begin(there, public)
    noise.mix_key(x25519(own, there))
    head = VERSION + selector + public
    sock.sendall(mac(16, knock, "kith knock", head) + head + noise.seal(bytes(183)))
    answered = read(sock, 256)
    other = answered[:32]
    noise.mix_hash(other)
    noise.mix_key(other)
    noise.mix_key(x25519(own, other))
    if noise.open(answered[32:]) != bytes(208):
        raise Refused("the payload of message 2")
    sealed = noise.seal(x25519_public(static))
    noise.mix_key(x25519(static, other))
    noise.mix_psk(psk)
    room = (1792 if content else 256) - 2 - 48 - 16
    sealed += noise.seal((u16(len(content)) + content).ljust(room, b"\0"))
    sock.sendall(u16(len(sealed)) + sealed)
    return Shaken(noise, True)


def answer(sock, doors, static):
    """doors: (knock key, function from the caller's static key to a psk); KNOCK-2, HANDSHAKE-4."""
    first = read(sock, 256)
    psk_of = [psk for knock, psk in doors
              if mac(16, knock, "kith knock", first[16:57]) == first[:16]]
    if not psk_of or first[16:17] != VERSION:
        raise Refused("a knock")
    other = first[25:57]
    noise = begin(x25519_public(static), other)
    noise.mix_key(x25519(static, other))
    if noise.open(first[57:]) != bytes(183):
        raise Refused("the payload of message 1")
    own = fresh()
    public = x25519_public(own)
    noise.mix_hash(public)
    noise.mix_key(public)
    noise.mix_key(x25519(own, other))
    sock.sendall(public + noise.seal(bytes(208)))
    size = int.from_bytes(read(sock, 2), "big")
    if size not in (256 - 2, 1792 - 2):
        raise Refused("the size of message 3")
    third = read(sock, size)
    there = noise.open(third[:48])
    noise.mix_key(x25519(own, there))
    noise.mix_psk(psk_of[0](there))
    payload = noise.open(third[48:])
    end = 2 + int.from_bytes(payload[:2], "big")
    return Shaken(noise, False, there, payload[2:end])
