tierwise_hooks = 1


def register_function():
    return []
