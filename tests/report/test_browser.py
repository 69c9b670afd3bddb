"""The page in a real browser: nothing on its console, everything drawn, readable when printed in black and white."""
from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real
_NEEDED = "needs Chromium, which scripts/services.sh installs"


def chromium(*arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which("chromium")
    assert found is not None, _NEEDED
    return subprocess.run(
        [found, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
         "--log-level=0", *arguments],
        capture_output=True, text=True, timeout=120, check=True,
    )


@pytest.fixture
def page(folder: Path, tierwise: Any) -> Path:
    assert tierwise("report", "report.yaml", "-o", "out.html").code == 0
    return folder / "out.html"


def test_the_browser_has_nothing_to_complain_of(page: Path) -> None:
    shown = chromium("--dump-dom", page.as_uri())
    assert not re.findall(r"CONSOLE|Refused to|net::ERR", shown.stderr)
    assert shown.stdout.count("<svg") > 8 and "Small portfolio" in shown.stdout


def test_a_fault_of_the_page_would_be_seen(tmp_path: Path) -> None:
    """What the test above looks for is there where something is wrong."""
    path = tmp_path / "wrong.html"
    path.write_text("<!doctype html><script>x(</script>", "utf-8")
    assert re.findall(r"CONSOLE", chromium("--dump-dom", path.as_uri()).stderr)


def test_it_can_be_drawn_and_printed(page: Path, tmp_path: Path) -> None:
    picture, printed = tmp_path / "page.png", tmp_path / "page.pdf"
    chromium(f"--screenshot={picture}", "--window-size=1000,2000", page.as_uri())
    chromium(f"--print-to-pdf={printed}", page.as_uri())
    assert picture.stat().st_size > 20_000 and printed.read_bytes().startswith(b"%PDF")
