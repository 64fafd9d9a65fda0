"""The knock, the handshake and the channel's frames (KNOCK, HANDSHAKE, CHANNEL, FRAME), as the one
who calls."""
import hashlib
import hmac
import socket

from second_keys import (Refused, aead, aead_open, fresh, mac, u16, u32, x25519,
                         x25519_public)

NAME = b"Noise_XKpsk3_25519_ChaChaPoly_SHA256"
CIPHER = "chacha20poly1305"
VERSION = b"\x01"
SIZES = (256, 512, 1024, 4096, 16384)
LAST, REKEY = 1, 2


class Closed(Exception):
    """The other side has closed the connection."""


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


class Channel:
    """A connection whose two sides have proved who they are."""

    def __init__(self, address, door, static, content=b""):
        """door: (knock key, selector, psk, static key of the one called)."""
        self.socket = socket.create_connection(address, timeout=20)
        self.incoming = b""
        self.is_ended = False
        self.shake(door, static, content)

    def shake(self, door, static, content):
        knock, selector, psk, there = door
        noise = Symmetric()
        noise.mix_hash(there)
        own = fresh()
        public = x25519_public(own)
        noise.mix_hash(public)
        noise.mix_key(public)
        noise.mix_key(x25519(own, there))
        head = VERSION + selector + public
        self.socket.sendall(mac(16, knock, "kith knock", head) + head + noise.seal(bytes(183)))
        answer = self.read(256)
        other = answer[:32]
        noise.mix_hash(other)
        noise.mix_key(other)
        noise.mix_key(x25519(own, other))
        if noise.open(answer[32:]) != bytes(208):
            raise Refused("the payload of message 2")
        sealed = noise.seal(x25519_public(static))
        noise.mix_key(x25519(static, other))
        noise.mix_psk(psk)
        room = (1792 if content else 256) - 2 - 48 - 16
        sealed += noise.seal((u16(len(content)) + content).ljust(room, b"\0"))
        self.socket.sendall(u16(len(sealed)) + sealed)
        self.out, self.back = map(Cipher, noise.derive(b"", 2))
        self.hash = noise.hash

    def read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise Closed()
            data += piece
        return data

    def say(self, message, flags=0):
        stream = u32(len(message)) + message
        while stream:
            piece, stream = stream[:SIZES[-1] - 3], stream[SIZES[-1] - 3:]
            size = min(one for one in SIZES if one >= len(piece) + 3)
            plain = bytes([flags if not stream else 0]) + u16(len(piece)) + piece
            sealed = self.out.seal(b"", plain.ljust(size, b"\0"))
            self.socket.sendall(u16(len(sealed)) + sealed)

    def hear(self, seconds):
        """The next message, or None when the time is over."""
        while True:
            if len(self.incoming) >= 4:
                end = 4 + int.from_bytes(self.incoming[:4], "big")
                if len(self.incoming) >= end:
                    message, self.incoming = self.incoming[4:end], self.incoming[end:]
                    return message
            if self.is_ended:
                raise Closed()
            self.socket.settimeout(seconds)
            try:
                first = self.socket.recv(1)
            except (socket.timeout, BlockingIOError):
                return None
            finally:
                self.socket.settimeout(20)
            if not first:
                raise Closed()
            self.frame(first)

    def frame(self, first):
        size = int.from_bytes(first + self.read(1), "big")
        plain = self.back.open(b"", self.read(size))
        if len(plain) not in SIZES:
            raise Refused("a frame of another size")
        end = 3 + int.from_bytes(plain[1:3], "big")
        if any(plain[end:]):
            raise Refused("a frame whose rest is not zeros")
        self.incoming += plain[3:end]
        self.is_ended = bool(plain[0] & LAST)
        if plain[0] & REKEY:
            self.back.rekey()

    def close(self):
        self.socket.close()
