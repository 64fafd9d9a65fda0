"""What the house allows, as tables; every exception stands here with its reason."""
import re

ROOMS = ("crypto", "proto", "storage", "node")  # from left to right
TOP = {"node", "proto", "crypto", "storage", "tests", "CMakeLists.txt", "CMakePresets.json",
       "README.md", "LICENSE"}
BANNED_NAMES = {"util", "utils", "common", "helper", "helpers", "misc", "manager"}

FILE_LINES, FUNCTION_LINES, LINE_COLUMNS, NESTING = 600, 70, 100, 3

# Third-party headers and the only product files that include them. Tests may include any of these.
THIRD_PARTY = {
    "sodium.h": r"crypto/\w+\.c",
    "msgpack.h": r"proto/wire\.c",
    "malloc.h": r"crypto/heap\.c",  # how large a piece is, so that it can be wiped
    "lmdb.h": r"storage/kv_lmdb(_library)?\.c",  # the second says which LMDB runs
    "utf8proc.h": r"storage/fold\.c",
    "uv.h": r"node/(loop\w*\.c|loop_state\.h)",
    "jansson.h": r"node/\w+\.[ch]",
    "csv.h": r"node/csv\.c",
    "qrencode.h": r"node/show\w*\.c",
    "cmocka.h": r"(?!)",
    "zlib.h": r"(?!)",
    "dlfcn.h": r"(?!)",  # tests/e2e/fault.c stands between a program and the system
}

# Headers of the language and the system; another name in <> is a dependency nobody has decided on.
SYSTEM = re.compile(
    r"(arpa|net|netinet|sys)/\w+\.h|(assert|ctype|dirent|errno|fcntl|iconv|ifaddrs|inttypes|"
    r"limits|locale|math|netdb|poll|pthread|pwd|sched|setjmp|signal|spawn|stdalign|stdarg|"
    r"stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|termios|threads|time|unistd|"
    r"wchar)\.h")

# Functions, the files that may call them nonetheless, and what to use instead. (?!) is no file.
SPEAKS = r"node/(log|show\w*|door\w*|prompt|main|cmd_\w+)\.c"
FORBIDDEN = (
    (r"strcpy|strcat|strncpy|strncat|stpcpy|sprintf|vsprintf", r"(?!)", "span, or snprintf"),
    (r"gets|scanf|sscanf|fscanf|atoi|atol|atoll|atof", r"(?!)", "the parser in node/config.c"),
    # jcs.c asks whether a text reads back to the same double.
    (r"strto(?:l|ll|ul|ull|d|f|imax|umax)", r"node/(config|main|jcs)\.c",
     "the parser in node/config.c"),
    (r"strtok|strtok_r|setjmp|longjmp|alloca|system|popen|rand|srand|random|assert", r"(?!)",
     "nothing: these have no place here"),
    # main ignores SIGPIPE; that is the one signal set outside the loop.
    (r"signal", r"node/main\.c", "the loop's own signal events"),
    (r"malloc|malloc_usable_size|calloc|realloc|reallocarray|strdup|strndup|asprintf|"
     r"vasprintf", r"crypto/heap\.c",
     "crypto/heap.h"),
    # What a library allocated goes back to that library's own allocator.
    (r"free", r"crypto/heap\.c|storage/fold\.c|node/show\.c", "heap_free"),
    (r"randombytes\w*", r"crypto/entropy\.c", "crypto/entropy.h"),
    (r"time|clock_gettime|gettimeofday|uv_now|uv_hrtime", r"node/clock\.c", "node/clock.h"),
    (r"getenv|secure_getenv|setenv|putenv", r"node/config\.c", "node/config.h"),
    # err.c says its last words before it aborts.
    (r"printf|fprintf|vprintf|vfprintf|puts|fputs|fputc|putchar|perror", SPEAKS + r"|crypto/err\.c",
     "node/log.h, or an error value"),
)

# Names that a file exports besides its own noun's.
EXPORTS = {
    "crypto/span": (r"buf_\w+|be\d+(_put)?|size_\w+|hex_\w+", "the small bytes of the floor"),
    "node/main": (r"main", "where programs begin"),
}

# Files whose exports begin with another noun's name: (the nouns, why).
PARTS = {
    "crypto/identity": ("public_key", "a member's identity seen from outside"),
    "proto/log": ("chain entry head batch verified_batch", "a log is nothing but these"),
    "proto/invite": ("invitation address", "an invitation is mostly addresses"),
    "proto/device": ("certificate", "what makes a device one of a member's"),
    "proto/edit": ("object", "how an object's edits are written and read"),
    "proto/object_seen": ("object", "what deletes have seen of an object"),
    "proto/endorsement": ("relation audience", "the words an endorsement is made of"),
    "storage/endorsement_table": ("endorsement", "its rows and the decisions in them"),
    "storage/endorsement_merge": ("endorsement", "how rows of endorsements come to be"),
    "storage/endorsement_waiting": ("endorsement", "a part of its table"),
    "storage/epoch_table": ("ledger", "a part of the ledger"),
    "storage/ingest": ("ledger", "a part of the ledger"),
    "storage/log_table": ("ledger", "a part of the ledger"),
    "storage/space": ("ledger", "a part of the ledger"),
    "storage/space_knock": ("space", "what peers knock with is renewed as spaces are"),
    "storage/space_network": ("space", "one of a member's spaces"),
    "storage/space_look": ("space", "what is known of a space's epochs"),
    "storage/space_sibling": ("space", "what own devices need of one another's spaces"),
    "storage/space_audience": ("space", "who reads a space"),
    "storage/space_epoch": ("space", "the epochs of a space"),
    "storage/view_ask_hear": ("view", "how the rows of the view of asks come to be"),
    "storage/view_device": ("view", "rows that the view of peers is read with"),
    "storage/view_device_claim": ("view_device", "devices that several members have certified"),
    "storage/view_knock": ("view", "a part of the view of peers"),
    "storage/view_peer": ("view", "what only the rows of peers can answer"),
    "node/door_store": ("door", "a part of the door"),
    "node/door_here": ("door", "a part of the door"),
    "node/ops": ("op", "the table and what every op of it uses"),
}
