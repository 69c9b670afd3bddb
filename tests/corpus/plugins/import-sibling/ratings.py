import limits

tierwise_hooks = 1
