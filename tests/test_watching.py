"""How long a plugin's code may take on the thread that asks for it."""
from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.functions import kernels
from engine.hooks import importing
from engine.semantics.dtypes import NUMBER, Type
from engine.semantics.values import Failed
from engine.watching import Overdue, Watched, Within
from tests.commands.conftest import Tierwise, tierwise  # noqa: F401 - a fixture
from tests.functions.given import function


@pytest.fixture(autouse=True)
def of_a_command() -> Iterator[None]:
    """Interrupts as a command has them; those of a test run are somebody else's."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _spin() -> None:
    while True:
        pass


def _deaf() -> None:
    """Swallows the first interrupt."""
    try:
        time.sleep(60)
    except BaseException:  # noqa: BLE001 - as a plugin may
        time.sleep(60)


def _late_but_there() -> int:
    """Swallows the interrupt, and has an answer after all."""
    try:
        time.sleep(60)
    except BaseException:  # noqa: BLE001 - as a plugin may
        return 1
    return 2


@pytest.mark.parametrize("body", [_spin, lambda: time.sleep(60), _deaf, _late_but_there])
def test_what_does_not_come_back_is_interrupted(body: Any) -> None:
    with pytest.raises(Overdue, match="no answer within 0.2 s"), Within(0.2):
        body()
    time.sleep(0.3)                                     # no interrupt comes late


def test_what_comes_back_in_time_is_left_alone() -> None:
    with Within(0.2):
        pass
    time.sleep(0.5)
    with pytest.raises(ValueError, match="its own"), Within(5):
        raise ValueError("its own")


def test_the_users_interrupt_ends_the_command() -> None:
    with pytest.raises(KeyboardInterrupt), Within(5):
        signal.raise_signal(signal.SIGINT)


def test_on_another_thread_a_block_takes_as_long_as_it_takes() -> None:
    done = []

    def run() -> None:
        with Within(0.05):
            time.sleep(0.6)
        done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [True]


def test_a_function_is_given_up_after_a_while() -> None:
    calls = []

    def slow() -> None:
        calls.append(1)
        time.sleep(60)

    watched = Watched(slow, 0.1)
    said = []
    for _ in range(5):
        with pytest.raises(Overdue) as raised:
            watched()
        said.append(str(raised.value))
    assert len(calls) == 3
    assert said[2:4] == ["no answer within 0.1 s", "it was given up after 3 calls that took longer than 0.1 s"]


def test_the_body_of_a_function_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "LIMIT", 0.2)
    number = Type(NUMBER)
    run = kernels.kernel(function("slow", lambda x: time.sleep(60)), [number], number, aside=True)
    with pytest.raises(Failed, match="`slow` of `acme` failed: no answer within 0.2 s"):
        run(1.0)


def test_an_import_is_refused_at_the_line_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tierwise: Tierwise,  # noqa: F811 - the fixture
) -> None:
    monkeypatch.setattr(importing, "LIMIT", 0.3)
    (tmp_path / "hang.py").write_text("import time\n\ntime.sleep(60)\n", "utf-8")
    found = tierwise("plugins", "--plugin", str(tmp_path / "hang.py"))
    assert found.code == 1
    assert "plugin `hang` takes longer than 0.3 s when it is imported" in found.err
    assert "hang.py:3:1" in found.err
