"""A deployment file by itself: its form, its kinds and their settings. No source is opened, no secret looked up."""
from __future__ import annotations

from pathlib import Path

from engine.calling import Secrets
from engine.deploy.document import DeploymentError, read_deployment
from engine.deploy.opening import Kinds, kind_of
from engine.deploy.settings import Reader
from engine.diagnostics import Diagnostic


def check(path: str | Path, kinds: Kinds) -> tuple[list[Diagnostic], dict[str, str]]:
    """What is wrong with it, and the texts that the findings point into."""
    try:
        deployment = read_deployment(path)
    except DeploymentError as error:
        return list(error.diagnostics), error.sources
    found: list[Diagnostic] = []
    reader = Reader(deployment.folder.resolve(), Secrets(), found, look_up=False)
    known = kinds.sources()
    for entry in deployment.sources.values():
        if (source := kind_of(entry, known, "source", found)) is not None:
            reader.settings(entry, source.settings)
    scorers = kinds.scorers()
    for entry in deployment.models.values():
        if (scorer := kind_of(entry, scorers, "scorer", found)) is not None:
            reader.settings(entry, scorer.settings)
    if deployment.output is not None:
        if (sink := kind_of(deployment.output, kinds.sinks(), "output", found)) is not None:
            reader.settings(deployment.output, sink.settings)
    found.sort(key=lambda d: (d.span.line, d.span.column) if d.span else (0, 0))
    return found, {deployment.document.name: deployment.document.text}
