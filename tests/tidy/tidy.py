"""The rules of the house as a test: python3 tests/tidy/tidy.py [--self]

Prints each finding as file:line: rule: text and each rule as a case. With --self it proves instead
that every rule can fail: each is run over a small sample that breaks it and over one that does not.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import rules
import samples
from tree import Tree, read

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FORMATTER = "14"  # the version of Debian 12; another version formats another way


def formatter_absence():
    """Why formatting cannot be judged here, or None."""
    if shutil.which("clang-format") is None:
        return "clang-format is not installed"
    said = subprocess.run(["clang-format", "--version"], capture_output=True, check=False,
                          text=True).stdout
    version = re.search(r"version (\d+)", said)
    if version is None or version.group(1) != FORMATTER:
        return f"clang-format is not version {FORMATTER}"
    return None


def formatting(tree):
    """clang-format would change nothing."""
    complaint = re.compile(r"^(.+?):(\d+):\d+: (?:error|warning): ")
    with tempfile.TemporaryDirectory() as folder:
        paths = tree.sources((".c", ".h"))
        for path in paths + [".clang-format"]:
            os.makedirs(os.path.join(folder, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                file.write(tree.files[path])
        said = subprocess.run(["clang-format", "--dry-run", "--style=file", *paths], cwd=folder,
                              capture_output=True, check=False, text=True).stderr
    seen = set()
    for line in said.split("\n"):
        found = complaint.match(line)
        if found and found.group(1) not in seen:
            seen.add(found.group(1))
            yield found.group(1), int(found.group(2)), "clang-format -i would change this file"


def case_name(rule):
    """How a rule is called in reports."""
    return rule.__name__.replace("_", "-")


def judge(tree):
    """Runs every rule over the project; the number of rules that do not hold."""
    broken = 0
    for rule in rules.ALL + (formatting,):
        absence = formatter_absence() if rule is formatting else None
        if absence:
            print(f"skip tidy/{case_name(rule)}: {absence}")
            continue
        findings = sorted(set(rule(tree)))
        for path, line, text in findings:
            print(f"{path}:{line}: {case_name(rule)}: {text}")
        print(f"{'not ok' if findings else 'ok'} tidy/{case_name(rule)}")
        broken += bool(findings)
    return broken


def prove():
    """A rule must find its bad sample and spare the good one; the number of failures."""
    broken, proven = 0, set()
    style = read(ROOT).files[".clang-format"]
    for name, what, bad, good in samples.SAMPLES:
        rule = formatting if name == "formatting" else getattr(rules, name)
        absence = formatter_absence() if rule is formatting else None
        proven.add(rule)
        if absence:
            print(f"skip tidy/self/{case_name(rule)} {what}: {absence}")
            continue
        finds, spares = (list(rule(Tree({".clang-format": style, **files})))
                         for files in (bad, good))
        is_right = bool(finds) and not spares
        print(f"{'ok' if is_right else 'not ok'} tidy/self/{case_name(rule)} {what}")
        broken += not is_right
    for rule in set(rules.ALL + (formatting,)) - proven:
        print(f"not ok tidy/self/{case_name(rule)} has no sample")
        broken += 1
    return broken


def main():
    """0 when everything holds."""
    if sys.argv[1:] == ["--self"]:
        return 1 if prove() else 0
    tree = read(ROOT)
    if not tree.sources((".c",), rooms=rules.house.ROOMS):
        print("not ok tidy/tree holds no source")
        return 1
    return 1 if judge(tree) else 0


if __name__ == "__main__":
    sys.exit(main())
