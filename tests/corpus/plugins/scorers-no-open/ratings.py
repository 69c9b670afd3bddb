import engine as tierwise

tierwise_hooks = 1


class Acme:
    def describe(self):
        return None


@tierwise.hookimpl
def register_scorers():
    return [tierwise.ScorerKind('acme', 'open')]
