import engine as tierwise

tierwise_hooks = 1


@tierwise.hookimpl
def register_scorers():
    inner = {"file": tierwise.Setting("file")}
    return [tierwise.ScorerKind("acme", print, {"tables": tierwise.Setting("map", of=inner)})]
