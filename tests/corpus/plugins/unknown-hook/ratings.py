import engine as tierwise

tierwise_hooks = 1


@tierwise.hookimpl
def on_decision():
    return []
