import engine as tierwise

tierwise_hooks = 1


@tierwise.hookimpl
def register_scorers():
    return [tierwise.ScorerKind("acme", print)]

