"""`python -m tests.backends [POLICIES]`: random policies in DuckDB against the reference, with counts."""
from __future__ import annotations

import sys

from tests.backends.test_sql import random_policies


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    policies, decisions, decided, faults = random_policies(range(1000, 1000 + count), 100)
    for fault in faults[:20]:
        print(fault[:600])
    print(f"{decisions:,} decisions of {policies:,} policies, {decided:,} customers; {len(faults):,} differ")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
