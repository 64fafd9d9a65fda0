"""What `cmake --install` brings: the program, its manual page, and completion that bash, fish and
zsh find by themselves."""
import os
import shutil
import subprocess

from kithtest import KITH, Skip, Terminal, run, until

BUILT = os.path.dirname(os.path.abspath(KITH))


def installed(at):
    """The folder that stands for /usr/local, installed to at most once."""
    top = os.path.join(at.path, "local")
    if shutil.which("cmake") is None or not os.path.exists(os.path.join(BUILT, "CMakeCache.txt")):
        raise Skip("this kith was not built here with cmake")
    if not os.path.exists(top):
        done = subprocess.run(["cmake", "--install", BUILT, "--prefix", top], capture_output=True,
                              timeout=120, check=False)
        assert done.returncode == 0, done
    return top


def everything_has_its_place(place):
    top = installed(place)
    found = sorted(os.path.relpath(os.path.join(folder, name), top)
                   for folder, _, names in os.walk(top) for name in names)
    assert found == ["bin/kith", "share/bash-completion/completions/kith",
                     "share/fish/vendor_completions.d/kith.fish", "share/man/man1/kith.1",
                     "share/zsh/site-functions/_kith"], found
    for name in found[1:]:
        with open(os.path.join(top, name), encoding="utf-8") as file:
            assert len(file.read()) > 300, name
    with open(os.path.join(top, "share/man/man1/kith.1"), encoding="utf-8") as file:
        assert file.readline().startswith(".TH KITH 1 ")
    done = subprocess.run([os.path.join(top, "bin/kith"), "version"], capture_output=True,
                          timeout=60, check=True)
    assert done.stdout.startswith(b"kith "), done
    # A package is put together in a folder that is none of its own.
    staged = os.path.join(place.path, "staged")
    subprocess.run(["cmake", "--install", BUILT, "--prefix", "/usr"], capture_output=True,
                   timeout=120, check=True, env=dict(os.environ, DESTDIR=staged))
    for name in ("man/man1/kith.1", "zsh/vendor-completions/_kith"):
        assert os.path.exists(os.path.join(staged, "usr/share", name)), name


def environment(at, member):
    top = installed(at)
    return dict(os.environ, PATH=os.path.join(top, "bin") + ":" + os.environ["PATH"],
                KITH_HOME=member.home, XDG_DATA_DIRS=os.path.join(top, "share") + ":/usr/share",
                HOME=at.path, TERM="xterm")


def somebody(at):
    ana = at.member("Ana")
    ana.ok("contact", "add", "Joon Kim", "--tag", "choir")
    ana.ok("contact", "add", "Maria da Silva")
    return ana


def fish_finds_it(place):
    if shutil.which("fish") is None:
        raise Skip("there is no fish here")
    ana = somebody(place)
    done = subprocess.run(
        ["fish", "--no-config", "-c",
         "set -p fish_complete_path $argv; for line in 'kith con' 'kith contact sh' "
         "'kith contact show jo' 'kith contact list --ta' 'kith contact list --tag '; "
         "complete -C $line | string replace -r '\\t.*' ''; echo .; end",
         os.path.join(installed(place), "share/fish/vendor_completions.d")],
        capture_output=True, timeout=60, check=True, stdin=subprocess.DEVNULL,
        env=environment(place, ana))
    answers = [set(answer.split("\n")) - {""} for answer in done.stdout.decode().split(".\n")]
    assert answers[0] == {"contact"} and answers[1] == {"show", "share"}, answers
    assert answers[2:] == [{"Joon Kim"}, {"--tag"}, {"choir"}, set()], answers


def bash_loads_it(place):
    ana = somebody(place)
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c",
         'source "$0" && complete -p kith && COMP_WORDS=(kith contact show mar) COMP_CWORD=3 '
         '&& _kith kith mar show && printf "%s\\n" "${COMPREPLY[@]}"',
         os.path.join(installed(place), "share/bash-completion/completions/kith")],
        capture_output=True, timeout=60, check=True, stdin=subprocess.DEVNULL,
        env=environment(place, ana))
    assert done.stdout.decode().splitlines() == [
        "complete -F _kith kith", "Maria\\ da\\ Silva"], done


class Zsh(Terminal):
    """zsh with what was installed on its function path. Ctrl-X writes down what the line holds, so
    that nothing is guessed from what it draws; Ctrl-U clears it."""

    def __init__(self, place, member):
        top = installed(place)
        self.held = os.path.join(place.path, "held")
        super().__init__("zsh", "-f", columns=150, **environment(place, member), PS1="> ",
                         HISTFILE="", KITH_TEST_HELD=self.held)
        self.hears("> ")
        self.say(f"fpath=({top}/share/zsh/site-functions $fpath); autoload -Uz compinit; "
                 "compinit -D -u; unsetopt beep automenu\n")
        self.say("held() { print -r -- \"$BUFFER\" > $KITH_TEST_HELD.new; "
                 "mv $KITH_TEST_HELD.new $KITH_TEST_HELD }; "
                 "zle -N held; bindkey '^X' held; bindkey '^U' kill-whole-line\n")
        self.say("echo it is re''ady\n")
        self.hears("it is ready", seconds=60)

    def line(self, typed):
        """What the line holds after typing and a tab."""
        if os.path.exists(self.held):
            os.remove(self.held)
        self.say("\x15" + typed + "\t\x18")
        until(lambda: self.read(0.05) and os.path.exists(self.held), seconds=60)
        with open(self.held, encoding="utf-8") as file:
            return file.read().rstrip("\n")


def zsh_finds_it(place):
    if shutil.which("zsh") is None:
        raise Skip("there is no zsh here")
    zsh = Zsh(place, somebody(place))
    try:
        for typed, held in (
                ("kith cont", "kith contact "), ("kith contact sho", "kith contact show "),
                ("kith contact show jo", "kith contact show Joon\\ Kim "),
                ("kith contact show mar", "kith contact show Maria\\ da\\ Silva "),
                ("kith contact list --ta", "kith contact list --tag "),
                ("kith contact list --tag ch", "kith contact list --tag choir "),
                ("kith contact sh", "kith contact sh"), ("kith nothing ", "kith nothing "),
                ("kith import /etc/hostn", "kith import /etc/hostname ")):
            assert zsh.line(typed) == held, (typed, zsh.line(typed), zsh.shown[-600:])
    finally:
        zsh.kill()


run(globals())
