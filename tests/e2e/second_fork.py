"""Forks that heal (FORK), retired devices (RETIRE, FACT) and what was cut (RETURN)."""
from second_epoch import Book, Epoch
from second_keys import Refused
from second_log import Log
from second_member import Certificate, now_ms, open_statement
from second_pack import unpack
from second_session import FACTS, FETCH, RETURNED, STORED, TRACE, TRACE_ASK

KIND_CERTIFICATE, KIND_RETIRE, KIND_KEEP = 31, 50, 51
FORKED, GIVEN_UP, STOLEN = 1, 2, 3
TAGS_MAX = 64
CARD, PAIR = 2, 3


def open_any(statement, labels):
    """(member, body) of a statement under one of these labels."""
    for label in labels[:-1]:
        try:
            return open_statement(label, statement)
        except Refused:
            continue
    return open_statement(labels[-1], statement)


class Fact:
    """FACT-1: a certificate, a retire statement or a keep, by its shape."""

    def __init__(self, statement):
        self.certificate, self.body = None, []
        if len(unpack(statement)) == 2:
            self.certificate = Certificate(statement)
            self.member = self.certificate.member
        else:
            self.member, body = open_any(statement, ("kith retire", "kith keep"))
            self.body = unpack(body)
        self.is_retire, self.is_keep = len(self.body) == 4, len(self.body) == 5


class Forks:
    """What a node does where a log has two branches."""

    def __init__(self, node):
        self.node = node
        self.held = set()      # logs of which nothing is given until one side has moved
        self.facts = {}        # device of mine that is retired -> statements
        self.ends = {}         # device of mine -> [successor, reason], as others say
        self.branches = {}     # (space, device) -> the other branch, as far as it has come
        self.returns = {}      # (space, device) -> what was cut, and from where on
        self.healed = None

    def is_fork(self, peer, space, device, size, tag):
        """SYNC-5, of a mark: it differs at its size, or is beyond the author's own."""
        book = self.node.books.get((space, device))
        if book is None:
            return False
        log = book.log
        is_author = device == self.node.me.device
        if log.first <= size <= log.size():
            differs = log.hash_at(size)[:16] != tag
            behind = size < log.size() and device in peer.devices and device == peer.speaker
            return differs or behind
        return is_author and size > log.size()

    def compare(self, session, space, device, size, tag):
        """FORK-2: an author asks for a trace, and who holds a retired log; others send theirs."""
        key = (space, device)
        if self.is_beyond(session.peer, key):
            self.cut(session, key, session.peer.keeps[key][0])
        elif not self.is_fork(session.peer, space, device, size, tag):
            self.held.discard(key)
        elif key not in self.held:
            self.held.add(key)
            if self.is_author(device) or self.is_beside(session.peer, key):
                session.say(TRACE_ASK, space, device, size)
            else:
                self.say_trace(session, space, device, size)

    def is_author(self, device):
        """FORK-2: of my own log, and of a sibling's that is not retired."""
        own = self.node.own
        return device == self.node.me.device or own is not None and \
            device in own.devices and device not in own.retired

    def is_beyond(self, peer, key):
        """RETIRE-6: more of a retired log is here than its keep lets count."""
        size, chain = peer.keeps.get(key, (0, None))
        log = self.node.book(*key).log
        return log.first <= size < log.size() and log.hash_at(size) == chain

    def is_beside(self, peer, key):
        """FORK-2, FORK-3: a retired log, as far as is known not the branch that is kept."""
        size, chain = peer.keeps.get(key, (0, None))
        log = self.node.book(*key).log
        return key[1] in peer.retired and not (
            size == log.size() and log.tip() == chain)

    def say_trace(self, session, space, device, size):
        log = self.node.books[(space, device)].log
        tags = log.trace(size)
        session.say(TRACE, space, device, tags[:TAGS_MAX], len(tags) <= TAGS_MAX)

    def hear_trace(self, session, space, device, tags, is_last):
        """FORK-3: from the newest tag that both have."""
        log = self.node.books[(space, device)].log
        common = [size for size, tag in tags
                  if size <= log.size() and log.hash_at(size)[:16] == tag]
        if not common and not is_last:
            session.say(TRACE_ASK, space, device, tags[-1][0] - 1)
            return
        size = max(common, default=0)
        if self.is_author(device) and (space, device) in self.branches:
            return
        if self.is_author(device):
            self.branches[(space, device)] = log.beginning(size)
            session.say(FETCH, space, device, size)
        elif self.is_beside(session.peer, (space, device)) and \
                size < min(log.size(), tags[0][0]):
            self.cut(session, (space, device), size)

    def cut(self, session, key, size):
        """FORK-3, RETURN-1: what was cut is kept, shown, and goes back to its author."""
        book = self.node.books[key]
        self.returns[key] = book, size
        self.node.books[key] = Book(book.log.beginning(size), self.node.keys)
        self.held.discard(key)
        session.peer.reread(self.node)
        session.say_marks()
        self.say_returned(session, *key, size, book)

    def say_returned(self, session, space, device, size, book=None):
        """FORK-3: the branch from there, as returned batches; the last says so."""
        book = book or self.node.books[(space, device)]
        log = book.log
        while size < log.size():
            entries, signature, end = log.batch(size)
            told = []
            for index in sorted({entry[0] for entry in entries if entry[0]}):
                epoch = self.node.keys.epochs[book.named[index - 1]]
                told.append([index, epoch.opener, b"".join(epoch.parents), epoch.depth,
                             epoch.readers, epoch.commitment,
                             self.node.keys.keys.get(epoch.id, b"")])
            session.say(RETURNED, session.returned, space, device, session.peer.kind_of(space),
                        end == log.size(), size, log.hash_at(size), told, entries, signature)
            session.returned += 1
            size = end

    def hear_returned(self, session, number, space, device, kind, is_last, start, start_hash,
                      epochs, entries, signature):
        """RETURN-3: of my own log it is the proof, once a head closes it."""
        session.say(STORED, number)
        if device in self.facts:  # RETURN-2: what was cut of a log of mine comes home.
            self.take_home(space, device, [start, start_hash], epochs, entries, signature)
            return
        branch = self.branches[(space, device)]
        if branch.size() != start or branch.tip() != start_hash:
            raise Refused("a returned batch does not begin where the branch stands")
        branch.take(entries, signature)
        if is_last and device == self.node.me.device:
            self.heal(session, space)
        elif is_last:
            self.unite(session, space, device)

    def take_home(self, space, device, start, epochs, entries, signature):
        """RETURN-3, RETURN-4, RETURN-9"""
        node, book = self.node, Book(Log(space, device), self.node.keys)
        book.log.begin(*start)
        book.log.take(entries, signature)
        book.named = [None] * max([one[0] for one in epochs], default=0)
        for index, opener, parents, depth, readers, commit, key in epochs:
            epoch = Epoch(space, opener, [parents, depth, readers, commit, b"", []])
            book.named[index - 1] = epoch.id
            node.keys.hear(epoch, [])
            if key:
                node.keys.learn(epoch.id, key)
        for seq in range(book.log.first + 1, book.log.size() + 1):
            plain = book.plain(seq)
            if plain is not None:
                self.repeat(space, unpack(plain), [device, seq, book.log.entry(seq).hash])
        node.commit()

    def repeat(self, space, edit, original):
        """ORIGIN-1, RETURN-7"""
        self.node.edit(space, edit + [original][len(edit) - 4:])

    def heal(self, session, space):
        """FORK-5, FORK-7: the branch that was given is kept, mine is restated by a successor."""
        node, me = self.node, self.node.me
        old, cut = me.device, []
        for (one, device), book in list(node.books.items()):
            if device == old and one == space:
                cut = [(one, book, book.log)]
                book.log = self.branches[(one, device)]
        me.succeed(session.channel.hash)
        self.retire(old, me.device, FORKED)
        for one, book, log in cut:
            self.restate(one, book, log)
        node.commit()
        self.healed = old

    def unite(self, session, space, device):
        """FORK-5, FORK-6, RETURN-9: of a sibling's log the branch that was given is kept."""
        node, key = self.node, (space, device)
        book, cut = node.books[key], node.books[key].log
        book.log = self.branches.pop(key)
        node.own.end(device, FORKED, node.me.state_own)
        self.restate(space, book, cut)
        node.commit()
        self.held.discard(key)
        session.peer.reread(node)
        self.say_facts(session)
        session.say_marks()
        session.give()

    def retire(self, device, successor, reason):
        """RETIRE-1 to RETIRE-4: it stands in the card space, each keep in its own."""
        node, me = self.node, self.node.me
        retire = me.state_own("kith retire", [device, successor, reason, now_ms()])
        keeps = []
        for (space, one), book in list(node.books.items()):
            if one == device:
                log = book.log
                keeps.append((space, me.state_own("kith keep", [
                    space, device, log.size(), log.tip(), log.heads[log.size()]])))
        self.facts[device] = [*(one.statement for one in me.identity.chain),
                              me.certificates[device], retire, *(keep for _, keep in keeps)]
        if node.own:
            node.own.hear_facts(self.facts[device])
        node.begin_again(old=device)
        node.write_statement(me.card, KIND_RETIRE, retire)
        for space, keep in keeps:
            node.write_statement(space, KIND_KEEP, keep)

    def restate(self, space, book, log):
        """RETURN-7: verbatim, with the original."""
        kept = {entry.hash for entry in book.log.entries}
        lost, book.log = book.log, log
        for seq, entry in enumerate(log.entries, 1):
            plain = None if entry.hash in kept else book.plain(seq)
            if plain is not None:
                self.repeat(space, unpack(plain), [log.device, seq, entry.hash])
        book.log = lost

    def hear_facts(self, peer, statements):
        """FACT-1: believed for what signed them."""
        for fact in map(Fact, statements):
            body, one = fact.body, fact.certificate
            if one and one.member == peer.member and one.certifier == peer.member:
                peer.devices[one.device] = one
            elif fact.is_retire and fact.member == self.node.me.member:
                self.ends[body[0]] = body[1:3]
            elif fact.is_retire and fact.member == peer.member:
                peer.retired[body[0]] = body[1:3]
            elif fact.is_keep and fact.member == peer.member:
                peer.keeps[tuple(body[:2])] = body[2:4]

    def say_facts(self, session):
        """FACT-1, RETIRE-11: a keep in its own space only."""
        for statements in self.facts.values():
            told = [one for one in statements
                    if not Fact(one).is_keep or session.peer.reads(Fact(one).body[0], self.node.me)]
            session.say(FACTS, told)
