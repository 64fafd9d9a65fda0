"""Adds up the cases of all kinds that ctest --verbose tells on standard input.

A case is a cmocka test, a line "ok NAME", "not ok NAME" or "skip NAME: why", or the replay of one
corpus. A program that fails without naming a failed case counts as one failed case, and so does one
that ends well without naming any case: an empty test must not look like a passed one.
"""
import re
import sys
import time

START = re.compile(r"^\s+Start\s+(\d+): (.+)$")
RESULT = re.compile(r"^\s*\d+/\d+ Test\s+#(\d+): (\S+) [ .]*(.*?)\s+([\d.]+) sec\s*$")
SAID = re.compile(r"^(\d+): (.*)$")
CMOCKA = re.compile(r"^\[\s*(RUN|OK|FAILED|SKIPPED)\s*\] (?!.*test\(s\))(\S.*)$")
LINE = re.compile(r"^(ok|not ok|skip) (.+)$")
REPLAYED = re.compile(r"^replayed ([1-9]\d*) inputs$")
OUTCOMES = {"RUN": "began", "OK": "passed", "FAILED": "failed", "SKIPPED": "skipped",
            "ok": "passed", "not ok": "failed", "skip": "skipped"}


class Program:
    """What one ctest entry said and how it ended."""

    def __init__(self, name):
        self.name = name
        self.cases = {}
        self.said = []
        self.ending = None

    def hear(self, text):
        """Takes one line of the program's output."""
        self.said.append(text)
        found = CMOCKA.match(text) or LINE.match(text)
        if found and self.cases.get(found.group(2)) != "failed":  # A failure is not taken back.
            self.cases[found.group(2)] = OUTCOMES[found.group(1)]
        elif REPLAYED.match(text):
            self.cases[text] = "passed"

    def end(self, ending):
        """Settles what was left open; ending is ctest's word, or None when it never came."""
        self.ending = ending or "it never ended"
        for case, outcome in self.cases.items():
            if outcome == "began":
                self.cases[case] = "failed"
        if self.ending != "Passed" and "failed" not in self.cases.values():
            self.cases = {case: outcome for case, outcome in self.cases.items()
                          if not REPLAYED.match(case)}
            self.cases["the program: " + self.ending.strip("*")] = "failed"
        elif not self.cases:
            self.cases["the program ended without naming a case"] = "failed"

    def named(self, outcome):
        """The cases that ended so."""
        return [case for case, ended in self.cases.items() if ended == outcome]

    def tell(self, seconds):
        """One line for a program that passed, everything it said for one that did not."""
        failed = self.named("failed")
        if failed:
            print("\n".join(self.said))
            for case in failed:
                print(f"FAILED {self.name}: {case}")
        counts = ", ".join(f"{len(self.named(outcome))} {outcome}"
                           for outcome in ("passed", "failed", "skipped") if self.named(outcome))
        print(f"{self.name}: {counts} ({seconds} s)", flush=True)


def listen(lines, log, programs):
    """Reads ctest's lines until they end."""
    for line in lines:
        log.write(line)
        line = line.rstrip("\n")
        started, result, said = START.match(line), RESULT.match(line), SAID.match(line)
        if started:
            programs[started.group(1)] = Program(started.group(2).strip())
        elif result:
            number, name, ending, seconds = result.groups()
            program = programs.setdefault(number, Program(name))
            program.end(ending)
            program.tell(seconds)
        elif said and said.group(1) in programs:
            programs[said.group(1)].hear(said.group(2))


def main():
    """Tells each program as it ends, then what was skipped or failed, then the sum."""
    began = time.monotonic()
    programs = {}
    with open(sys.argv[1], "w", encoding="utf-8", errors="replace") as log:
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
        listen(sys.stdin, log, programs)
    for program in programs.values():
        if program.ending is None:
            program.end(None)
            program.tell("?")
    ordered = sorted(programs.values(), key=lambda program: program.name)
    print()
    for word, outcome in (("skipped", "skipped"), ("failed", "failed")):
        for program in ordered:
            for case in program.named(outcome):
                print(f"{word}: {program.name}: {case}")
    passed = sum(len(program.named("passed")) for program in ordered)
    failed = sum(len(program.named("failed")) for program in ordered)
    print(f"took {time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
