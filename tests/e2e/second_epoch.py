"""Epochs: the keys of a space, how they are opened and told (EPOCH), sealed entries (ENTRY-3)."""
from second_keys import (Refused, commitment, digest, fresh, kdf, seal, seal_open, u32, u64,
                         wrap, wrap_open, x25519_public)
from second_pack import Malformed, pack, unpack

ZEROS = bytes(32)
SEALED_KEY = 24 + 32 + 16


class Epoch:
    """EPOCH-1, as it was opened by a device in a space."""

    def __init__(self, space, opener, fields):
        parents, self.depth, self.readers, self.commitment, self.previous, self.wraps = fields
        self.parents = [parents[at:at + 32] for at in range(0, len(parents), 32)]
        self.id = digest("kith epoch", space + opener + (parents or ZEROS) + u32(self.depth) +
                         self.readers + self.commitment)  # EPOCH-2
        self.space, self.opener = space, opener


def hint(receiving, commit):
    return digest("kith hint", receiving + commit)[:8]


class Keys:
    """Every epoch and key a device has heard of."""

    def __init__(self):
        self.epochs, self.keys = {}, {}

    def tips(self, space):
        """EPOCH-6: the epochs of a space that none other has as a parent."""
        here = [one for one in self.epochs.values() if one.space == space]
        return [one for one in here if not any(one.id in child.parents for child in here)]

    def open_epoch(self, space, opener, parents, salted, wrapped_for, is_told=True):
        """The payload that opens an epoch over these, and the epoch; salted: EPOCH-3's readers.
        EPOCH-7: it tells their keys, but for one that begins a restatement."""
        secret, parents = fresh(), sorted(parents, key=lambda one: one.id)
        ids = b"".join(one.id for one in parents)
        depth = 1 + max([one.depth for one in parents], default=0)
        previous = b"".join(seal(secret, one.id, self.keys[one.id])
                            for one in parents if is_told)
        readers = digest("kith readers", salted)
        commit = commitment(secret)
        fields = [ids, depth, readers, commit, previous,
                  [[hint(one, commit), wrap(one, secret)] for one in wrapped_for]]
        epoch = Epoch(space, opener, fields)
        self.epochs[epoch.id], self.keys[epoch.id] = epoch, secret
        return pack([1, *fields]), epoch

    def hear(self, epoch, receivings):
        """Takes an epoch, and its key where it is wrapped for the holder of a receiving key."""
        self.epochs.setdefault(epoch.id, epoch)
        mine = {hint(x25519_public(one), epoch.commitment): one for one in receivings}
        for name, wrapped in epoch.wraps:
            if name in mine:
                self.learn(epoch.id, wrap_open(mine[name], wrapped))
        if epoch.id in self.keys:
            self.learn(epoch.id, self.keys[epoch.id])

    def learn(self, epoch_id, key):
        """EPOCH-5: a key must fit its commitment, and opens the parents of its epoch."""
        self.keys[epoch_id] = key
        epoch = self.epochs.get(epoch_id)
        if epoch is None:
            return
        if commitment(key) != epoch.commitment:
            del self.keys[epoch_id]
            raise Refused("the commitment of an epoch")
        sealed = epoch.previous
        for parent in epoch.parents if sealed else []:
            piece, sealed = sealed[:SEALED_KEY], sealed[SEALED_KEY:]
            if parent not in self.keys:
                self.learn(parent, seal_open(key, parent, piece))


class Book:
    """One log with the epochs its entries name (ENTRY-2)."""

    def __init__(self, log, keys):
        self.log, self.keys = log, keys
        self.named = self.before = []

    def begin(self, count, last):
        """BEGIN-2: unsealed entries that are not here, and what the last of them names."""
        self.before = [None] * (count - 1) + [last or None]

    def hear(self, receivings):
        """Reads the unsealed entries anew."""
        self.named = list(self.before)
        for entry in self.log.entries:
            if entry.epoch != 0:
                continue
            named = None
            try:
                kind, *fields = unpack(entry.payload)
                if kind == 1:
                    epoch = Epoch(self.log.space, self.log.device, fields)
                    self.keys.hear(epoch, receivings)
                    named = epoch.id
                elif kind == 2:
                    named = fields[0]
            except (Malformed, ValueError, TypeError):
                pass
            self.named.append(named)

    def start_at(self, size):
        """BEGIN-2: a batch's start for whoever holds nothing."""
        count = len(self.before) + sum(entry.epoch == 0 for entry in
                                       self.log.entries[:size - self.log.first])
        return [size, self.log.hash_at(size), count, count and self.named[count - 1] or b""]

    def entry_key(self, index):
        """ENTRY-3, or None where the epoch's key has not come."""
        named = self.named[index - 1] if index <= len(self.named) else None
        secret = self.keys.keys.get(named)
        return secret and kdf(secret, "kith entry", self.log.space + self.log.device)

    def seal(self, index, seq, plain, expiry=0):
        context = u32(index) + u64(expiry) + u64(seq)
        return seal(self.entry_key(index), context, plain)

    def plain(self, seq):
        """The plaintext of an entry; None where it cannot be read."""
        entry = self.log.entry(seq)
        if entry.epoch == 0 or entry.payload is None or not self.entry_key(entry.epoch):
            return None
        context = u32(entry.epoch) + u64(entry.expiry) + u64(seq)
        return seal_open(self.entry_key(entry.epoch), context, entry.payload)
