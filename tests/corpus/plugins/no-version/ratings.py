import engine as tierwise


@tierwise.hookimpl
def register_functions():
    return []
