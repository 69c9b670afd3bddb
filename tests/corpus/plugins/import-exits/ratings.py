import sys

tierwise_hooks = 1

if not sys.flags.dev_mode:
    sys.exit("start me in development mode")
