"""Adds up what ctest -V printed: cmocka cases, lines of end-to-end drivers and of tidy, corpus replays. Names what failed and
what was skipped, then prints the closing line. usage: count.py LOG CTEST_EXIT_CODE"""
import re
import sys

CASE = re.compile(r"^\d+: \[ +(OK|FAILED|SKIPPED) +\] (\S+)")
LINE = re.compile(r"^\d+: (ok|not ok|skip) (.*)")
REPLAY = re.compile(r"^\d+: replayed (\d+) inputs")
PROGRAM = re.compile(r"^\s*\d+/\d+ Test +#\d+: (\S+) \.*\**(.*)$")


def count(lines):
    passed, failed, skipped = 0, [], []
    programs = 0
    seen_since = {}
    for line in lines:
        number = line.split(":", 1)[0]
        case = CASE.match(line)
        told = LINE.match(line)
        replay = REPLAY.match(line)
        program = PROGRAM.match(line)
        if case:
            seen_since[number] = True
            if case[1] == "OK":
                passed += 1
            elif case[1] == "SKIPPED":
                skipped.append(case[2])
            else:
                failed.append(case[2])
        elif told:
            if told[1] == "ok":
                passed += 1
            elif told[1] == "skip":
                skipped.append(told[2])
            else:
                failed.append(told[2])
        elif replay:
            passed += 1
        elif program:
            programs += 1
            if "Passed" not in program[2]:
                failed.append(program[1] + " (its program failed:" + program[2].replace("*", "").rstrip() + ")")
    return passed, failed, skipped, programs


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        lines = log.read().splitlines()
    passed, failed, skipped, programs = count(lines)
    if sys.argv[2] != "0" and not failed:
        failed.append("ctest ended with " + sys.argv[2])
    if failed:
        print("\n".join(lines[-400:]))
    for name in skipped:
        print("skipped: " + name)
    # cmocka names a failed case twice, in its place and in its summary.
    failed = list(dict.fromkeys(failed))
    for name in failed:
        print("FAILED: " + name)
    if programs == 0:
        print("no test was found")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed or passed == 0 else 0


sys.exit(main())
