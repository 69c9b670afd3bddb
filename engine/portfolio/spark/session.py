"""The Spark session of one run: the one that runs in this process, else one of our own, which ends with the run."""
from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from engine.portfolio.problems import DataProblem
from engine.portfolio.request import Listener, Request
from engine.portfolio.shared import Usage

_EVERY = 0.25
#: How a message of Java's begins.
_CLASS = re.compile(r"(?:[\w$]+\.)+([\w$]+(?:Exception|Error|Failure)\w*)(?:: |$)")
_CONDITION = re.compile(r"\[[A-Z0-9_.]+\] ")
#: What helps, by what Spark says.
_WAYS = (
    ("not exist", "where Spark has other machines, they must see the same folders, that of TMPDIR among them"),
    ("heap space", "raise `spark.driver.memory`, or `spark.executor.memory` of a cluster, in spark-defaults.conf"),
    ("no space left", "make room, or name another folder by TMPDIR"),
)
INSTALL = 'pip install "tierwise[spark]"'


def require(request: Request) -> None:
    """Raise Usage where Spark is not here, or where it cannot do what is asked."""
    if find_spec("pyspark") is None or find_spec("duckdb") is None or find_spec("sqlglot") is None:
        raise Usage(f"the spark engine needs pyspark, duckdb and sqlglot: {INSTALL}")
    if not _has_java():
        raise Usage(
            f"the spark engine needs Java 17 or later, and there is none: install it, or name its folder by JAVA_HOME "
            f"(what it needs of Python comes by {INSTALL})"
        )
    for given, name, way in (
        (request.run_id, "--run-id", "leave it out, or take `--engine duckdb`"),
        (request.memory_limit, "--memory-limit",
         "give Spark its memory by `spark.driver.memory` in the spark-defaults.conf of SPARK_CONF_DIR"),
    ):
        if given is not None:
            raise Usage(f"`{name}` is not for the spark engine: {way}")
    if request.threads is not None and request.master is not None:
        raise Usage("`--threads` says how many cores a master on this machine uses: write `--master local[N]` instead")


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return shutil.which(os.path.join(home, "bin", "java") if home else "java") is not None


@contextmanager
def started(request: Request, folder: str) -> Iterator[Any]:
    """The session; what Spark says meanwhile of itself goes to a file in `folder`. Raises DataProblem where it does not
    start."""
    from py4j.protocol import Py4JError  # noqa: PLC0415 - behind `require`
    from pyspark.errors import PySparkException  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    from engine.backends.sql.spark import MEANING, PLANNING, local_session, meant  # noqa: PLC0415

    running: Any = SparkSession.getActiveSession()
    if running is not None:
        if request.master is not None and running.sparkContext.master != request.master:
            raise Usage(f"a session on `{running.sparkContext.master}` is running, and there can be but one")
        with meant(running, {**MEANING, **PLANNING}):
            yield running
        return
    cores = "*" if request.threads is None else request.threads
    master = request.master or f"local[{cores}]"
    log = os.path.join(folder, "spark.log")
    settings = {"spark.local.dir": folder} if master.startswith("local") else {}
    with _aside(log):
        try:
            session = local_session(master, settings)
        except (Py4JError, PySparkException, OSError, RuntimeError) as problem:
            raise DataProblem(
                f"Spark did not start on `{master}`: {_why(problem, log)}", master,
                help="Java 17 or later is needed; a master is `local[4]`, `spark://host:7077` or `yarn`",
            ) from None
    try:
        with meant(session):
            yield session
    finally:
        session.stop()


@contextmanager
def _aside(path: str) -> Iterator[None]:
    """Standard error to a file, for the processes too that are begun within, as long as they live."""
    kept = os.dup(2)
    try:
        with open(path, "ab") as log:
            os.dup2(log.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _why(problem: Exception, log: str) -> str:
    """Why Spark did not start; where Java says it, that."""
    text = said(problem)
    if "gateway" in text.lower():
        with open(log, encoding="utf-8", errors="replace") as stream:
            lines = [line.strip() for line in stream if line.strip() and "WARN" not in line]
        text = lines[-1] if lines else text
    return text


# --- what goes wrong ----------------------------------------------------------------------------------


@contextmanager
def reading(shown: str, path: str, doing: str = "read") -> Iterator[None]:
    """What goes wrong in Spark within is told of the data at `path`, called `shown`."""
    from py4j.protocol import Py4JError  # noqa: PLC0415
    from pyspark.errors import PySparkException  # noqa: PLC0415

    try:
        yield
    except (PySparkException, Py4JError) as problem:
        text = said(problem)
        help = next((way for what, way in _WAYS if what in text.lower()), None)
        raise DataProblem(f"`{shown}` cannot be {doing} by Spark: {text}", path, help=help) from None


def said(problem: Exception) -> str:
    """What Spark says at the root of a failure, in one line, without the names of its classes."""
    cause = getattr(problem, "java_exception", None)
    text = str(problem)
    while cause is not None:
        text = str(cause.toString())
        cause = cause.getCause()
    text = text.strip().partition("\n")[0].partition(" SQLSTATE:")[0]
    kind = ""
    while (name := _CLASS.match(text)) is not None:
        kind, text = name[1], text[name.end():]
    text = _CONDITION.sub("", text, count=1).strip()[:400]
    if " " not in text:                                 # as the name of a host that is not known
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.removesuffix("Exception").removesuffix("Error")).lower()
        text = f"{kind}: {text}" if text else kind
    return text[:1].lower() + text[1:]


# --- how far it is --------------------------------------------------------------------------------------


@contextmanager
def watched(listener: Listener, doing: str, session: Any) -> Iterator[None]:
    """Tell the listener of the share of the tasks that have ended, of those that are known of."""
    done = threading.Event()
    tracker = session.sparkContext.statusTracker()

    def watch() -> None:
        while not done.wait(_EVERY):
            found = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            stages = [info for info in found if info is not None]
            if total := sum(stage.numTasks for stage in stages):
                listener.progress(round(100 * sum(stage.numCompletedTasks for stage in stages) / total), 100, doing)

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
