"""Key files as the second node (second_keyfile.py) reads and writes them, and as kith does."""
import os

import second_keyfile
from kithtest import DATA, run
from second_keys import did, digest, ed25519_public, fresh, kdf, u32, x25519_public
from test_second import need_sodium


def with_key(member, data):
    """The member's home with this as its key file."""
    with open(os.path.join(member.home, "key"), "wb") as file:
        file.write(data)
    return member


def key_of(member):
    with open(os.path.join(member.home, "key"), "rb") as file:
        return file.read()


def a_key_file_is_read_and_written(place):
    """FILE-1 to FILE-8, KEYS-2 to KEYS-4, CERT-4, WORDS-1 to WORDS-3: with a passphrase or none."""
    need_sodium()
    ana = place.member("Ana")
    fields = second_keyfile.read(key_of(ana))
    assert did(fields["member"]) == ana.identity["member"]
    assert ed25519_public(fields["signing"]).hex() == ana.identity["device"]
    with open(os.path.join(DATA, "words", "bip39-english.txt"), encoding="ascii") as words:
        seed = second_keyfile.seed_of_words(ana.identity["recovery_words"], words.read().split())
    assert kdf(seed, "kith root", u32(0)) == fields["root"]
    next_root = ed25519_public(kdf(seed, "kith root", u32(1)))
    assert digest("kith next root", next_root) == fields["pin"]
    assert x25519_public(kdf(seed, "kith recovery")) == fields["recovery"]
    with_key(ana, second_keyfile.write(fields, b"open sesame"))
    assert "passphrase" in ana.fails(7, "contact", "add", "Joon")["message"]
    path = os.path.join(place.path, "pass")
    for passphrase, code in (("open sesame", 0), ("open says me", 7)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(passphrase)
        os.chmod(path, 0o600)
        ana.extra = ["--passphrase-file", path]
        assert ana.call("contact", "add", "Joon")[0] == code, passphrase
    with_key(ana, second_keyfile.write(fields))
    ana.extra = []
    assert ana.ok("status")["key_protection"] == "file permissions only"
    eva = place.member("Eva", passphrase="Unter den Linden")
    fields = second_keyfile.read(key_of(eva), b"Unter den Linden")
    assert did(fields["member"]) == eva.identity["member"]


def a_key_file_is_judged_in_order(place):
    """FILE-9, FILE-10: the second reader and kith say the same of what was made wrong."""
    need_sodium()
    ana = place.member("Ana")
    whole = key_of(ana)
    fields = second_keyfile.read(whole)
    plain = b"".join(fields[name] for name, _ in second_keyfile.FIELDS)
    own = bytes([0, 0])
    seal = second_keyfile.seal

    def broken(at, byte):
        return whole[:at] + bytes([byte]) + whole[at + 1:]

    def other(**more):
        return second_keyfile.write({**fields, **more})

    for name, data, verdict in (
            ("magic", broken(3, 0), "damaged"), ("short", whole[:95], "damaged"),
            ("version 2", broken(9, 2), "newer"), ("version 0", broken(9, 0), "damaged"),
            ("a flag, and the nonce as it was", broken(11, 1), "damaged"),
            ("a flag", seal(plain, None, b"\0\1", (0, 0)), "newer"),
            ("kdf 2", seal(plain, None, b"\2\0", (0, 0)), "newer"),
            ("costs without passphrase", seal(plain, None, own, (1, 8)), "damaged"),
            ("no pass", seal(plain, None, b"\1\0", (0, 1 << 17)), "damaged"),
            ("17 passes", seal(plain, None, b"\1\0", (17, 1 << 17)), "limit"),
            ("4 GiB", seal(plain, None, b"\1\0", (1, 1 << 22)), "limit"),
            ("locked", second_keyfile.write(fields, b"x"), "locked"),
            ("another size", seal(plain + b"\0", None, own, (0, 0)), "damaged"),
            ("a tag", broken(623, whole[623] ^ 1), "damaged"),
            ("a commitment, and the nonce as it was", broken(60, whole[60] ^ 1), "damaged"),
            ("what is not zero", other(rest=b"\1".rjust(134, b"\0")), "damaged"),
            ("holding 2", other(holds_root=b"\2"), "damaged"),
            ("a root that is not held", other(holds_root=b"\0"), "damaged"),
            ("another member", other(member=ed25519_public(fresh())), "damaged"),
            ("no root", other(root=bytes(32)), "damaged"),
            ("a successor that is not there", other(successor=fresh(96)), "damaged"),
            ("two successors", other(has_successor=b"\2"), "damaged")):
        try:
            second_keyfile.read(data)
            raise AssertionError(f"read: {name}")
        except second_keyfile.Judged as why:
            assert str(why) == verdict, (name, str(why))
        code, answer = with_key(ana, data).call("contact", "add", "Joon")
        assert code == (7 if verdict == "locked" else 1), (name, verdict, code, answer)
        error = answer["error"]
        words = {"locked": "passphrase", "limit": "damaged"}.get(verdict, verdict)
        assert words in error["message"], (name, verdict, error)
    assert with_key(ana, whole).ok("contact", "add", "Joon")["name"] == "Joon"


if __name__ == "__main__":
    run(globals())
