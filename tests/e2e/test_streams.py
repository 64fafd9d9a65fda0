"""Every command of the table, as its example says, where what it says cannot be written: a full
device, a pipe nobody reads. It ends at once, not with 0, and says nothing about it elsewhere."""
import os
import shlex
import shutil
import subprocess

from kithtest import KITH, link, run, until

# What goes on until it is ended, or is another shell's to run.
LEFT_OUT = {"run", "completion"}
SUCCEED_MIN = 60


def crowd(where):
    """Mara knows everybody the examples speak of, and has one of each thing they name."""
    mara, joon, ana, bruno = (where.member(name).start()
                              for name in ("Mara", "Joon", "Ana", "Bruno"))
    for other in (joon, ana, bruno):
        link(mara, other)
    ids = {"kith:1abc...": mara.ok("peer", "invite", "Somebody")["uri"]}
    joon.ok("contact", "add", "Dana Ito")
    joon.ok("contact", "share", "dana", "--with", "mara", "--agreed")
    sent = joon.ok("endorse", "Mara", "--about", "boats", "--relation", "client", "--words",
                   "Built our boat, on time and true.")
    joon.ok("ask", "post", "A mast for our boat.", "--title", "A mast")
    until(lambda: mara.ok("share", "list")["shares"] and mara.ok("ask", "list")["asks"] and
          mara.ok("endorsement", "list", "--pending")["endorsements"])
    mara.ok("endorsement", "accept", sent["id"], "--to", "peers")
    mara.ok("contact", "edit", "joon", "--set", "email=joon@example.org")
    mara.ok("contact", "add", "Kim, Joon", "--tag", "choir")
    mara.ok("contact", "share", "kim, joon", "--with", "ana", "--agreed")
    for circle in ("choir", "friends"):
        mara.ok("circle", "create", circle)
    mara.ok("circle", "add", "friends", "ana")
    mara.ok("circle", "add", "choir", "joon")
    ids["019a2b3c"] = mara.ok("remind", "ana", "--every", "3m")["id"]
    ids["0198f2c4"] = sent["id"]
    ids["share"] = mara.ok("share", "list", "--received")["shares"][0]["id"]
    ids["ask"] = mara.ok("ask", "list")["asks"][0]["id"]
    for member in (mara, joon, ana, bruno):
        member.stop()
    return mara, ids


def examples(member, ids):
    """(command, the words of its example, with what is really there)."""
    for row in member.ok("help")["commands"]:
        words = shlex.split(row["example"]) if row["command"] not in LEFT_OUT else []
        if not words:
            continue
        first = row["command"].split()[0]
        words = ["Joon" if word == "Joon Kim" else word for word in words[1:]]
        yield row["command"], [ids.get(first if word == "3f9a1c" else word, word)
                               for word in words]


class Ground:
    """A fresh copy of a home for each try, with the files the examples read."""

    def __init__(self, place, member):
        self.kept, self.home = member.home, os.path.join(place.path, "ground")
        self.folder = os.path.join(place.path, "folder")
        os.mkdir(self.folder)
        with open(os.path.join(self.folder, "contacts.vcf"), "w", encoding="utf-8") as file:
            file.write("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Al\r\nEND:VCARD\r\n")

    def run(self, words, out):
        shutil.rmtree(self.home, ignore_errors=True)
        if words[0] != "init":
            subprocess.run(["cp", "-a", "--sparse=always", self.kept, self.home], check=True)
        done = subprocess.run([KITH, "--home", self.home, "--no-input", *words], stdout=out,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60,
                              cwd=self.folder, check=False)
        assert b"Sanitizer" not in done.stderr, (words, done.stderr.decode())
        return done


def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "wb")


def what_cannot_be_written_is_a_failure_of_every_command(place):
    mara, ids = crowd(place)
    ground = Ground(place, mara)
    succeeded = 0
    for command, words in examples(mara, ids):
        for more in ([], ["--json"]):
            usual = ground.run(words + more, subprocess.PIPE)
            if usual.returncode == 0 and not usual.stdout:
                continue  # It says nothing, so nothing is lost.
            succeeded += usual.returncode == 0
            for name, out in (("full", open("/dev/full", "wb")), ("closed", closed_pipe())):
                with out:
                    done = ground.run(words + more, out)
                assert done.returncode > 0, (name, words + more, usual.returncode, done)
                if usual.returncode == 0:
                    assert done.stderr == usual.stderr, (name, words + more, done.stderr)
                else:
                    assert done.returncode == usual.returncode, (name, words + more, done, usual)
    assert succeeded >= SUCCEED_MIN, f"only {succeeded} examples worked"


if __name__ == "__main__":
    run(globals())
