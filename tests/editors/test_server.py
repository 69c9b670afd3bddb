"""The JSON Schemas in editors: the YAML language server over standard input and output."""
from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = json.loads((ROOT / "editors" / "vscode" / "package.json").read_text("utf-8"))

pytestmark = pytest.mark.real


class Server:
    """One session with the language server."""

    def __init__(self, packages: Path) -> None:
        assert shutil.which("node"), "`node` is not on the path; these tests need Node.js and npm"
        program = packages / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
        self.process = subprocess.Popen(["node", str(program), "--stdio"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.watch = threading.Timer(60, self.process.kill)      # reading then ends, and the test fails
        self.watch.start()
        self.count = 0

    def close(self) -> None:
        self.watch.cancel()
        self.process.kill()
        self.process.communicate()

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next message that is meant for us; what the server asks of an editor is answered."""
        assert self.process.stdout is not None
        while True:
            length = 0
            while header := self.process.stdout.readline().strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            assert length, "the language server ended"
            message: dict[str, Any] = json.loads(self.process.stdout.read(length))
            if "method" not in message or "id" not in message:
                return message
            asked = message["params"]["items"] if message["method"] == "workspace/configuration" else None
            self.send({"id": message["id"], "result": None if asked is None else [{} for _ in asked]})

    def ask(self, method: str, **params: Any) -> Any:
        self.count += 1
        self.send({"id": self.count, "method": method, "params": params})
        while (message := self.receive()).get("id") != self.count:
            pass
        assert "error" not in message, message
        return message["result"]

    def tell(self, method: str, **params: Any) -> None:
        self.send({"method": method, "params": params})

    def open(self, uri: str, text: str) -> list[str]:
        """What is found wrong in a document as soon as it is opened: line (from 1) and message."""
        self.tell("textDocument/didOpen", textDocument={"uri": uri, "languageId": "yaml", "version": 1, "text": text})
        while (message := self.receive()).get("method") != "textDocument/publishDiagnostics" \
                or message["params"]["uri"] != uri:
            pass
        return [f"{d['range']['start']['line'] + 1}: {d['message']}" for d in message["params"]["diagnostics"]]

    def complete(self, uri: str, line: int, character: int) -> dict[str, str]:
        """Label and text to insert at a place, counted from 0."""
        found = self.ask("textDocument/completion", textDocument={"uri": uri},
                         position={"line": line, "character": character})
        items = found["items"] if isinstance(found, dict) else found
        return {item["label"]: item.get("insertText") or item["textEdit"]["newText"] for item in items}


@pytest.fixture
def server(packages: Path) -> Iterator[Server]:
    session = Server(packages)
    session.ask("initialize", processId=None, rootUri=None, capabilities={"textDocument": {
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
        "hover": {"contentFormat": ["markdown"]}, "publishDiagnostics": {}}})
    session.tell("initialized")
    session.tell("workspace/didChangeConfiguration", settings={
        "yaml": {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}})
    yield session
    session.close()


def named(kind: str, text: str) -> str:
    """The text below the line that names its schema."""
    return f"# yaml-language-server: $schema={(ROOT / 'schemas' / f'{kind}.schema.json').as_uri()}\n{text}"


POLICY = """\
policy: x
version: "1"
effective: {from: 2026-01-01}
inputs:
  a: {type: numbr}
service:
  d:
    values: [approve, refer]
    ordr: best first
    worst:
      - rule: D1
        when: a < 1
        re
"""


def test_errors_hover_and_completion_in_a_policy(server: Server) -> None:
    uri = "file:///policies/x.yaml"
    found = "\n".join(server.open(uri, named("policy", POLICY)))
    assert "6: Value is not accepted. Valid values: \"number\"" in found
    assert "10: Property ordr is not allowed" in found
    assert 'Missing property "then"' in found
    hover = server.ask("textDocument/hover", textDocument={"uri": uri}, position={"line": 8, "character": 6})
    assert "or the name of a vocabulary that holds them" in hover["contents"]["value"]
    offered = server.complete(uri, 13, 10)
    assert {"reason", "reasons", "then"} <= set(offered)
    assert "rule" not in offered                      # it is there already


def test_a_new_decision_is_offered_its_forms(server: Server) -> None:
    uri = "file:///policies/y.yaml"
    text = named("policy", "policy: y\nversion: \"1\"\neffective: {from: 2026-01-01}\nrisk:\n  score:\n    \n")
    server.open(uri, text)
    offered = server.complete(uri, 6, 4)
    assert {"value", "rules", "worst", "table", "scorecard", "collect", "lookup"} <= set(offered)


@pytest.mark.parametrize("path", [ROOT / "policies" / "working-capital.yaml",
                                  *sorted((ROOT / "policies" / "standards").glob("*.yaml"))], ids=lambda p: p.name)
def test_shipped_files_are_without_errors(server: Server, path: Path) -> None:
    kind = "test" if path.name.endswith(".test.yaml") else "policy"
    text = path.read_text("utf-8")
    assert server.open(path.as_uri(), text if text.startswith("# yaml-language-server") else named(kind, text)) == []


def test_a_test_file(server: Server) -> None:
    uri = "file:///policies/z.test.yaml"
    found = server.open(uri, named("test", "test: z\ncases:\n  - case: one\n    givn: {a: 1}\n    \n"))
    assert "5: Property givn is not allowed." in found
    assert {"given", "expect", "reasons of"} <= set(server.complete(uri, 5, 4))


@pytest.mark.parametrize(("path", "missing"), [
    ("policies/x.yaml", "policy"),
    ("bank/policies/standards/x.yaml", "policy"),
    ("policies/loans/3.1.yaml", "policy"),
    ("policies/standards/x.test.yaml", "test"),
    ("elsewhere/x.test.yaml", "test"),
    ("policies/vocabularies/x.yaml", None),
    ("policies/tierwise.yaml", None),
    ("deploy/x.yaml", None),
])
def test_files_that_name_no_schema_get_theirs_from_the_extension(
        server: Server, path: str, missing: str | None) -> None:
    server.send({"method": "json/schemaAssociations", "params": [[
        {"fileMatch": part["fileMatch"], "uri": (ROOT / part["url"]).as_uri()}
        for part in MANIFEST["contributes"]["yamlValidation"]]]})
    found = server.open(f"file:///home/{path}", "owner: somebody\n")
    assert [line for line in found if "Missing property" in line][:1] == (
        [f'1: Missing property "{missing}".'] if missing else [])
