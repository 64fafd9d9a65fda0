"""A restatement of a space (RESTATE), and where a log begins for a newcomer (BEGIN)."""
from second_keys import fresh
from second_member import now_ms
from second_object import (KIND_RESTATEMENT, YEAR_2020, YEAR_2100, edits_of, live, merge,
                           restatement_of)
from second_pack import pack

DOTS_MAX = 256


def covers_of(books):
    """RESTATE-2: the mark of each log that holds anything."""
    return sorted([book.log.device, book.log.size(), book.log.tip()[:16]]
                  for book in books if book.log.size())


def held(one, edit):
    """RESTATE-5, RESTATE-11: the writes of an edit that hold a field, are a live add or a tie."""
    device, _, entry_hash, time = edit.origin
    time = min(max(time, YEAR_2020), YEAR_2100)
    for write in edit.writes:
        if write[0] == 0 and one.registers[write[1]][:4] == (write[2], time, device, entry_hash):
            yield write
        if write[0] == 4 or write[0] == 1 and write[2] not in one.removed:
            yield write


def repetitions(edits, device):
    """RESTATE-5, each as an edit and when it expires: those of one original in one entry."""
    found, objects = {}, merge(edits)
    for edit in edits:
        key, one = (edit.kind, edit.id), objects[(edit.kind, edit.id)]
        if edit.kind == KIND_RESTATEMENT:
            continue
        writes = [write for write in edit.writes if write[0] == 3] if one.is_hidden() else \
            list(held(one, edit))
        if writes:
            found.setdefault((key, edit.origin), (edit, writes))
    for (key, origin), (edit, writes) in found.items():
        yield [*key, origin[3], writes, [*origin[:3], *edit.place]], edit.expiry
    for key, one in objects.items():
        dots = [] if one.is_hidden() else sorted(one.removed)
        for at in range(0, len(dots), DOTS_MAX):
            yield [*key, now_ms(), [[2, 0, bytes(16), dots[at:at + DOTS_MAX]]],
                   [device, 0, bytes(32)]], 0


def restate(node, space):
    """RESTATE-1: one entry after the other in my log; the epoch tells no earlier key."""
    books = [book for book in node.books_of(space) if book.log.size()]
    covers, edits = covers_of(books), live(books, node.keys)
    epoch = node.open_epoch(space, [], is_told=False)
    log, restatement = node.book(space, node.me.device).log, fresh(16)
    node.write(space, KIND_RESTATEMENT, restatement, {1: pack(covers), 2: epoch.id})
    begin = log.size()
    for repeated, expiry in repetitions(edits, node.me.device):
        node.edit(space, repeated, expiry)
    node.write(space, KIND_RESTATEMENT, restatement, {3: log.size() + 1 - begin})
    node.commit()
    return epoch


def begins_at(node, peer, log):
    """BEGIN-1: for a peer at the newest block's end under the restatement that counts."""
    counts = restatement_of(list(edits_of(node.books_of(log.space))), node.keys)
    mark = counts.covers.get(log.device, 0) if counts else 0
    if getattr(peer, "own", None) and peer.member == peer.own.me.member:
        return log.first
    return max([end for end in log.ends if end <= mark and end < log.size()], default=log.first)
