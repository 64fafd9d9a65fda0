"""Labels, keys, signatures and sealing (LABEL, KEYS, SIGN, SEAL), on libsodium by ctypes."""
import ctypes
import ctypes.util
import hashlib
import os

B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Missing(Exception):
    """libsodium is not there."""


class Refused(Exception):
    """A tag, a signature or a commitment does not fit."""


def load():
    for name in (ctypes.util.find_library("sodium"), "libsodium.so.23", "libsodium.so"):
        try:
            if name:
                library = ctypes.CDLL(name)
                library.sodium_init()
                return library
        except OSError:
            continue
    return None


SODIUM = load()


def call(function, size, *arguments):
    """Bytes of this size that a function of libsodium writes first, from these arguments."""
    if SODIUM is None:
        raise Missing("libsodium.so cannot be loaded")
    out = ctypes.create_string_buffer(size)
    sized = [ctypes.c_ulonglong(one) if isinstance(one, int) else one for one in arguments]
    if getattr(SODIUM, function)(out, *sized) != 0:
        raise Refused(function)
    return out.raw


def u16(value):
    return value.to_bytes(2, "big")


def u32(value):
    return value.to_bytes(4, "big")


def u64(value):
    return value.to_bytes(8, "big")


def padded(label):
    return label.encode().ljust(16, b"\0")


def digest(label, data):
    """HASH of LABEL-2."""
    return hashlib.blake2b(data, digest_size=32, person=padded(label)).digest()


def mac(size, key, label, data=b""):
    """MAC-n of LABEL-3."""
    return hashlib.blake2b(data, digest_size=size, key=key, person=padded(label)).digest()


def kdf(key, label, context=b""):
    """KDF of LABEL-4."""
    return mac(32, key, label, context)


def about(label, key):
    return digest(label, key)[:16]


def x25519(private, public):
    return call("crypto_scalarmult", 32, private, public)


def x25519_public(private):
    return call("crypto_scalarmult_base", 32, private)


def ed25519_public(seed):
    public = ctypes.create_string_buffer(32)
    SODIUM.crypto_sign_seed_keypair(public, ctypes.create_string_buffer(64), seed)
    return public.raw


def sign(seed, label, message):
    """SIGN-1; without a label for the formats of others (SIGN-5)."""
    message = (padded(label) if label else b"") + message
    return call("crypto_sign_detached", 64, None, message, len(message),
                seed + ed25519_public(seed))


def verify(public, label, message, signature):
    message = (padded(label) if label else b"") + message
    size = ctypes.c_ulonglong(len(message))
    if len(signature) != 64 or \
            SODIUM.crypto_sign_verify_detached(signature, message, size, public) != 0:
        raise Refused(f"a signature under {label}")


def aead(cipher, key, nonce, context, plain):
    return call(f"crypto_aead_{cipher}_ietf_encrypt", len(plain) + 16, None, plain, len(plain),
                context, len(context), None, nonce, key)


def aead_open(cipher, key, nonce, context, sealed):
    if len(sealed) < 16:
        raise Refused("shorter than a tag")
    opened = call(f"crypto_aead_{cipher}_ietf_decrypt", len(sealed), None, None, sealed,
                  len(sealed), context, len(context), nonce, key)
    return opened[:len(sealed) - 16]


def seal(key, context, plain):
    """SEAL-1, SEAL-2"""
    nonce = mac(24, kdf(key, "kith nonce"), "kith nonce", u64(len(context)) + context + plain)
    return nonce + aead("xchacha20poly1305", key, nonce, context, plain)


def seal_open(key, context, sealed):
    return aead_open("xchacha20poly1305", key, sealed[:24], context, sealed[24:])


def commitment(key):
    return mac(32, key, "kith commitment")


def wrap(recipient, plain):
    """SEAL-5"""
    return call("crypto_box_curve25519xchacha20poly1305_seal", len(plain) + 48, plain, len(plain),
                recipient)


def wrap_open(private, sealed):
    return call("crypto_box_curve25519xchacha20poly1305_seal_open", len(sealed) - 48, sealed,
                len(sealed), x25519_public(private), private)


def did(public):
    """KEYS-8"""
    rest, text = int.from_bytes(b"\xed\x01" + public, "big"), ""
    while rest:
        rest, digit = divmod(rest, 58)
        text = B58[digit] + text
    return "did:key:z" + text


def fresh(size=32):
    return os.urandom(size)


def argon2id(passphrase, salt, passes, memory_kib):
    """FILE-4: version 1.3 with one lane, 32 bytes."""
    return call("crypto_pwhash", 32, 32, passphrase, len(passphrase), salt, passes,
                ctypes.c_size_t(memory_kib * 1024), ctypes.c_int(2))
