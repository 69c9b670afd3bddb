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


def main() -> int:
    (ROOT / RESULTS).parent.mkdir(exist_ok=True)
    say("A portfolio: every row comes out decided, open or refused, and bad rows say what is wrong with them.")
    if run(RUN) not in (0, 1):
        return 1
    say(f"The decisions are in {RESULTS}. One customer, with the reasons:")
    return run(DECIDE)


def say(text: str) -> None:
    print(f"\n{text}\n", flush=True)


def run(arguments: tuple[str, ...]) -> int:
    """Show a command and run it from the root of the checkout; its exit code."""
    print(f"$ tierwise {shlex.join(arguments)}", flush=True)
    # What goes to standard error joins the rest, so that both stand in order in a pipe.
    command = [sys.executable, "cli.py", *arguments]
    return subprocess.run(command, cwd=ROOT, stderr=subprocess.STDOUT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
