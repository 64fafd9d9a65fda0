"""Key files (FILE), read and written, and the recovery words (WORDS)."""
import hashlib

from second_keys import (Refused, aead, aead_open, argon2id, commitment, digest, ed25519_public,
                         fresh, kdf, mac, u16, u32)

HEADER, PLAIN, SEALED = 96, 512, 528
CIPHER = "xchacha20poly1305"
# FILE-2: what lies behind one another in the plaintext.
FIELDS = (("holds_root", 1), ("root", 32), ("signing", 32), ("static", 32), ("receiving", 32),
          ("local", 32), ("incarnation", 16), ("recovery", 32), ("pin", 32), ("member", 32),
          ("created", 8), ("has_successor", 1), ("successor", 96), ("rest", 134))
DAMAGED, NEWER, LIMIT, LOCKED, WRONG = "damaged", "newer", "limit", "locked", "wrong passphrase"


class Judged(Exception):
    """FILE-9, FILE-10: why a key file is not opened."""


def nonce_of(header):
    """FILE-6"""
    return digest("kith file header", header[:36] + header[60:96])[:24]


def key_of(header, passphrase):
    """FILE-4"""
    if header[10] == 0:
        return kdf(bytes(32), "kith file key", header[20:36])
    return argon2id(passphrase, header[20:36], int.from_bytes(header[12:16], "big"),
                    int.from_bytes(header[16:20], "big"))


def judge_header(data, passphrase):
    """FILE-9"""
    passes, memory = int.from_bytes(data[12:16], "big"), int.from_bytes(data[16:20], "big")
    is_kdf = len(data) > 10 and data[10] == 1
    for verdict, holds in (
            (DAMAGED, data[:8] != b"kithkey\0" or not HEADER <= len(data) <= 4096),
            (NEWER, int.from_bytes(data[8:10], "big") > 1),
            (DAMAGED, data[8:10] != u16(1) or data[92:96] != u32(SEALED) or
             len(data) != HEADER + SEALED or data[36:60] != nonce_of(data)),
            (NEWER, data[10:11] > b"\1" or data[11:12] != b"\0"),
            (DAMAGED, (passes < 1 or memory < 8) if is_kdf else (passes or memory)),
            (LIMIT, passes > 16 or memory > 2097152),
            (LOCKED, is_kdf and passphrase is None)):
        if holds:
            raise Judged(verdict)


def read(data, passphrase=None):
    """FILE-10: the fields of FILE-2 by name."""
    judge_header(data, passphrase)
    header = data[:HEADER]
    key = key_of(header, passphrase)
    if commitment(key) != header[60:92]:
        raise Judged(WRONG if header[10] else DAMAGED)
    try:
        plain = aead_open(CIPHER, key, header[36:60], header, data[HEADER:])
    except Refused as why:
        raise Judged(DAMAGED) from why
    fields, at = {}, 0
    for name, size in FIELDS:
        fields[name] = plain[at:at + size]
        at += size
    if not is_well_formed(fields):
        raise Judged(DAMAGED)
    return fields


def is_well_formed(fields):
    """FILE-2"""
    held = fields["holds_root"]
    root = fields["member"] if held == b"\1" else bytes(32)
    return held in b"\0\1" and fields["has_successor"] in b"\0\1" and not any(fields["rest"]) and \
        (any(fields["root"]) and ed25519_public(fields["root"]) or bytes(32)) == root and \
        (fields["has_successor"] == b"\1" or not any(fields["successor"]))


def write(fields, passphrase=None, costs=(1, 8)):
    """FILE-3 to FILE-7"""
    plain = b"".join(fields[name] for name, _ in FIELDS)
    return seal(plain, passphrase, bytes([passphrase is not None, 0]),
                costs if passphrase is not None else (0, 0))


def seal(plain, passphrase, kdf_flags, costs, version=1):
    salt = mac(16, fresh(), "kith file salt", plain)
    header = b"kithkey\0" + u16(version) + kdf_flags + u32(costs[0]) + u32(costs[1]) + salt
    key = key_of(header, passphrase) if kdf_flags[0] < 2 and costs[1] <= 1 << 16 else fresh()
    rest = commitment(key) + u32(len(plain) + 16)
    header += nonce_of(header + bytes(24) + rest) + rest
    return header + aead(CIPHER, key, header[36:60], header, plain)


def seed_of_words(text, known):
    """WORDS-1 to WORDS-3: the recovery seed."""
    bits = 0
    for word in text.lower().split():
        bits = bits << 11 | known.index(word)
    data = bits.to_bytes(33, "big")
    if hashlib.sha256(data[:32]).digest()[:1] != data[32:]:
        raise Refused("the checksum of recovery words")
    return data[:32]
