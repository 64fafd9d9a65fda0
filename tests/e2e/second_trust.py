"""Trust (TRUST), reckoned by hand: all amounts have 16 bits behind the point."""
ONE = 1 << 16
CLOSE, GOOD, KNOWN, MET = ONE, ONE // 4 * 3, ONE // 2, ONE // 4
FACTORS = {1: ONE, 2: ONE, 3: ONE, 4: ONE, 5: ONE // 4 * 3, 6: ONE // 4 * 3, 7: ONE // 4 * 3,
           8: ONE // 2}
TABLE = [65536, 64132, 62757, 61413, 60097, 58809, 57549, 56316, 55109, 53928, 52773, 51642, 50535,
         49452, 48393, 47356, 46341, 45348, 44376, 43425, 42495, 41584, 40693, 39821, 38968, 38133,
         37316, 36516, 35734, 34968, 34219, 33486, 32768]
LAYERS, BRANCH_MAX = 3, 39321


def left(days):
    """TRUST-3"""
    halves, rest = divmod(max(days, 0), 730)
    step, part = divmod(32 * rest, 730)
    return TABLE[step] - (TABLE[step] - TABLE[step + 1]) * part // 730 >> halves


class Vouch:
    def __init__(self, issuer, subject, day, relation, tag):
        self.issuer, self.subject, self.day = issuer, subject, day
        self.relation, self.tag = relation, tag

    def answers(self, other):
        return (self.issuer, self.subject, self.tag) == \
            (other.subject, other.issuer, other.tag) and abs(self.day - other.day) <= 30


class Flow:
    """TRUST-2, TRUST-4 to TRUST-6; friends: {person: closeness}, 0: muted."""

    def __init__(self, vouches, friends, today):
        muted = {person for person, near in friends.items() if near == 0}
        counted = [one for one in vouches if not {one.issuer, one.subject} & muted]
        self.weights = {}
        for one in counted:
            edges = self.weights.setdefault(one.issuer, {})
            edges[one.subject] = max(edges.get(one.subject, 0), self.weight(one, counted, today))
        self.layers = [{person for person, near in friends.items() if near}]
        self.amounts = {person: near for person, near in friends.items() if near}
        self.branches = {person: {person: near} for person, near in self.amounts.items()}
        for _ in range(LAYERS - 1):
            self.flow()

    @staticmethod
    def weight(one, vouches, today):
        """TRUST-4"""
        weight = FACTORS[one.relation] * left(today - one.day) // ONE
        return weight // 2 if any(one.answers(other) for other in vouches) else weight

    def passed(self, amount, giver, person):
        """TRUST-5: of what a person has, what comes to another."""
        edges = self.weights[giver]
        return amount * edges[person] // (2 * max(sum(edges.values()), 4 * ONE))

    def flow(self):
        reached = set().union(*self.layers)
        layer = {person for giver in self.layers[-1] for person in self.weights.get(giver, {})
                 if person not in reached}
        for person in layer:
            givers = [one for one in self.layers[-1] if person in self.weights.get(one, {})]
            whole = sum(self.passed(self.amounts[giver], giver, person) for giver in givers)
            self.amounts[person] = min(whole, ONE)
            came = self.branches[person] = {}
            for giver in givers:
                for branch, amount in self.branches[giver].items():
                    came[branch] = came.get(branch, 0) + self.passed(amount, giver, person)
            if whole > ONE:
                self.branches[person] = {one: amount * ONE // whole
                                         for one, amount in came.items()}
        self.layers.append(layer)

    def layer_of(self, person):
        """From 1; 0: not reached."""
        return next((at for at, layer in enumerate(self.layers, 1) if person in layer), 0)

    def carried(self, words, friends):
        """TRUST-7: words: (issuer, what is left); friends in the order of their roots."""
        most = {}
        for issuer, amount in words:
            most[issuer] = max(most.get(issuer, 0), amount)
        doubt = ONE
        for friend in friends:
            through = sum(amount * self.branches.get(issuer, {}).get(friend, 0) // ONE
                          for issuer, amount in most.items())
            doubt = -(-doubt * (ONE - min(BRANCH_MAX, through)) // ONE)
        return ONE - doubt
