import engine as tierwise

tierwise_hooks = 1


@tierwise.hookimpl
def register_commands():
    return [tierwise.Command("run", print)]
