"""The demonstration is a promise too: it ends well, within a minute, and not well when it must."""
import os
import re
import signal
import stat
import subprocess
import time

from kithtest import DATA, KITH, run

SCRIPT = os.path.join(os.environ.get("KITH_TOP", "."), "node", "demo.sh")
NAMES = ("Ana", "Bruno", "Chie", "Dora", "Emil", "Farah", "Goran")

# Passes everything on to kith, but for one command of one member.
BETRAYER = """#!/bin/sh
case "$*" in
*/{who}\\ --no-input\\ {command}*) {instead} ;;
esac
exec {kith} "$@"
"""


# The real address books take most of its time; what is not about them does with the samples.
SAMPLES = "/nowhere"


def demo(folder, kith=KITH, data=SAMPLES):
    """The demonstration in a process group of its own; what it makes is made in folder/tmp."""
    temporary = os.path.join(folder, "tmp")
    os.makedirs(temporary, exist_ok=True)
    # Ctrl-C must reach it even where whoever runs the tests ignores it.
    return subprocess.Popen(
        ["sh", SCRIPT], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, env={**os.environ, "KITH_BINARY": os.path.abspath(kith),
                                     "TMPDIR": temporary, "KITH_TEST_DATA": data},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def left_behind(folder):
    """The files and the processes that still belong to the demonstrations of this folder."""
    temporary = os.path.join(folder, "tmp")
    left = os.listdir(temporary)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                left += [pid] if temporary.encode() in file.read() else []
        except OSError:
            pass  # it has ended meanwhile
    return left


def ended(folder, process, seconds=300):
    """Its exit code and what it told; nothing of it may be left."""
    try:
        told, error = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
        told, error = process.communicate(timeout=120)
        raise AssertionError(f"it did not end: {told.decode()}{error.decode()}") from None
    assert left_behind(folder) == [], left_behind(folder)
    return process.returncode, told.decode() + error.decode()


def betrayed(folder, who, command, instead):
    """A program that is kith, except for one command of one member."""
    path = os.path.join(folder, "betrayer")
    with open(path, "w", encoding="utf-8") as file:
        file.write(BETRAYER.format(who=who, command=command.replace(" ", "\\ "), instead=instead,
                                   kith=os.path.abspath(KITH)))
    os.chmod(path, stat.S_IRWXU)
    return path


def brought(told):
    """Who brought people along."""
    return tuple(re.findall(r"(\w+), .* brings [1-9][0-9]* pe", told))


def seven_members_agree_in_the_end(place):
    begun = time.monotonic()
    code, told = ended(place.path, demo(place.path, data=DATA))
    assert code == 0, told
    print(f"it took {time.monotonic() - begun:.0f} s; under a minute where nothing else runs")
    assert brought(told) == NAMES, told
    for sentence in ("signature verified", "Dora and Bruno are introduced", "kill -9",
                     "at another address", "Everybody from the train is there, all ",
                     "all seven see every card they hold, 16 in all",
                     "know one another through Ana", "All seven stores are healthy"):
        assert sentence in told, (sentence, told)


def until_told(process, sentence):
    """What it tells up to the line with this sentence."""
    told = ""
    for line in process.stdout:
        told += line.decode()
        if sentence in told:
            break
    return told


def without_the_real_address_books_it_takes_the_samples(place):
    process = demo(place.path)
    told = until_told(process, "They start their nodes")
    process.terminate()
    code, more = ended(place.path, process)
    assert code == 143, (code, told, more)
    assert brought(told) == NAMES, (told, more)


def a_program_that_does_nothing_fails_it(place):
    for nothing in ("/bin/true", "/bin/false"):
        code, told = ended(place.path, demo(place.path, nothing))
        assert code == 1, (nothing, told)


def one_member_who_fails_or_does_not_agree_fails_it(place):
    """Side by side, since each waits until a bound has passed."""
    kith = os.path.abspath(KITH)
    sides = []
    for who, command, instead, why in (
            ("goran", "run", "exit 1", "the node of goran did not start"),
            ("dora", "intro accept", "exit 0", "Bruno did not hear of the introduction"),
            ("chie", "endorsement list", f'{kith} "$@" | sed s/:true/:false/; exit 0',
             "Chie does not see what Ana wrote"),
            ("farah", "me show", "echo '{\"name\":\"Somebody else\"}'; exit 0",
             "sees another card of farah than farah wrote"),
            ("emil", "doctor", "exit 1", "the store of emil is not well")):
        folder = os.path.join(place.path, who)
        os.mkdir(folder)
        sides.append((folder, demo(folder, betrayed(folder, who, command, instead)), why))
    wrong = []
    for folder, process, why in sides:
        code, told = ended(folder, process)
        wrong += [(why, code, told)] if code != 1 or why not in told else []
    assert not wrong, wrong


def interrupted_anywhere_it_leaves_nothing(place):
    for sentence in ("Goran, Ferryman", "(kill -9)", "They come back"):
        process = demo(place.path)
        told = until_told(process, sentence)
        assert left_behind(place.path) != [], told
        os.killpg(process.pid, signal.SIGINT)
        code, more = ended(place.path, process)
        assert code == 130, (code, told, more)


run(dict(globals()))
