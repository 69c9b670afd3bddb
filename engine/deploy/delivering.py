"""The deployment's output: decided rows handed to a sink, which makes them visible whole or not at all."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from engine.calling import Caller, CallFailed, Secrets
from engine.deploy.document import Deployment, Entry
from engine.deploy.opening import OPENING, Kinds, kind_of
from engine.deploy.settings import Reader
from engine.diagnostics import Diagnostic
from engine.hookspecs import Settings, Sink, SinkKind
from engine.runs import DataProblem


class Delivery:
    """Where the results of a run go. Nothing is opened before there are rows."""

    def __init__(self, entry: Entry, kind: SinkKind, settings: Settings, secrets: Secrets) -> None:
        self.entry = entry
        self.kind = kind
        self._settings = settings
        self._caller = Caller(secrets)

    @property
    def shown(self) -> str:
        return f"the deployment's output ({self.kind.name})"

    def deliver(self, schema: Any, columns: Sequence[str], batches: Iterable[Any]) -> None:
        """Hand over all rows; raises DataProblem, and then the sink was told to leave nothing behind."""
        limit, kind, settings = self.entry.batch_timeout, self.kind, self._settings
        sink: Sink | None = None
        try:
            sink = self._caller.call(lambda: kind.open(settings, schema, tuple(columns)), OPENING)
            for batch in batches:
                self._caller.call(_writing(sink, batch), limit)
            self._caller.call(sink.finish, limit)
        except CallFailed as failure:
            self._abandon(sink)
            raise DataProblem(
                f"the results cannot be handed to the output, of kind `{kind.name}`: {failure.text}",
                self.entry.at.file, self.entry.at.line, help="mend it, or name another place with `--output`",
            ) from None
        except BaseException:
            self._abandon(sink)
            raise
        finally:
            self._caller.close()

    def _abandon(self, sink: Sink | None) -> None:
        """What goes wrong now is told by what went wrong before."""
        if sink is not None:
            try:
                self._caller.call(sink.abandon, OPENING)
            except CallFailed:
                return


def _writing(sink: Sink, batch: Any) -> Any:
    return lambda: sink.write(batch)


def delivery(deployment: Deployment, kinds: Kinds, secrets: Secrets) -> Delivery | None:
    """The deployment's output, None where it has none; raises DeploymentError."""
    entry = deployment.output
    if entry is None:
        return None
    found: list[Diagnostic] = []
    kind = kind_of(entry, kinds.sinks(), "output", found)
    reader = Reader(deployment.folder.resolve(), secrets, found)
    settings = None if kind is None else reader.settings(entry, kind.settings)
    if found or kind is None or settings is None:
        raise deployment.error(found)
    return Delivery(entry, kind, settings, secrets)
