"""The kinds of objects (KIND-3), read from the table in PROTOCOL.md itself, and how each object's
id comes about."""
import os
import re

from second_keys import about, digest, ed25519_public, kdf, x25519_public
from second_member import Certificate, Invitation, open_statement
from second_own import fold
from second_pack import unpack

PROTOCOL = os.path.join(os.environ.get("KITH_TOP", "."), "proto", "PROTOCOL.md")
SPACES = {1: "self", 2: "card", 3: "pair", 4: "network"}
ZERO = bytes(16)
TYPES = {"t": str, "n": int, "b": bytes}


class Kind:
    r"""A row: | number | name | spaces | 1 field t200, 20 set\* t1000 (why), ... |"""

    def __init__(self, row):
        number, self.name, spaces, fields = (cell.strip() for cell in row.strip("|\n").split("|"))
        self.number = int(number)
        self.spaces = set(SPACES.values()) if spaces == "all" else set(spaces.split(", "))
        self.fields = {}
        for field, star, kind, bound in re.findall(
                r"(?:^|, )(\d+) [^,;(]*?(\\\*)? ([tnb])(\d*)(?=[ ,;]|$)", fields):
            self.fields[int(field)] = TYPES[kind], int(bound or 0), bool(star)

    def fits(self, field, value, is_set):
        """EDIT-4"""
        wanted, bound, star = self.fields[field]
        if value is None and not is_set:
            return True
        size = value if isinstance(value, int) else \
            len(value.encode() if isinstance(value, str) else value)
        return isinstance(value, wanted) and is_set == star and (not bound or size <= bound)


def kinds():
    """{number: kind} of the table."""
    with open(PROTOCOL, encoding="utf-8") as file:
        lines = iter(file)
        for line in lines:
            if line.startswith("| number | kind | space |"):
                break
        next(lines)
        rows = []
        for line in lines:
            if not line.startswith("|"):
                break
            rows.append(Kind(line))
    return {kind.number: kind for kind in rows}


def ask_id(body):
    return digest("kith ask", unpack(body)[9] + digest("kith ask body", body))[:16]


def ids(kind, one, own, space):
    """What the id of an object may be, as KIND-3 says; None: anything."""
    value = one.value
    members = [own.me.member, *own.peers]
    rules = {
        11: lambda: [about("kith link", value(1))],
        13: lambda: [value(1)[:16]],
        14: lambda: own.spaces,
        16: lambda: [digest("kith acceptance", Invitation(value(1)).secret)[:16]],
        17: lambda: [about("kith circle", digest("kith circle name", fold(value(1)).encode()))],
        18: lambda: [digest("kith act", member_of(own, value(1)) + bytes([value(2)]) +
                            value(5).encode())[:16]] if value(5) else None,
        20: lambda: [about("kith closeness", member) for member in members] +
        [at for at_kind, at in own.node.objects[own.space] if at_kind == 10],
        30: lambda: [ZERO], 33: lambda: [ZERO], 95: lambda: [ZERO],
        31: lambda: [about("kith device", Certificate(value(1)).device)],
        32: lambda: [about("kith device", device) for device in own.devices],
        40: lambda: [value(3)[:16]],
        62: lambda: [value(1)[:16]],
        63: lambda: [about("kith quoting", value(1))],
        71: lambda: [digest("kith intro about", value(1) + value(2))[:16]],
        73: lambda: [about("kith mute", value(1))],
        81: lambda: [ask_id(value(1))],
        83: lambda: [about("kith passed", value(3))],
        86: lambda: [value(3)[:16]],
        91: lambda: [digest("kith share kept", value(1) + value(2))[:16]],
    }
    if kind in (60, 61, 70, 80, 84, 85, 88, 50, 51):  # STATEMENT-3
        return [digest("kith statement", value(1))[:16]]
    if kind == 90:  # SHARE-3
        return None if space in own.told else [
            about("kith share", space + contact)
            for at_kind, contact in own.node.objects[own.space] if at_kind == 10]
    return rules[kind]() if kind in rules else None


def member_of(own, contact):
    return own.node.objects[own.space][(10, contact)].value(8)


def seeds_fit(one):
    """ASK-1, KIND-3: the seed in an ask of mine is that of its key."""
    return ed25519_public(one.value(2)) == unpack(one.value(1))[9]


def introduction_key_fits(one, member):
    """INTRO-4: signed by root 0; the private key follows from the secret."""
    signer, body = open_statement("kith intro key", one.value(3))
    key = x25519_public(kdf(one.value(1), "kith intro xid"))
    return signer == member and unpack(body) == [1, key, one.value(2)]
