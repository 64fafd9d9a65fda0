"""For each rule something that breaks it and the same thing mended: (rule, what, bad, good)."""


def c(body, path="proto/frame.c"):
    """One file."""
    return {path: body}


def function(lines, name="frame_read", path="proto/frame.c", before=""):
    """One file with one function that has these lines in its body."""
    return {path: before + f"int {name}(void)\n{{\n" + "".join(f"{line}\n" for line in lines)
            + "}\n"}


def bound(row, value):
    """PROTOCOL.md with a table of one row, and limits.h with one bound."""
    return {"proto/PROTOCOL.md": f"A name has NAME_SIZE_MAX bytes.\n\n| {row} |\n",
            "proto/limits.h": f"enum {{\n    NAME_SIZE_MAX = {value},\n}};\n"}


def quoted(text):
    """A rule, and a file that quotes it as text."""
    return {"proto/PROTOCOL.md": "# Frames\n\n- FRAME-1 A frame is never empty, and its\n"
                                 "  size is a `u32`.\n\n- FRAME-2 Nothing follows.\n",
            "proto/frame.c": f"/* PROTOCOL FRAME-1: \"{text}\" */\n"
                             "/* PROTOCOL FRAME-2: \"Nothing follows.\" */\n"}


GUARD = "#ifndef {0}\n#define {0}\n\n#endif\n"
T_MARK = "TO" + "DO"

SAMPLES = (
    ("direction", "crypto knows no proto", c('#include "proto/frame.h"\n', "crypto/seal.c"),
     c('#include "crypto/seal.h"\n')),
    ("direction", "every include names its room", c('#include "frame.h"\n'),
     c('#include "proto/frame.h"\n')),
    ("third_party", "a library has one door", c("#include <sodium.h>\n"),
     c("#include <sodium.h>\n", "crypto/seal.c")),
    ("third_party", "no header of a room shows a library", c("#include <uv.h>\n", "node/loop.h"),
     c("#include <uv.h>\n", "node/loop.c")),
    ("third_party", "new libraries are decided on", c("#include <openssl/ssl.h>\n"),
     c("#include <string.h>\n")),
    ("forbidden", "copies without bound", function(["    strcpy(a, b);"]),
     function(["    /* strcpy(a, b) */ log(\"strcpy(\");"])),
    ("forbidden", "memory has one door", function(["    malloc(1);"]),
     function(["    malloc(1);"], "heap_new", "crypto/heap.c")),
    ("forbidden", "time has one door", function(["    now = time(NULL);"]),
     function(["    now = event.time;", "    run_time(now);"])),
    ("conditionals", "one program", c("#ifdef DEBUG\n#endif\n"),
     c(GUARD.format("KITH_PROTO_FRAME_H"), "proto/frame.h")),
    ("names", "no drawers", c("", "proto/frame_utils.c"), c("")),
    ("top_level", "no other rooms", c("", "src/frame.c"), c("", ".ci/run")),
    ("file_size", "601 lines", c("\n" * 601), c("\n" * 600)),
    ("function_size", "71 lines", function(["    x();"] * 68), function(["    x();"] * 67)),
    ("nesting", "four deep", function([" " * 16 + "if (x)"]), function([" " * 12 + "if (x)"])),
    ("columns", "101 columns", c("x" * 101 + "\n"), c("x" * 100 + "\n")),
    ("guards", "the guard tells room and noun", c(GUARD.format("FRAME_H"), "proto/frame.h"),
     c(GUARD.format("KITH_PROTO_FRAME_H"), "proto/frame.h")),
    ("guards", "the guard holds everything",
     c(GUARD.format("KITH_PROTO_FRAME_H") + "int x;\n", "proto/frame.h"),
     c(GUARD.format("KITH_PROTO_FRAME_H"), "proto/frame.h")),
    ("static_names", "one name, one function",
     {path: "static int take(\n    int x)\n{\n}\n" for path in ("proto/a.c", "storage/b.c")},
     {f"proto/{noun}.c": f"static int {noun}_take(int x)\n{{\n}}\n" for noun in "ab"}),
    ("exports", "a noun's verbs", function([], "read_frame"), function([])),
    ("exports", "a part of no noun", function([], "frame_read", "proto/frame_in.c"),
     {"proto/frame.h": "", **function([], "frame_read", "proto/frame_in.c")}),
    ("state", "no globals", c("static int count;\n"), c("static const int count = 1;\n")),
    ("state", "no memory of functions", function(["    static char text[9];"]),
     function(["    static const char *const text[] = {0};"])),
    ("typedefs", "a struct is a struct", c("typedef struct frame frame;\n"),
     c("typedef struct frame *(*frame_fn)(void);\n")),
    ("marks", "no notes to oneself", c(f"/* {T_MARK}: later */\n"), c("/* kith-XXXXXX */\n")),
    ("openings", "no counting", c("/* Step 1: read it. */\n"), c("/* A step at a time. */\n")),
    ("openings", "no banners", c("/* ---- reading */\n"), c("/* a - b */\nx = a--;\n")),
    ("openings", "no banners in scripts", c("# ======\n", "node/run.sh"),
     c("# why\n", "node/run.sh")),
    ("machine_paths", "no place of one machine", c('"/ho' 'me/ana/x"\n'),
     c('"/etc/x" "$HOME/home/ana"\n')),
    ("protocol", "word for word", quoted("A frame may be empty"),
     quoted("A frame is never\n * empty, and its size is a u32.")),
    ("protocol", "of that rule", quoted("Nothing follows."), quoted("its size")),
    ("protocol", "no rule of that name",
     {**quoted("its size"), "proto/a.c": "/* PROTOCOL FRAME-9 */\n"},
     {**quoted("its size"), "proto/a.c": "/* PROTOCOL FRAME-2 says why. */\n"}),
    ("protocol", "every rule by some code",
     {**quoted("its size"), "proto/a.c": "", "proto/frame.c": "/* PROTOCOL FRAME-1. */\n"},
     quoted("its size")),
    ("protocol", "what is told of a broken rule",
     {**quoted("its size"), "proto/a.c": 'f("FRAME-2: Nothing "\n  "comes.");\n'},
     {**quoted("its size"), "proto/a.c": 'f("FRAME-2: Nothing "\n  "follows.");\n'}),
    ("bounds", "as limits.h has it", bound("NAME_SIZE_MAX | 20", "10 << 1 << 1"),
     bound("NAME_SIZE_MAX | 40", "10 << 2, /* why */\n    LINE_SIZE_MAX = 1")),
    ("bounds", "each with its value", bound("| |", "20"),
     bound("NAME_SIZE_MAX | 1,024", "1 << 10")),
    ("formatting", "as clang-format has it", c("int  frame;\n"), c("int frame;\n")),
)
