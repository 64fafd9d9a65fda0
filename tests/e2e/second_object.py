"""Edits and the objects they make (EDIT, MERGE, ORIGIN), as far as cards, grants and what lies in
pair spaces need them."""
from second_pack import Malformed, unpack

KIND_RESTATEMENT, KIND_FORGET = 55, 56
NAME_SIZE = 8
YEAR_2020, YEAR_2100 = 1577836800000, 4102444800000


class Object:
    """All writes of one object, in one space."""

    def __init__(self):
        self.registers = {}  # field -> (counter, time, device, hash, value)
        self.adds = {}       # dot -> (field, value)
        self.removed = set()
        self.newest = {}     # device -> (seq, name) of its newest write
        self.apart = set()   # (device, seq, name) of what is repeated
        self.named = set()   # by deletes
        self.marks = {}      # device -> size, in deletes of an earlier kith

    def see(self, device, seq, name, is_repeated):
        """MERGE-4: the newest write of a log stands for those before, a repetition for itself."""
        if is_repeated and seq > 0:
            self.apart.add((device, seq, name))
        elif not is_repeated and seq > self.newest.get(device, (0,))[0]:
            self.newest[device] = seq, name

    def write(self, write, origin, is_repeated):
        device, seq, entry_hash, time = origin
        what, *rest = write
        if what == 3:  # MERGE-4
            for one, size in rest[0]:
                self.marks[one] = max(size, self.marks.get(one, 0))
            self.named.update(names_of(rest[1]) if rest[1:] else ())
            return
        self.see(device, seq, entry_hash[:NAME_SIZE], is_repeated)
        if what == 0:  # MERGE-1, MERGE-2
            field, counter, value = rest
            time = min(max(time, YEAR_2020), YEAR_2100)
            new = (counter, time, device, entry_hash, value)
            old = self.registers.get(field)
            if old is None or new[:4] > old[:4]:
                self.registers[field] = new
        elif what == 1:
            field, dot, value = rest
            self.adds[dot] = (field, value)
        elif what == 2:  # MERGE-3
            self.removed.update(rest[2])

    def is_hidden(self):
        writes = [(device, *write) for device, write in self.newest.items()] + list(self.apart)
        return all(name in self.named or seq <= self.marks.get(device, 0)
                   for device, seq, name in writes)

    def value(self, field):
        return self.registers[field][4] if field in self.registers else None

    def values(self, field):
        return sorted(value for dot, (at, value) in self.adds.items()
                      if at == field and dot not in self.removed)


def names_of(names):
    """EDIT-2: 8 bytes each, and at most 64."""
    if not isinstance(names, bytes) or len(names) % NAME_SIZE or not 8 <= len(names) <= 512:
        raise Malformed("names of writes")
    return {names[at:at + NAME_SIZE] for at in range(0, len(names), NAME_SIZE)}


def deletes(edits):
    """MERGE-4: deletes that name what these edits wrote."""
    names = sorted({edit.origin[2][:NAME_SIZE] for edit in edits})
    return [[3, [], b"".join(names[at:at + 64])] for at in range(0, len(names), 64)]


def spelled_out(writes):
    """EDIT-5: dots that count on from the one before become whole."""
    last = None
    for write in writes:
        if write[0] == 1:
            if isinstance(write[2], int):
                low = (int.from_bytes(last[8:], "big") + write[2] + 1) % (1 << 64)
                write[2] = last[:8] + low.to_bytes(8, "big")
            last = write[2]
        yield write


class Edit:
    """EDIT-1, ORIGIN-1: what an entry says, where it stands, and what it repeats."""

    def __init__(self, book, seq, plain):
        self.kind, self.id, time, writes, *rest = unpack(plain)
        self.at = book.log.device, seq
        entry = book.log.entry(seq)
        self.named, self.expiry = (*self.at, entry.hash), entry.expiry
        original = rest[0] if rest else [*self.named]
        self.place = tuple(original[3:]) or self.at
        self.origin = (*original[:3], time)
        self.is_repeated = bool(rest)
        self.writes = list(spelled_out(writes))
        for write in self.writes:
            if write[0] == 3 and write[3:]:
                raise Malformed("a delete")
            if write[0] == 3 and write[2:]:
                names_of(write[2])


def edits_of(books):
    for book in books:
        for seq in range(book.log.first + 1, book.log.size() + 1):
            plain = book.plain(seq) if not book.log.entry(seq).is_over() else None
            try:
                if plain is not None:
                    yield Edit(book, seq, plain)
            except (Malformed, ValueError, TypeError):  # EDIT-4
                continue


class Restatement:
    """RESTATE-1, RESTATE-2: the first edit tells what it covers, the second that it is complete."""

    def __init__(self, edits, keys):
        first, last = edits[0], edits[-1]
        told = {write[1]: write[3] for edit in edits for write in edit.writes}
        self.device, self.begin, self.end = *first.at, last.at[1]
        self.covers = {device: size for device, size, _ in unpack(told[1])}
        self.is_complete = told.get(3) == self.end - self.begin
        self.epoch = keys.epochs.get(told[2])

    def is_dead(self, edit):
        """RESTATE-4: a repetition is where its place is, too."""
        if edit.at[0] == self.device and self.begin <= edit.at[1] <= self.end:
            return False
        return any(seq <= self.covers.get(device, 0) for device, seq in (edit.at, edit.place))


def restatement_of(edits, keys):
    """RESTATE-3: of the complete ones that of the deepest epoch, of those the least id."""
    parts = {}
    for edit in edits:
        if edit.kind == KIND_RESTATEMENT:
            parts.setdefault(edit.id, []).append(edit)
    made = [Restatement(one, keys) for one in parts.values()]
    return min((one for one in made if one.is_complete and one.epoch),
               key=lambda one: (-one.epoch.depth, one.epoch.id), default=None)


def forgotten(edits):
    """FORGET-2: the entries, (device, seq, hash), that say nothing any more."""
    return {(device, seq, entry_hash) for edit in edits if edit.kind == KIND_FORGET
            for write in edit.writes if write[:2] == [0, 3]
            for device, entries in unpack(write[3]) for seq, entry_hash in entries}


def live(books, keys):
    """The edits of a space's logs that count."""
    edits = list(edits_of(books))
    gone = forgotten(edits)
    edits = [edit for edit in edits
             if not gone & {edit.named, edit.origin[:3]} or edit.kind == KIND_FORGET]
    counts = restatement_of(edits, keys)
    return [edit for edit in edits if counts is None or not counts.is_dead(edit)]


def merge(edits):
    """{(kind, id): object}"""
    objects = {}
    for edit in edits:
        one = objects.setdefault((edit.kind, edit.id), Object())
        for write in edit.writes:
            one.write(write, edit.origin, edit.is_repeated)
    return objects


def read(books, keys):
    """{(kind, id): object} of what counts and shows in a space's logs."""
    return {key: one for key, one in merge(live(books, keys)).items() if not one.is_hidden()}
