"""The channel's frames and the messages in them (CHANNEL, FRAME)."""
import socket

from second_handshake import Closed, read
from second_keys import Refused, u16, u32

SIZES = (256, 512, 1024, 4096, 16384)
LAST, REKEY = 1, 2
REKEY_FRAMES = 64


class Channel:
    """A connection whose two sides have proved who they are."""

    def __init__(self, sock, shaken):
        self.socket, self.shaken, self.hash = sock, shaken, shaken.hash
        self.out, self.back = shaken.out, shaken.back
        self.incoming = b""
        self.is_ended = False

    def say(self, message, flags=0):
        stream = u32(len(message)) + message
        while stream:
            piece, stream = stream[:SIZES[-1] - 3], stream[SIZES[-1] - 3:]
            size = min(one for one in SIZES if one >= len(piece) + 3)
            flag = flags if not stream else 0
            if self.out.count % REKEY_FRAMES == 0:  # CHANNEL-4 asks for less.
                flag |= REKEY
            plain = bytes([flag]) + u16(len(piece)) + piece
            sealed = self.out.seal(b"", plain.ljust(size, b"\0"))
            if flag & REKEY:
                self.out.rekey()
            try:
                self.socket.sendall(u16(len(sealed)) + sealed)
            except OSError as why:
                raise Closed() from why

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
            except OSError as why:
                raise Closed() from why
            finally:
                self.socket.settimeout(20)
            if not first:
                raise Closed()
            self.frame(first)

    def frame(self, first):
        size = int.from_bytes(first + read(self.socket, 1), "big")
        plain = self.back.open(b"", read(self.socket, size))
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
