"""A process of its own, with the memory that it held at most."""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.records import Record

#: A process begins with the peak of the one that it comes from. This one is small.
_BETWEEN = """
import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[1:]).returncode
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, file=sys.stderr)
sys.exit(code)
"""


class Ran(Record):
    """What a process wrote, the seconds that it took, and the megabytes that it held at most."""

    output: str
    seconds: float
    megabytes: float


def alone(
    command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None, fine: Sequence[int] = (0,)
) -> Ran:
    """Run a command; RuntimeError where it ends with another code than those that are fine."""
    done = subprocess.run(
        [sys.executable, "-c", _BETWEEN, *command], cwd=cwd, env=None if env is None else dict(env),
        capture_output=True, text=True, check=False,
    )
    if done.returncode not in fine:
        raise RuntimeError(f"`{' '.join(command)[:200]}` ended with {done.returncode}: {done.stderr[-500:]}")
    seconds, megabytes = map(float, done.stderr.splitlines()[-1].split())
    return Ran(done.stdout, seconds, megabytes)
