"""The demonstration is a promise too: it ends well, within a minute, and not well when it must."""
import os
import re
import subprocess
import time

from kithtest import KITH, run

SCRIPT = os.path.join(os.environ.get("KITH_TOP", "."), "node", "demo.sh")


def three_members_agree_in_the_end(place):
    begun = time.monotonic()
    done = subprocess.run(["sh", SCRIPT], cwd=place.path, capture_output=True, timeout=120,
                          env={**os.environ, "KITH_BINARY": os.path.abspath(KITH)}, check=False)
    told = done.stdout.decode()
    assert done.returncode == 0, told + done.stderr.decode()
    assert time.monotonic() - begun < 60
    assert len(re.findall(r"brings [1-9][0-9]* people", told)) == 3 and "they all agree" in told


def a_program_that_does_nothing_fails_it(place):
    for nothing in ("/bin/true", "/bin/false"):
        done = subprocess.run(["sh", SCRIPT], cwd=place.path, capture_output=True, timeout=120,
                              env={**os.environ, "KITH_BINARY": nothing}, check=False)
        assert done.returncode not in (0, 124), nothing


run(dict(globals()))
