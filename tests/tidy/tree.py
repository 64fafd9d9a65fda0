"""The files of the project as text, and C text taken apart as far as the rules need it."""
import os
import re
import subprocess

SOURCE = (".c", ".h", ".py", ".sh", ".md", ".txt", ".json", ".part", ".yml")
PIECES = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")


class Function:
    """One function definition: header text, name, and the lines it covers."""

    def __init__(self, header, line, body):
        plain = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", header)
        found = NAME.search(plain)
        self.name = found.group(1) if found else ""
        self.is_static = re.match(r"\s*static\b", header) is not None
        self.line = line
        self.body_line = line + header.count("\n") + 1
        self.body = body
        self.lines_count = header.count("\n") + 1 + len(body)


class CFile:
    """One C file: code without comments and strings, its comments, its functions."""

    def __init__(self, text):
        self.comments = []
        self.code = PIECES.sub(self._blank, text)
        self.functions = self._functions(self.code.split("\n"))

    def _blank(self, found):
        piece = found.group(0)
        if piece.startswith("/"):
            line = found.string.count("\n", 0, found.start()) + 1
            self.comments.append((line, piece))
            return re.sub(r"[^\n]", " ", piece)
        return piece[0] + " " * (len(piece) - 2) + piece[-1]

    @staticmethod
    def _functions(lines):
        """clang-format puts the braces of functions, and of nothing else, alone in column 0."""
        functions, start = [], None
        for at, line in enumerate(lines):
            if line.rstrip() == "{" and start is None:
                start = at
            elif line.rstrip() == "}" and start is not None:
                head = start
                while head > 0 and lines[head - 1].strip() and lines[head - 1][0] != "#" \
                        and lines[head - 1].rstrip()[-1] not in ";}":
                    head -= 1
                header = "\n".join(lines[head:start])
                functions.append(Function(header, head + 1, lines[start:at + 1]))
                start = None
        return functions


class Tree:
    """Paths from the root with their text; built from disk, or from a table by the self-check."""

    def __init__(self, files, paths=None):
        self.files = files
        self.paths = sorted(paths if paths is not None else files)
        self._parsed = {}

    def c(self, path):
        """The file taken apart; parsed once."""
        if path not in self._parsed:
            self._parsed[path] = CFile(self.files[path])
        return self._parsed[path]

    def sources(self, endings, rooms=None):
        """Paths with one of these endings (a string or a tuple); rooms: only below these."""
        return [path for path in self.paths if path in self.files and path.endswith(endings)
                and (rooms is None or path.split("/")[0] in rooms)]


def paths_of(root):
    """What git tracks or would track; where there is no git, what lies there."""
    asked = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(asked, capture_output=True, check=True).stdout
        paths = [path for path in listed.decode("utf-8").split("\0") if path]
    except (OSError, subprocess.CalledProcessError):
        paths = []
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name != ".git"
                          and not (folder == root and re.match(r"build(-|$)", name))]
            paths += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return [path for path in paths if os.path.isfile(os.path.join(root, path))]


def read(root):
    """The project on disk."""
    paths, files = paths_of(root), {}
    for path in paths:
        if path.endswith(SOURCE) and "/corpus/" not in path or path == ".clang-format":
            with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
                files[path] = file.read()
    return Tree(files, paths)
