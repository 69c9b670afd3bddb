import engine as tierwise

tierwise_hooks = 1


@tierwise.hookimpl
def register_functions():
    return [tierwise.Function('acme', 'rate', {'amount': 'number'}, 'number', abs, optional=('amuont',))]
