"""Edits and the objects they make (EDIT, MERGE, ORIGIN), as far as cards, grants and what lies in
pair spaces need them."""
from second_pack import Malformed, unpack

YEAR_2020, YEAR_2100 = 1577836800000, 4102444800000


class Object:
    """All writes of one object, in one space."""

    def __init__(self):
        self.registers = {}  # field -> (counter, time, device, hash, value)
        self.adds = {}       # dot -> (field, value)
        self.removed = set()
        self.places = set()  # (device, seq) of every write that shows it
        self.deletes = []

    def write(self, write, origin):
        device, seq, entry_hash, time = origin
        what, *rest = write
        if what == 3:  # MERGE-4
            self.deletes.append({one: size for one, size in rest[0]})
            return
        self.places.add((device, seq))
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
        return any(all(seq <= marks.get(device, 0) for device, seq in self.places)
                   for marks in self.deletes)

    def value(self, field):
        return self.registers[field][4] if field in self.registers else None

    def values(self, field):
        return sorted(value for dot, (at, value) in self.adds.items()
                      if at == field and dot not in self.removed)


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


def read(books):
    """{(kind, id): object} of all readable entries of a space's logs."""
    objects = {}
    for book in books:
        for seq in range(book.log.first + 1, book.log.size() + 1):
            plain = book.plain(seq)
            if plain is None:
                continue
            try:
                kind, object_id, time, writes, *original = unpack(plain)
                origin = (book.log.device, seq, book.log.entry(seq).hash, time)
                if original:  # ORIGIN-2
                    origin = (*original[0][:3], time)
                one = objects.setdefault((kind, object_id), Object())
                for write in spelled_out(writes):
                    one.write(write, origin)
            except (Malformed, ValueError, TypeError):  # EDIT-4
                continue
    return objects
