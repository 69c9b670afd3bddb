tierwise_hooks = 1
