tierwise_hooks = 1

def rate(revenue)
    return revenue / 12
