"""Every command of the table, with words that make it do something, and Ctrl-C."""
import signal
import subprocess

from kithtest import KITH

# What stands for an argument or a flag's value; whatever is not here is a person.
WORDS = {"NAME": "Joon", "URI": "kith:1abc", "FILE": __file__, "TOPIC": "WHO", "SHELL": "bash",
         "DATE": "2027-01-01", "N": "5", "SECONDS": "30", "HOST:PORT": "127.0.0.1:0",
         "KEY=VALUE": "org=ACME", "ALIAS": "joonie", "TEXT": "seen at the fair"}
# Commands that say something by themselves: no home is read, nothing is waited for.
ALONE = {"help", "version", "man", "completion", "init", "complete"}
NEED_NODE = {"stop", "sync"}


def table(member):
    """(command, its words with plausible arguments and the flags it cannot do without)."""
    needed = {"endorse": ["--about", "boats", "--relation", "client", "--words",
                          "Sails well and tells the truth."],
              "introduce": ["--why", "Both sail."], "contact edit": ["--set", "org=ACME"],
              "me edit": ["--title", "Sailor"], "remind": ["--every", "3m"],
              "endorsement export": ["--all"],
              "intro want": ["--tag", "boats", "--from", "Joon", "--blurb", "I sail."],
              "endorsement want": ["--words", "The shed by the lake"],
              "sync": ["--wait", "50"], "log": ["--follow"], "run": ["--listen", "127.0.0.1:0"]}
    for row in member.ok("help")["commands"]:
        words = row["command"].split()
        for argument in row["arguments"]:
            plain = argument.strip("[].")
            if not argument.startswith("[") or plain in ("FILE", "TEXT"):
                words.append(WORDS.get(plain, "Joon"))
        yield row["command"], words + needed.get(row["command"], [])


def begin(member, *words, **more):
    return subprocess.Popen([KITH, "--home", member.home, "--no-input", *words],
                            stdin=more.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **more)


def interrupted(process, seconds=15):
    """Sends Ctrl-C: what it had said. It must end by it, and be sorry for nothing."""
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=seconds)
    assert process.returncode == -signal.SIGINT, (process.args, process.returncode, out, error)
    assert b"Sanitizer" not in error, error
    return out
