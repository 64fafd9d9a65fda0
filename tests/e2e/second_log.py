"""Logs: entries in a chain, blocks, heads, marks and batches (LOG, HEAD, MARK, ENTRY, BATCH)."""
import time

from second_keys import Refused, digest, sign, u32, u64, verify

DAY = 86400
BLOCK_ENTRIES = 256
BLOCK_BYTES = 256 * 1024


class Entry:
    """ENTRY-1: its payload, or, where that is gone, size and hash."""

    def __init__(self, epoch, expiry, *rest):
        self.epoch, self.expiry = epoch, expiry
        self.payload = rest[0] if len(rest) == 1 else None
        self.size = len(rest[0]) if len(rest) == 1 else rest[0]
        self.hash = digest("kith payload", rest[0]) if len(rest) == 1 else rest[1]
        self.left = expiry - time.time()
        self.arrived = time.monotonic()

    def is_over(self):
        """EXPIRY-1"""
        ran = time.monotonic() - self.arrived
        return self.expiry > 0 and time.time() >= self.expiry and ran >= self.left - DAY

    def chain(self, before):
        """LOG-2"""
        return digest("kith chain", before + u32(self.epoch) + u64(self.expiry) +
                      u32(self.size) + self.hash)

    def wire(self):
        if self.payload is None:
            return [self.epoch, self.expiry, self.size, self.hash]
        return [self.epoch, self.expiry, self.payload]


class Log:
    """What one device wrote in one space. It may begin at a beginning (BEGIN-2)."""

    def __init__(self, space, device):
        self.space, self.device = space, device
        self.entries, self.first = [], 0
        self.chain = [digest("kith log", space + device)]  # LOG-1
        self.ends = []
        self.heads = {}
        self.count = self.bytes = 0

    def size(self):
        return self.first + len(self.entries)

    def tip(self):
        return self.chain[-1]

    def hash_at(self, size):
        return self.chain[size - self.first]

    def entry(self, seq):
        return self.entries[seq - 1 - self.first]

    def mark(self):
        """MARK-1"""
        return [self.space, self.device, self.size(), self.tip()[:16]]

    def append(self, entry):
        """LOG-3: is this the end of a block?"""
        self.entries.append(entry)
        self.chain.append(entry.chain(self.tip()))
        self.count, self.bytes = self.count + 1, self.bytes + entry.size
        if self.count < BLOCK_ENTRIES and self.bytes < BLOCK_BYTES:
            return False
        self.count = self.bytes = 0
        self.ends.append(self.size())
        return True

    def head_text(self, size):
        """HEAD-1: what a head signs."""
        return self.space + self.device + u64(size) + self.hash_at(size)

    def sign_head(self, secret):
        self.heads[self.size()] = sign(secret, "kith head", self.head_text(self.size()))

    def begin(self, size, chain):
        """BEGIN-3: all before this size is not here."""
        self.first, self.chain = size, [chain]

    def beginning(self, size):
        """A log that holds so much of this one."""
        log = Log(self.space, self.device)
        for entry in self.entries[:size]:
            log.append(entry)
        log.heads = {at: head for at, head in self.heads.items() if at <= size}
        return log

    def take(self, entries, signature):
        """BATCH-2, BATCH-3, BATCH-4: all of it or nothing."""
        kept = len(self.entries), self.count, self.bytes, len(self.ends)
        try:
            ended = [self.append(Entry(*one)) for one in entries]
            if not ended or any(ended[:-1]):
                raise Refused("a batch crosses the end of a block")
            verify(self.device, "kith head", self.head_text(self.size()), signature)
        except Refused:
            count, self.count, self.bytes, ends = kept
            del self.entries[count:], self.chain[count + 1:], self.ends[ends:]
            raise
        self.heads[self.size()] = signature

    def batch(self, start):
        """(entries, signature, end) of what follows a size: to the end of its block or the head."""
        end = min([one for one in self.ends if one > start] + [self.size()])
        return [one.wire() for one in self.entries[start - self.first:end - self.first]], \
            self.heads[end], end

    def trace(self, size):
        """FORK-2: the tags at this size, or the tip, and at the block ends below, newest first."""
        size = min(size, self.size())
        below = [one for one in reversed(self.ends) if one < size]
        return [[one, self.hash_at(one)[:16]] for one in [size, *below]]
