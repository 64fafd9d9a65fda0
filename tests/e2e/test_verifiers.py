"""What kith exports, before libraries that others wrote, unmodified: they accept it, and refuse it
once anything in it was changed. Installed once into the build folder, by name and exact version."""
import json
import os
import shutil
import subprocess

from kithtest import KITH, Skip, link, run, until

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "verifiers")
BUILT = os.path.join(os.path.dirname(os.path.abspath(KITH)), "verifiers")

# Everything that two syntaxes escape in different ways, and text in both directions.
HARD = ("Quotes \" and ' and \\ back, tab \t, line\nend, return\r, form\x0c, bell\x07, "
        "control \x01\x0b\x1b\x1f, delete \x7f, \u00e9\u0301 \u05e9\u05dc\u05d5\u05dd \u202e "
        "\u2028 \ufb33 \U0001f600 </script> end.")


def install():
    """The libraries' folder. Says why when they cannot be had."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise Skip("npm is not installed")
    os.makedirs(BUILT, exist_ok=True)
    wanted = os.path.join(HERE, "package.json")
    marker = os.path.join(BUILT, "installed.json")
    with open(wanted, encoding="utf-8") as file:
        text = file.read()
    shutil.copy(os.path.join(HERE, "verify.mjs"), BUILT)
    if os.path.exists(marker):
        with open(marker, encoding="utf-8") as file:
            if file.read() == text:
                return BUILT
    shutil.copy(wanted, BUILT)
    try:
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
                               "--ignore-scripts"], cwd=BUILT, capture_output=True, timeout=180,
                              check=False)
    except subprocess.TimeoutExpired:
        raise Skip("npm found no answer in three minutes") from None
    if done.returncode != 0:
        raise Skip("npm could not install the verifiers: "
                   + done.stderr.decode(errors="replace").strip().splitlines()[-1][:200])
    with open(marker, "w", encoding="utf-8") as file:
        file.write(text)
    return BUILT


def judge(where, jobs):
    """What the libraries say to each (name, suite, document, more)."""
    folder = install()
    path = os.path.join(where.path, "jobs.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump([{"name": name, "suite": suite, "document": document, **more}
                   for name, suite, document, more in jobs], file)
    done = subprocess.run(["node", "verify.mjs", path], cwd=folder, capture_output=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return {(row["name"], row["suite"]): row for row in json.loads(done.stdout)}


def reversed_keys(value):
    """The same JSON with the keys of every object the other way round."""
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(list(value))}
    return [reversed_keys(one) for one in value] if isinstance(value, list) else value


def altered(document, change):
    copy = json.loads(json.dumps(document))
    change(copy)
    return copy


def export_of(where, words):
    ana, bruno = where.pair()
    sent = ana.ok("endorse", "Bruno", "--about", "x", "--relation", "client", "--words", words)
    until(lambda: bruno.ok("endorsement", "list", "--pending")["endorsements"])
    bruno.ok("endorsement", "accept", sent["id"])
    return ana, bruno, bruno.ok("endorsement", "export", sent["id"])


def expect(told, name, suites, verified):
    for suite in suites:
        row = told[(name, suite)]
        assert row["verified"] is verified, row


def other_verifiers_accept_what_kith_exports(place):
    install()
    _, _, plain = export_of(place, "Led our rebrand from first sketch to launch.")
    suites = ("jcs", "rdfc", "other")
    jobs = [("plain", suite, plain, {}) for suite in suites]
    jobs += [("reversed", suite, reversed_keys(plain), {}) for suite in suites]
    for at, suite in ((0, "jcs"), (1, "rdfc")):
        jobs.append((f"one {at}", suite, altered(plain, lambda vc, at=at: vc.update(
            proof=vc["proof"][at])), {}))
    told = judge(place, jobs)
    expect(told, "plain", suites, True)
    expect(told, "reversed", suites, True)
    expect(told, "one 0", ["jcs"], True)
    expect(told, "one 1", ["rdfc"], True)


def other_verifiers_read_every_character_as_kith_does(place):
    install()
    _, _, hard = export_of(place, HARD)
    assert hard["credentialSubject"]["endorsementComment"] == HARD
    suites = ("jcs", "rdfc", "other")
    expect(judge(place, [("hard", suite, hard, {}) for suite in suites]), "hard", suites, True)


def other_verifiers_refuse_what_was_altered_as_kith_does(place):
    install()
    _, bruno, plain = export_of(place, "Led our rebrand from first sketch to launch.")
    changes = {
        "comment": lambda vc: vc["credentialSubject"].update(endorsementComment="Led nothing."),
        "issuer": lambda vc: vc["issuer"].update(id=bruno.identity["member"]),
        "name": lambda vc: vc["issuer"].update(name="Anna"),
        "subject": lambda vc: vc["credentialSubject"].update(id=vc["issuer"]["id"]),
        "until": lambda vc: vc.update(validUntil="2090-01-01T00:00:00Z"),
        "over": lambda vc: vc.update(validUntil="2020-01-01T00:00:00Z"),
        "contexts": lambda vc: vc["@context"].reverse(),
        "proof": lambda vc: [one.update(created="2025-01-01T00:00:00Z") for one in vc["proof"]],
    }
    suites = ("jcs", "rdfc", "other")
    documents = {name: altered(plain, change) for name, change in changes.items()}
    told = judge(place, [(name, suite, document, {}) for name, document in documents.items()
                         for suite in suites])
    for name, document in documents.items():
        expect(told, name, suites, False)
        text = json.dumps(document).encode()
        code, verdict = bruno.call("endorsement", "verify", "-", stdin=text)
        assert code == 5 and verdict["valid"] is False, (name, verdict)


def other_verifiers_accept_what_the_subject_presents(place):
    install()
    _, bruno, plain = export_of(place, "Led our rebrand from first sketch to launch.")
    whole = bruno.ok("endorsement", "present", "--challenge", "7f3a", "--domain", "jobs.example")
    assert whole["verifiableCredential"] == [plain]
    asked = {"challenge": "7f3a", "domain": "jobs.example"}
    told = judge(place, [
        ("good", "jcs", whole, asked),
        ("challenge", "jcs", whole, {**asked, "challenge": "other"}),
        ("inside", "jcs", altered(whole, lambda vp: vp["verifiableCredential"][0][
            "credentialSubject"].update(endorsementComment="Led nothing ever, at all.")), asked)])
    expect(told, "good", ["jcs"], True)
    expect(told, "challenge", ["jcs"], False)
    expect(told, "inside", ["jcs"], False)


run(dict(globals()))
