"""The demonstration: the shipped policy over the sample portfolio, and one customer of it explained.

Run by `make demo`. Each command is printed as a person would type it, so that it can be repeated.
"""
from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
POLICY = "policies/working-capital.yaml"
SAMPLES = "policies/samples"
RESULTS = "out/decisions.csv"
AS_OF = "2026-07-01"

#: Some rows of the samples are bad on purpose, so the run exits with 1.
RUN = (
    "run", POLICY, f"{SAMPLES}/firms.csv", "--as-of", AS_OF, "--history", f"repayments={SAMPLES}/repayments.csv",
    "--history", f"invoices={SAMPLES}/invoices.csv", "-o", RESULTS,
)
DECIDE = ("decide", POLICY, f"{SAMPLES}/customer.json", "--as-of", AS_OF)


#: The parts of the long explanation that the demonstration shows behind its first page.
PARTS = ("score:", "tier:", "decision:")
HOW = "How it came about"


def main() -> int:
    (ROOT / RESULTS).parent.mkdir(exist_ok=True)
    say("A portfolio: every row comes out decided, open or refused, and bad rows say what is wrong with them.")
    if subprocess.run(show(RUN), cwd=ROOT, stderr=subprocess.STDOUT, check=False).returncode not in (0, 1):
        return 1
    say(f"The decisions are in {RESULTS}. One of the customers, with the reasons and what should be asked for:")
    done = subprocess.run(show(DECIDE), cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    if done.returncode:
        print(done.stdout)
        return done.returncode
    first, _, rest = done.stdout.partition(HOW)
    blocks = rest.strip("\n").split("\n\n")
    shown = [block for block in blocks if block.startswith(PARTS)]
    print(f"{first}{HOW}", *shown, sep="\n\n", flush=True)
    if hidden := len(blocks) - len(shown):
        say(f"How {hidden} other facts and decisions came about is left out here; the command shows it.")
    return 0


def show(arguments: tuple[str, ...]) -> list[str]:
    """Print a command as a person types it; what to run for it."""
    print(f"$ tierwise {shlex.join(arguments)}\n", flush=True)
    return [sys.executable, "cli.py", *arguments]


def say(text: str) -> None:
    print(f"\n{text}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
