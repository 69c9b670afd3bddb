from .model import SCALE

tierwise_hooks = 1
