import os

import engine as tierwise

tierwise_hooks = 1
PASSWORD = "hunter2"


def connect(password):
    raise ConnectionError(f"no server takes {password}")


connection = connect(PASSWORD)
