"""A session (SYNC): two sides compare their logs, and each gives what the other lacks."""
import time

from second_handshake import Closed
from second_keys import mac, u64
from second_pack import pack, unpack
from second_restate import begins_at

(HELLO, MARKS, TOTALS, LOG, BATCH, ACK, CREDIT, BYE, PING, PONG, IDENTITY, LINK, REFUSED,
 TRACE_ASK, TRACE, FETCH, RETURNED, STORED, FACTS, WANT, PAYLOAD) = range(1, 22)
VERSION = 1
CREDIT_START = 1 << 20
CREDIT_PORTION = 128 << 10
MARKS_PER_MESSAGE = 1024


class Ended(Exception):
    """The other side said bye, for this reason."""


class Session:
    """One session of a node with a peer, on a channel."""

    def __init__(self, node, peer, channel):
        self.node, self.peer, self.channel = node, peer, channel
        self.counts = {}         # number -> how often it was heard
        self.digests = None      # as my hello said them: mine, yours
        self.theirs = {}         # (space, device) -> size: what they are known to hold
        self.acked = {}
        self.given = {}          # (space, device) -> number of mine
        self.taken = {}          # number of theirs -> (space, device), continues
        self.ignored = set()     # logs of spaces that are not known yet
        self.owed = self.returned = 0
        self.may = CREDIT_START
        self.marks_heard = False
        self.in_step = False
        self.payloads = []       # [entry, payload], as they were answered
        self.begun = set()       # logs that began at a block's end for the other side

    def say(self, *message):
        self.channel.say(pack(list(message)))

    def until(self, holds, seconds=30, what="it did not come to that"):
        """Hears until this holds."""
        end = time.monotonic() + seconds
        while not holds():
            left = end - time.monotonic()
            assert left > 0, f"{what}; heard {self.counts}"
            self.hear(min(left, 0.2))

    def hear(self, seconds):
        message = self.channel.hear(seconds)
        if message is None:
            return False
        number, *rest = unpack(message)
        self.counts[number] = self.counts.get(number, 0) + 1
        if number in (BATCH, RETURNED):
            self.owed += 4 + len(message)
        getattr(self, HEARERS[number])(*rest)
        return True

    # What is said at the beginning.

    def digest(self, logs):
        """SYNC-2"""
        text = b"".join(space + device + u64(size) + tag
                        for space, device, size, tag in self.node.marks(logs))
        return mac(16, self.channel.hash, "kith digest", text)

    def hello(self):
        mine, yours = self.node.shared(self.peer)
        self.digests = [self.digest(mine), self.digest(yours)]
        self.node.forks.held.clear()
        self.node.forks.branches.clear()
        self.known = {(log.space, log.device): log.size()
                      for log in self.node.all_shared(self.peer)}
        self.say(HELLO, VERSION, *self.digests, self.node.addresses)

    def hear_hello(self, version, mine, yours, _):
        """SYNC-3"""
        assert version == VERSION, version
        if [yours, mine] == self.digests:
            self.in_step = self.marks_heard = True
            self.theirs, self.acked = dict(self.known), dict(self.known)
        else:
            self.node.forks.say_facts(self)
            self.say_marks()

    def say_marks(self):
        marks = self.node.marks(self.node.all_shared(self.peer))
        assert len(marks) <= MARKS_PER_MESSAGE
        self.say(MARKS, marks, True)

    def hear_marks(self, marks, is_last):
        """SYNC-4"""
        if self.marks_heard:
            self.theirs, self.marks_heard = {}, False
        for space, device, size, tag in marks:
            if not self.peer.shares(space, device):  # SYNC-21
                continue
            self.theirs[(space, device)] = self.acked[(space, device)] = size
            self.node.forks.compare(self, space, device, size, tag)
        if is_last:
            self.marks_heard = True
            self.say_totals()
            self.give()

    # Giving.

    def lacking(self):
        """The logs of which the other side holds less, and how much it holds."""
        for log in self.node.all_shared(self.peer):
            size = self.theirs.get((log.space, log.device), 0)
            if size == 0:
                size = begins_at(self.node, self.peer, log)
            if log.first <= size < log.size() and log.device not in self.peer.devices and \
                    (log.space, log.device) not in self.node.forks.held:
                yield log, size

    def say_totals(self):
        """SYNC-6"""
        entries = [entry for log, size in self.lacking()
                   for entry in log.entries[size - log.first:]]
        if entries:
            self.say(TOTALS, len(entries), sum(entry.size for entry in entries))

    def give(self):
        """SYNC-6, SYNC-7, SYNC-9, SYNC-13"""
        if not self.marks_heard:
            return
        for log, size in list(self.lacking()):
            key = (log.space, log.device)
            if self.node.own and key not in self.given:
                self.node.own.tell_writer(self, log.device)
            if key not in self.given:
                self.given[key] = len(self.given)
                self.say(LOG, self.given[key], *key)
            while size < log.size() and self.may >= CREDIT_START // 2:
                entries, signature, end = log.batch(size)
                start = [size, log.hash_at(size)]
                if size and not self.theirs.get(key):
                    start = self.node.books[key].start_at(size)
                    self.begun.add(key)
                message = pack([BATCH, self.given[key], start, entries, signature])
                self.may -= 4 + len(message)
                self.channel.say(message)
                self.theirs[key] = size = end

    def hear_credit(self, size):
        self.may += size
        self.give()

    def hear_ack(self, sizes):
        """SYNC-12: acknowledged is what was sent."""
        keys = {number: key for key, number in self.given.items()}
        for number, size in sizes:
            self.acked[keys[number]] = size
            assert size <= self.theirs[keys[number]], (number, size)

    def is_acked(self):
        """All of mine that is shared is stored there."""
        return all(self.acked.get((log.space, log.device), 0) >= log.size()
                   for log in self.node.shared(self.peer)[0])

    def is_settled(self):
        """SYNC-14, as far as it can be seen from here."""
        held = {(log.space, log.device): log.size() for log in self.node.all_shared(self.peer)}
        return self.marks_heard and self.is_acked() and \
            all(held.get(key, 0) >= size for key, size in self.theirs.items()
                if self.peer.shares(*key))

    # Taking.

    def hear_totals(self, entries, size):
        self.announced = (entries, size)

    def hear_log(self, number, space, device):
        assert number == len(self.taken), "logs are numbered upwards"
        self.taken[number] = (space, device)

    def hear_batch(self, number, start, entries, signature):
        """SYNC-8"""
        key = self.taken[number]
        if not self.peer.knows(*key):
            self.ignored.add(key)
            return
        size = self.node.take(self.peer, key, start, entries, signature)
        if size is None:
            self.say_marks()
        else:
            self.theirs[key] = self.acked[key] = max(size, self.theirs.get(key, 0))
            self.say(ACK, [[number, size]])
        if any(self.peer.knows(*key) for key in self.ignored):  # SYNC-10
            self.ignored.clear()
            self.say_marks()
        if self.owed >= CREDIT_PORTION:
            self.say(CREDIT, self.owed)
            self.owed = 0

    # All else.

    def hear_bye(self, reason):
        raise Ended(reason)

    def hear_ping(self):
        self.say(PONG)

    def hear_pong(self):
        pass

    def hear_identity(self, identity):
        self.peer.meet(identity)

    def hear_link(self, *told):
        self.peer.linked(*told)

    def hear_refused(self, reason):
        self.refused = reason

    def hear_facts(self, statements):
        self.peer.hear_facts(self.node, statements)

    def hear_trace_ask(self, space, device, size):
        self.node.forks.say_trace(self, space, device, size)

    def hear_trace(self, space, device, tags, is_last):
        self.node.forks.hear_trace(self, space, device, tags, is_last)

    def hear_fetch(self, space, device, size):
        self.node.forks.say_returned(self, space, device, size)

    def hear_returned(self, *returned):
        self.node.forks.hear_returned(self, *returned)

    def hear_stored(self, number):
        self.stored = number

    def hear_want(self, space, device, entries):
        """ABSENT-3"""
        log = self.node.books[(space, device)].log
        for seq in entries:
            message = pack([PAYLOAD, seq, log.entry(seq).payload or b""])
            self.may -= 4 + len(message)
            self.channel.say(message)

    def hear_payload(self, entry, payload):
        self.payloads.append([entry, payload])

    def bye(self):
        """CHANNEL-3: the last frame says so."""
        try:
            self.channel.say(pack([BYE, 1]), flags=1)
            while self.hear(2):
                pass
        except (Closed, Ended, OSError):
            pass
        self.channel.close()


HEARERS = {HELLO: "hear_hello", MARKS: "hear_marks", TOTALS: "hear_totals", LOG: "hear_log",
           BATCH: "hear_batch", ACK: "hear_ack", CREDIT: "hear_credit", BYE: "hear_bye",
           PING: "hear_ping", PONG: "hear_pong", IDENTITY: "hear_identity", LINK: "hear_link",
           REFUSED: "hear_refused", TRACE_ASK: "hear_trace_ask", TRACE: "hear_trace",
           FETCH: "hear_fetch", RETURNED: "hear_returned", STORED: "hear_stored",
           FACTS: "hear_facts", WANT: "hear_want", PAYLOAD: "hear_payload"}
