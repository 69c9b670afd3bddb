"""Whatever a plugin does, a call comes back in time, says why in words that hold no secret, and leaves stdout clean."""
from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from engine.calling import EVERY, Caller, CallFailed, Secrets, SecretText, TimedOut
from engine.hookspecs import PluginFailure


class Wordless(PluginFailure):
    """One whose words fail."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.fixture
def secrets() -> Secrets:
    found = Secrets()
    found.add("postgresql://ann:p%40ss%20word@db/risk")
    found.add("tok-9f3a")
    return found


def raising(problem: BaseException) -> Callable[[], Any]:
    def call() -> Any:
        raise problem

    return call


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (PluginFailure("the partner said 503"), "the partner said 503"),
        (PluginFailure("401 for tok-9f3a\n  at line 2"), "401 for *** at line 2"),
        (PluginFailure("cannot reach postgresql://ann:p%40ss%20word@db/risk"), "cannot reach ***"),
        (PluginFailure("password authentication failed: p@ss word"), "password authentication failed: ***"),
        (PluginFailure(""), "it gives no reason"),
        (Wordless(), "it gives no reason"),
        (PluginFailure("x" * 1000), "x" * 300 + "…"),
        (ValueError("could not convert tok-9f3a"), "it raised ValueError"),
        (SystemExit(3), "it tried to end the program"),
        (KeyboardInterrupt(), "it raised KeyboardInterrupt"),
        (RecursionError(), "it raised RecursionError"),
    ],
)
def test_a_failure_is_told(secrets: Secrets, problem: BaseException, text: str) -> None:
    with pytest.raises(CallFailed) as caught:
        Caller(secrets).call(raising(problem), 5)
    assert caught.value.text == text
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_a_call_that_blocks_is_left_behind(secrets: Secrets) -> None:
    gate = threading.Event()
    caller = Caller(secrets)
    begun = time.monotonic()
    with pytest.raises(TimedOut, match=r"^no answer within 0\.1 s$"):
        caller.call(gate.wait, 0.1)
    assert time.monotonic() - begun < 2
    assert caller.call(lambda: 7, 5) == 7               # on another thread
    gate.set()
    caller.close()


def test_who_does_not_want_to_wait_need_not(secrets: Secrets) -> None:
    """Ctrl-C while a plugin answers; nothing waits behind the call that goes on."""
    gate = threading.Event()
    caller = Caller(secrets)
    here = threading.get_ident()                        # as a terminal interrupts, not the thread of the timer
    interrupted = threading.Timer(0.1, signal.pthread_kill, [here, signal.SIGINT])
    interrupted.start()
    with pytest.raises(KeyboardInterrupt):
        caller.call(gate.wait, 60)
    assert caller.call(lambda: 7, 5) == 7
    gate.set()
    caller.close()


def test_what_is_printed_goes_to_standard_error(secrets: Secrets, capsys: pytest.CaptureFixture[str]) -> None:
    def call() -> int:
        print("looking up with tok-9f3a")
        print("again tok-9f3a", file=sys.stderr)
        sys.stdout.buffer.write(b"")
        return 1

    caller = Caller(secrets)
    assert caller.call(call, 5) == 1
    print("ours")
    out, err = capsys.readouterr()
    assert out == "ours\n"
    assert err == "looking up with ***\nagain ***\n"
    caller.close()


def test_a_thread_left_behind_still_prints_elsewhere(secrets: Secrets, capsys: pytest.CaptureFixture[str]) -> None:
    gate, printed = threading.Event(), threading.Event()

    def call() -> None:
        gate.wait()
        print("late tok-9f3a")
        printed.set()

    stream = sys.stdout
    with pytest.raises(TimedOut):
        Caller(secrets).call(call, 0.05)
    print("ours")
    gate.set()
    assert printed.wait(5)
    out, err = capsys.readouterr()
    assert (out, err) == ("ours\n", "late ***\n")
    for _ in range(500):
        if sys.stdout is stream:
            break
        time.sleep(0.01)
    assert sys.stdout is stream


def test_a_secret_shows_nothing_where_an_object_is_printed() -> None:
    secret = SecretText("tok-9f3a")
    assert repr({"token": secret}) == "{'token': '***'}"
    assert secret == "tok-9f3a"


def test_the_words_of_a_connection_string(secrets: Secrets) -> None:
    secrets.add("host=db user=ann password='s3cret'")
    assert secrets.scrub("FATAL: password s3cret of ann") == "FATAL: password *** of ann"


@pytest.mark.parametrize(
    ("secret", "said", "shown"),
    [
        ("Bearer abc123xyz", "rejected token abc123xyz", "rejected token ***"),
        ("bearer  abc", "abc", "***"),
        ("Basic YW5uOnMzY3IzdA==", "ann may not log in with s3cr3t", "ann may not log in with ***"),
        ("Basic YW5uOnMzY3IzdA==", "YW5uOnMzY3IzdA== is unknown", "*** is unknown"),
        ("Basic ~", "Basic ~", "***"),
        ("ApiKey: k-17", "no such key: k-17", "no such key: ***"),
        ("Custom-Scheme abc123xyz", "abc123xyz is unknown", "*** is unknown"),
        ("red herring", "a herring", "a herring"),
        ("a b", "a: bad answer", "a: bad answer"),
    ],
)
def test_what_follows_the_name_of_a_way_to_log_in(secret: str, said: str, shown: str) -> None:
    secrets = Secrets()
    secrets.add(secret)
    assert secrets.scrub(said) == shown
    assert secrets.scrub(f"<{secret}>") == "<***>"
    assert EVERY.scrub(said) == shown                   # as one of a deployment that is open
    del secrets
    assert EVERY.scrub(said) == said
