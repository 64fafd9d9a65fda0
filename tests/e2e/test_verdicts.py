"""What kith says of files that are no endorsement it can believe: exit 5 and a sentence."""
import json
import os

from kithtest import DATA, Skip, run, until

WORDS = "Led our rebrand from first sketch to launch."


def verdict(member, data, code=5):
    """Judged from a pipe and from a file, the same; the sentence."""
    path = os.path.join(os.path.dirname(member.home), "judged")
    with open(path, "wb") as file:
        file.write(data)
    got = {}
    for name, stdin in ((path, None), ("-", data)):
        got[name] = member.call("endorsement", "verify", name, stdin=stdin)
        assert got[name][0] == code, (name, got[name])
        assert got[name][1]["valid"] is (code == 0), got[name]
    assert got[path] == got["-"], got
    shown, text = member.call("endorsement", "verify", path, text=True)
    assert shown == code and got[path][1]["why"] in text.replace("\n", " "), text
    return got[path][1]["why"]


def exported(where):
    ana, bruno = where.pair()
    sent = ana.ok("endorse", "Bruno", "--about", "x", "--relation", "client", "--words", WORDS)
    until(lambda: bruno.ok("endorsement", "list", "--pending")["endorsements"])
    bruno.ok("endorsement", "accept", sent["id"])
    return ana, bruno, bruno.ok("endorsement", "export", sent["id"])


def what_is_no_credential_is_told_in_words(place):
    judge = place.member("Judge")
    assert verdict(judge, b"") == "it is no JSON document"
    assert verdict(judge, b"\x00\x01\xff\xfe") == "it is no JSON document"
    assert verdict(judge, b'{"type": ') == "it is no JSON document"
    assert verdict(judge, b'{"a": 1, "a": 2}') == "it is no JSON document"
    assert verdict(judge, b"[" * 100000) == "it is no JSON document"
    assert verdict(judge, b"[]") == "it is no endorsement credential"
    assert verdict(judge, b"{}" + b" " * (256 << 10)) == (
        "it is longer than 256 KiB, as no endorsement is")
    assert verdict(judge, b"x" * (20 << 20)) == "it is longer than 256 KiB, as no endorsement is"
    assert "a signed token" in verdict(judge, b"eyJhbGciOiJFZERTQSJ9.eyJ2YyI6e319.c2ln")
    code, answer = judge.call("endorsement", "verify", place.path)
    assert code == 1 and "it is a folder" in answer["error"]["message"], answer
    judge.fails(1, "endorsement", "verify", os.path.join(place.path, "nothing"))


def whoever_signed_it_otherwise_is_not_believed(place):
    _, bruno, whole = exported(place)
    assert verdict(bruno, json.dumps(whole).encode(), 0).startswith("signed by the one it names")

    def of(change):
        altered = json.loads(json.dumps(whole))
        change(altered)
        return verdict(bruno, json.dumps(altered).encode())

    assert of(lambda vc: vc.update(proof={**vc["proof"][0], "cryptosuite": "bbs-2023"})) == (
        "its signature is of a kind that kith cannot check")
    assert of(lambda vc: vc.update(issuer="did:web:example.org")) == (
        "it is not signed with the key of whom it names (a did:key is wanted)")
    assert of(lambda vc: vc.update(issuer={"id": bruno.identity["member"]})) == (
        "it is not signed with the key of whom it names (a did:key is wanted)")
    assert of(lambda vc: vc["proof"][0].update(proofValue="z3")) == "its signature is damaged"
    assert "altered" in of(lambda vc: vc["credentialSubject"].update(endorsementComment="Bad."))
    assert of(lambda vc: vc.pop("proof")) == "it is not signed"
    assert of(lambda vc: vc.update(proof=[vc["proof"][0]] * 100)) == (
        "it carries more proofs than kith looks at")


def published_credentials_of_others_are_judged(place):
    top = os.path.join(DATA, "vc")
    if not os.path.isdir(top):
        raise Skip("no test data")
    judge = place.member("Judge")
    said = {}
    for folder, _, names in os.walk(top):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                said[name] = verdict(judge, file.read())
    assert said["obv3-endorsementcredential.json"] == "it is not signed", said
    assert said["signedJCS.json"] == "it is no endorsement credential", said
    assert said["sigHexJCS.txt"] == "it is no JSON document", said


run(dict(globals()))
