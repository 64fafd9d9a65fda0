"""The rules. Each takes the tree and gives findings (path, line, text); none: the rule holds."""
import re

import house

C_FILES = (".c", ".h")
COMMENTED = (".c", ".h", ".py", ".sh", "CMakeLists.txt")
TEXTS = COMMENTED + (".md", ".json", ".yml")
INCLUDE = r'^[ \t]*#\s*include\s+(["<])([^">]+)[">]'


def room_of(path):
    """The product room of a path, or None."""
    first = path.split("/")[0]
    return first if first in house.ROOMS and "/" in path else None


def line_at(text, offset):
    """The line of an offset, from 1."""
    return text.count("\n", 0, offset) + 1


def each_match(tree, pattern, paths):
    """(path, line, match) of a pattern in whole files."""
    for path in paths:
        for found in re.finditer(pattern, tree.files[path], re.M):
            yield path, line_at(tree.files[path], found.start()), found


def direction(tree):
    """A file includes its own room and rooms to its left."""
    for path, line, found in each_match(tree, INCLUDE, tree.sources(C_FILES, rooms=house.ROOMS)):
        if found.group(1) != '"':
            continue
        target = room_of(found.group(2))
        if target is None:
            yield path, line, f'"{found.group(2)}" does not begin with a room'
        elif house.ROOMS.index(target) > house.ROOMS.index(room_of(path)):
            yield path, line, f"{room_of(path)} may not include {target}"


def third_party(tree):
    """Each library is included by the files that are its door."""
    for path, line, found in each_match(tree, INCLUDE, tree.sources(C_FILES)):
        name = found.group(2)
        if found.group(1) != "<" or house.SYSTEM.fullmatch(name):
            continue
        if name not in house.THIRD_PARTY:
            yield path, line, f"<{name}> is no header anybody decided on"
        elif room_of(path) and not re.fullmatch(house.THIRD_PARTY[name], path):
            yield path, line, f"<{name}> is not for this file"


def forbidden(tree):
    """Functions that are not called, or only behind their door."""
    for path in tree.sources(C_FILES, rooms=house.ROOMS):
        code = tree.c(path).code
        for names, allowed, instead in house.FORBIDDEN:
            if re.fullmatch(allowed, path):
                continue
            for found in re.finditer(rf"(?<![\w.>])({names})\s*\(", code):
                yield path, line_at(code, found.start()), f"{found.group(1)}: use {instead}"


def conditionals(tree):
    """No #if in product code but include guards."""
    for path in tree.sources(C_FILES, rooms=house.ROOMS):
        for at, line in enumerate(tree.files[path].split("\n")):
            if re.match(r"\s*#\s*(if|elif|else)", line) and \
                    not re.match(r"#ifndef KITH_\w+_H$", line):
                yield path, at + 1, "one program, no variants: " + line.strip()


def names(tree):
    """A file is a noun; the drawer for what nobody placed does not exist."""
    for path in tree.paths:
        stem = path.split("/")[-1].split(".")[0]
        if house.BANNED_NAMES & set(stem.lower().split("_")):
            yield path, 1, "move each function to the noun it is about"


def top_level(tree):
    """The rooms, the build, the README, a licence, and dot-files."""
    for top in sorted({path.split("/")[0] for path in tree.paths}):
        if top not in house.TOP and not top.startswith("."):
            yield top, 1, "does not belong at the top"


def file_size(tree):
    """A file that grows past the limit is two files."""
    for path in tree.sources(COMMENTED):
        count = tree.files[path].count("\n")
        if count > house.FILE_LINES:
            yield path, count, f"{count} lines; at most {house.FILE_LINES}"


def function_size(tree):
    """Parents branch, leaves compute."""
    for path in tree.sources(C_FILES):
        for function in tree.c(path).functions:
            if function.lines_count > house.FUNCTION_LINES:
                yield path, function.line, (f"{function.name} has {function.lines_count} lines; "
                                            f"at most {house.FUNCTION_LINES}")


def nesting(tree):
    """Deeper nesting is another function; indentation tells, since clang-format decides it."""
    deep = re.compile(rf" {{{4 * (house.NESTING + 1)},}}(if|for|while|switch|do)\b")
    for path in tree.sources(C_FILES, rooms=house.ROOMS):
        for function in tree.c(path).functions:
            for at, line in enumerate(function.body):
                if deep.match(line):
                    yield path, function.body_line + at, f"nested deeper than {house.NESTING}"


def columns(tree):
    """A line fits a screen."""
    for path in tree.sources(COMMENTED):
        for at, line in enumerate(tree.files[path].split("\n")):
            if len(line) > house.LINE_COLUMNS:
                yield path, at + 1, f"{len(line)} columns; at most {house.LINE_COLUMNS}"


def guards(tree):
    """A header's guard is KITH_ROOM_NOUN_H and is closed on the last line."""
    for path in tree.sources(".h"):
        parts = path[:-2].upper().split("/")
        guard = f"KITH_{'_'.join(parts)}_H"
        # A folder of tests need not be told: tests/unit/heap.h may say KITH_TESTS_HEAP_H.
        short = f"KITH_{parts[0]}_{parts[-1]}_H"
        text = tree.files[path]
        if not any(f"#ifndef {name}\n#define {name}\n" in text for name in (guard, short)):
            yield path, 1, f"the guard is {guard}"
        elif not text.rstrip().endswith("#endif"):
            yield path, text.count("\n"), "the guard ends on the last line"


def static_names(tree):
    """No static function has one name in two places."""
    seen = {}
    for path in tree.sources(C_FILES, rooms=house.ROOMS):
        for function in tree.c(path).functions:
            if not function.is_static:
                continue
            first = seen.setdefault(function.name, path)
            if first != path:
                yield path, function.line, f"{function.name} stands in {first} too"


def export_prefixes(tree, path):
    """x.c exports x_*; a part x_y.c of the noun x, whose header is x.h or x_state.h, may too."""
    room, stem = path[:-2].rsplit("/", 1)
    words = stem.split("_")
    prefixes = [stem] + house.PARTS.get(path[:-2], ("",))[0].split()
    for count in range(1, len(words)):
        noun = "_".join(words[:count])
        if {f"{room}/{noun}.h", f"{room}/{noun}_state.h"} & set(tree.paths):
            prefixes.append(noun)
    return prefixes


def exports(tree):
    """A file exports its noun's verbs and nothing else."""
    for path in tree.sources(C_FILES, rooms=house.ROOMS):
        extra = house.EXPORTS.get(path[:-2], (r"(?!)", ""))[0]
        prefixes = export_prefixes(tree, path)
        for function in tree.c(path).functions:
            is_ours = any(re.match(rf"{noun}(_|$)", function.name) for noun in prefixes)
            is_hidden = function.is_static and path.endswith(".c")
            if not is_hidden and not is_ours and not re.fullmatch(extra, function.name):
                yield path, function.line, (f"{function.name} does not begin with "
                                            f"{' or '.join(prefixes)}")


def state(tree):
    """No mutable globals, no function statics; constant tables are welcome."""
    variable = re.compile(r"^(?:\s+static|static)\s+(?!const\b|inline\b|_Noreturn\b)[^(;]*[;=]")
    for path in tree.sources(C_FILES, rooms=house.ROOMS):
        for at, line in enumerate(tree.c(path).code.split("\n")):
            if variable.match(line) and not re.search(r"\*\s*const\b", line):
                yield path, at + 1, "state belongs to an object: " + line.strip()


def typedefs(tree):
    """A struct is called struct."""
    pattern = r"\btypedef\s+(struct|union|enum)\s*(\w+\s+\w+\s*;|\w*\s*\{)"
    for path, line, _ in each_match(tree, pattern, tree.sources(C_FILES)):
        yield path, line, "say struct, union or enum where it is used"


def comments_of(tree, path):
    """(line, text) of every comment, of C, of scripts and of CMake."""
    if path.endswith(C_FILES):
        return tree.c(path).comments
    return [(at + 1, line.strip()) for at, line in enumerate(tree.files[path].split("\n"))
            if re.match(r"\s*#(?!!)", line)]


def marks(tree):
    """What is not done is an issue, not a comment."""
    pattern = r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b"
    for path, line, found in each_match(tree, pattern, tree.sources(TEXTS)):
        yield path, line, f"{found.group(1)} is not written down here"


def openings(tree):
    """Comments say why; they neither count steps, nor narrate, nor draw."""
    narrates = re.compile(r"^[/*#\s]*(Step \d|Now we\b|Here we\b|Initiali[sz]e the\b|Fixed:|"
                          r"This function\b)", re.I | re.M)
    draws = re.compile(r"[=\-*#~_]{4,}")
    for path in tree.sources(COMMENTED):
        for line, text in comments_of(tree, path):
            if narrates.search(text):
                yield path, line, "a comment says why"
            elif draws.search(text):
                yield path, line, "no banners; a shorter file"


def machine_paths(tree):
    """Nothing points to a place that only one machine has."""
    pattern = r"(?<![\w./~$}])/(home|root|work|Users|mnt|srv)/[\w.]+"
    for path, line, found in each_match(tree, pattern, tree.sources(TEXTS)):
        yield path, line, f"{found.group(0)} is a place on one machine"


def protocol_rules(tree):
    """{id: text} of PROTOCOL.md: a rule begins "- NAME-n " and ends at a blank line or the next."""
    rules, current = {}, None
    for line in tree.files.get("proto/PROTOCOL.md", "").split("\n"):
        found = re.match(r"\s*(?:[-*]\s+)?\**([A-Z]+(?:-[A-Z]+)*-\d+)\**[.:]?\s+(.*)", line)
        if found:
            current = found.group(1)
            rules[current] = found.group(2)
        elif not line.strip() or line.startswith(("#", "|", "- ", "```")):
            current = None
        elif current:
            rules[current] += " " + line
    return {name: plain(text) for name, text in rules.items()}


def plain(text):
    """Words only: line ends, comment stars and the marks of Markdown do not count."""
    text = re.sub(r"\n\s*\*?(?!/)\s?", " ", text)
    return re.sub(r"\s+", " ", re.sub(r"[`*]", "", text)).strip()


def quotations(tree):
    """(path, line, rule, quoted text or None) of every place that names a rule."""
    named = re.compile(r'PROTOCOL\s+([A-Z]+(?:-[A-Z]+)*-\d+)(?:\s*:[\s*]*"(.*?)")?', re.S)
    for path in tree.sources(C_FILES):
        for line, text in tree.c(path).comments:
            for found in named.finditer(text):
                at = line + text.count("\n", 0, found.start())
                yield path, at, found.group(1), found.group(2)


def accusations(tree):
    """(path, line, rule, text) of every "RULE: text" that the owner is told when it is broken."""
    pieces = r'"((?:[^"\\]|\\.)*)"'
    told = rf'"([A-Z]+(?:-[A-Z]+)*-\d+): ((?:[^"\\]|\\.)*)"((?:[\s\\]*{pieces})*)'
    known = protocol_rules(tree)
    for path, line, found in each_match(tree, told, tree.sources(C_FILES, rooms=house.ROOMS)):
        if found.group(1) in known:
            text = found.group(2) + "".join(re.findall(pieces, found.group(3)))
            yield path, line, found.group(1), text.rstrip(".")


def protocol(tree):
    """A rule that is quoted stands word for word in PROTOCOL.md; what carries rules out quotes
    each of them somewhere."""
    rules = protocol_rules(tree)
    if not rules:
        yield "proto/PROTOCOL.md", 1, "holds no rules"
    said = {rule for path, _, rule, quoted in quotations(tree)
            if quoted is not None and room_of(path)}
    for rule in sorted(set(rules) - said):
        yield "proto/PROTOCOL.md", 1, f"{rule} is quoted by no code of the rooms"
    for path, line, rule, quoted in (*quotations(tree), *accusations(tree)):
        if rule not in rules:
            yield path, line, f"{rule} is no rule of PROTOCOL.md"
        elif quoted is not None and plain(quoted) not in rules[rule]:
            yield path, line, f"{rule} does not say so"


def bounds_of(tree):
    """{name: value} of limits.h."""
    code = re.sub(r"/\*.*?\*/", "", tree.files.get("proto/limits.h", ""), flags=re.S)
    values = {}
    for found in re.finditer(r"^\s*([A-Z][A-Z0-9_]+)\s*=\s*([\w\s<+*()]+)", code, re.M):
        values[found.group(1)] = eval(  # pylint: disable=eval-used
            found.group(2), {"__builtins__": {}}, values)
    return values


def bounds(tree):
    """Whoever reads PROTOCOL.md alone finds there what each bound is, and that is what holds."""
    path, values = "proto/PROTOCOL.md", bounds_of(tree)
    told = set()
    for path, line, found in each_match(
            tree, r"(?<=\| )([A-Z]+(?:_[A-Z0-9]+)+) \| ([\d,]+)(?= \|)",
            [path for path in tree.paths if path == "proto/PROTOCOL.md"]):
        told.add(found.group(1))
        if values.get(found.group(1)) != int(found.group(2).replace(",", "")):
            yield path, line, f"{found.group(1)} is {values.get(found.group(1))} in limits.h"
    for name in sorted(set(re.findall(r"\b[A-Z]+(?:_[A-Z0-9]+)+\b", tree.files.get(path, "")))):
        if name not in told:
            yield path, 1, f"{name} has no value in the table of bounds"


ALL = (direction, third_party, forbidden, conditionals, names, top_level, file_size, function_size,
       nesting, columns, guards, static_names, exports, state, typedefs, marks, openings,
       machine_paths, protocol, bounds)
