"""The msgpack of PROTOCOL.md (SCAN-1): nil, booleans, unsigned integers, texts, bytes and arrays,
each in its shortest encoding, nested at most eight deep, with nothing behind it."""

DEPTH_MAX = 8
NIL, FALSE, TRUE = 0xc0, 0xc2, 0xc3
# What is below the first bound fits the first byte, then come 1, 2, 4 and 8 bytes of size.
SHAPES = {"int": (0x00, 0x80, {1: 0xcc, 2: 0xcd, 4: 0xce, 8: 0xcf}),
          "text": (0xa0, 0x20, {1: 0xd9, 2: 0xda, 4: 0xdb}),
          "bytes": (0x00, 0x00, {1: 0xc4, 2: 0xc5, 4: 0xc6}),
          "array": (0x90, 0x10, {2: 0xdc, 4: 0xdd})}
WIDE = {code: (shape, width) for shape, (_, _, widths) in SHAPES.items()
        for width, code in widths.items()}


class Malformed(Exception):
    """Bytes that SCAN refuses."""


def number(shape, value):
    first, bound, widths = SHAPES[shape]
    if value < bound:
        return bytes([first + value])
    width = min(w for w in widths if value < 1 << 8 * w)
    return bytes([widths[width]]) + value.to_bytes(width, "big")


def pack(value):
    if value is None:
        return bytes([NIL])
    if isinstance(value, bool):
        return bytes([TRUE if value else FALSE])
    if isinstance(value, int):
        return number("int", value)
    if isinstance(value, str):
        text = value.encode()
        return number("text", len(text)) + text
    if isinstance(value, bytes):
        return number("bytes", len(value)) + value
    return number("array", len(value)) + b"".join(map(pack, value))


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if size > len(self.data) - self.at:
            raise Malformed("cut off")
        self.at += size
        return self.data[self.at - size:self.at]

    def head(self):
        """(shape, number) of what begins here."""
        code = self.take(1)[0]
        if code in WIDE:
            shape, width = WIDE[code]
            value = int.from_bytes(self.take(width), "big")
            if number(shape, value)[0] != code:
                raise Malformed("not the shortest encoding")
            return shape, value
        for shape in ("int", "text", "array"):
            first, bound, _ = SHAPES[shape]
            if first <= code < first + bound:
                return shape, code - first
        if code in (NIL, FALSE, TRUE):
            return "constant", code
        raise Malformed(f"type {code:#x}")

    def value(self, depth=0):
        shape, size = self.head()
        if shape == "constant":
            return {NIL: None, FALSE: False, TRUE: True}[size]
        if shape == "int":
            return size
        if shape == "text":
            return self.take(size).decode()
        if shape == "bytes":
            return self.take(size)
        if depth == DEPTH_MAX or size > len(self.data) - self.at:
            raise Malformed("too deep, or a count beyond what is left")
        return [self.value(depth + 1) for _ in range(size)]


def unpack(data):
    reader = Reader(data)
    value = reader.value()
    if reader.at != len(data):
        raise Malformed("something behind it")
    return value
