"""The command line among other programs: completion, manual pages, pipes."""
import os
import shutil
import subprocess

from kithtest import KITH, Skip, run


def complete(member, line):
    """What bash offers after this line."""
    script = (f'kith() {{ {KITH} --home {member.home} "$@"; }}; '
              'source <(kith completion bash); '
              f'COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); _kith; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60, check=True)
    return done.stdout.decode().split("\n")[:-1]


def bash_completes_commands_flags_and_people(place):
    ana = place.member("Ana")
    ana.ok("contact", "add", "Joon Kim")
    ana.ok("contact", "add", "Joost van Dam")
    assert "peer" in complete(ana, "kith pe") and "contact" in complete(ana, "kith co")
    assert complete(ana, "kith peer inv") == ["invite"]
    assert "--tag" in complete(ana, "kith contact add --")
    assert complete(ana, "kith contact show Joon") == ["Joon\\ Kim"]
    assert len(complete(ana, "kith contact show joo")) == 2
    assert complete(ana, "kith contact show nobody") == [""]


def the_other_shells_read_what_is_written(place):
    ana = place.member("Ana")
    for shell, program in (("zsh", "zsh"), ("fish", "fish"), ("bash", "bash")):
        code, text = ana.call("completion", shell, text=True)
        assert code == 0 and "contact" in text
        if shutil.which(program):
            check = subprocess.run([program, "-n"], input=text.encode(), capture_output=True,
                                   timeout=60, check=False)
            assert check.returncode == 0, check.stderr
    assert "completion" in ana.fails(2, "completion", "tcsh")["hint"]


def the_manual_is_one_page_and_one_for_each_command(place):
    ana = place.member("Ana")
    code, page = ana.call("man", text=True)
    assert code == 0 and page.startswith(".TH KITH 1")
    for line in page.split("\n"):
        assert not line.startswith("'"), line
    code, names = ana.call("help", text=True)
    for line in names.split("\n"):
        if line.startswith("  kith "):
            word = line.split()[1]
            assert word in page.replace("\\-", "-"), word
    code, page = ana.call("man", "peer", "invite", text=True)
    assert code == 0 and "\\-\\-qr" in page
    ana.fails(2, "man", "nothing")
    if shutil.which("man") is None:
        raise Skip("there is no man here")
    shown = subprocess.run(["man", "-l", "-"], input=page.encode(), capture_output=True, timeout=60,
                           check=False, env=dict(os.environ, MANWIDTH="80"))
    assert b"warning" not in shown.stderr and b"invite" in shown.stdout


def a_closed_pipe_ends_quietly(place):
    ana = place.member("Ana")
    cards = "".join(f"BEGIN:VCARD\nVERSION:3.0\nFN:Person {n}\nEND:VCARD\n" for n in range(3000))
    ana.ok("import", "-", stdin=cards.encode())
    for command in ("contact list", "contact list --json", "help", "man", "completion bash"):
        done = subprocess.run(["bash", "-c", f"{KITH} --home {ana.home} {command} | head -1"],
                              capture_output=True, timeout=60, check=True)
        assert done.stdout.count(b"\n") == 1 and done.stderr == b"", done.stderr


run(globals())
