"""`tierwise decide`, `schema`, `check` and `new`."""
from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.commands.conftest import POLICY, Tierwise

CUSTOMER = {"firm id": "F1", "annual revenue": 1000, "grade": "A", "dscr": 0.5, "founded": "2020-01-01"}
ARGS = ("decide", "policy.yaml", "-", "--as-of", "2026-07-01")


def encoded(**changes: object) -> bytes:
    return json.dumps({**CUSTOMER, **changes}).encode()


def test_a_decision_is_explained(tierwise: Tierwise, folder: Path) -> None:
    result = tierwise(*ARGS, stdin=encoded())
    assert result.code == 0
    for part in ("decline", "D1", "Income does not cover debt service"):
        assert part in result.out
    assert result.err == ""
    assert tierwise(*ARGS, stdin=encoded(history=None)).out == result.out


def test_json_holds_the_explanation(tierwise: Tierwise, folder: Path) -> None:
    told = json.loads(tierwise(*ARGS, "--format", "json", stdin=encoded()).out)
    assert isinstance(told, dict)
    bare = json.loads(tierwise(*ARGS, "--format", "json", "--no-explain", stdin=encoded()).out)
    assert bare["values"]["decision"] == "decline"
    assert bare["reasons"] == ["R3", "R2"] or bare["reasons"] == ["R2"]


def test_history_and_language(tierwise: Tierwise, folder: Path) -> None:
    (folder / "history.json").write_text('{"repayments": [{"due": "2026-01-10", "paid": "2026-02-01"}]}')
    result = tierwise(*ARGS, "--history", "history.json", "--language", "zh", stdin=encoded(dscr=2))
    assert "有逾期" in result.out
    within = json.loads((folder / "history.json").read_text())
    assert tierwise(*ARGS, "--language", "zh", stdin=encoded(dscr=2, history=within)).out == result.out


def test_a_language_that_nobody_wrote(tierwise: Tierwise, folder: Path) -> None:
    result = tierwise(*ARGS, "--language", "fr", stdin=encoded())
    assert result.code == 2
    assert "choose one of en, zh" in result.err


def test_outcomes_alone(tierwise: Tierwise, folder: Path) -> None:
    out = tierwise(*ARGS, "--no-explain", stdin=encoded(dscr=None)).out
    assert "missing" in out
    assert "dscr" in out


def test_outcomes_stand_in_a_column_by_width(tierwise: Tierwise, folder: Path) -> None:
    (folder / "wide.yaml").write_text(
        "policy: wide\nversion: '1'\neffective: {from: 2026-01-01}\nowner: tests\ninputs:\n  a: {type: number}\n"
        "service:\n  加倍:\n    value: a * 2\n  flags:\n    type: string\n    collect: |\n"
        "      id | when  || then\n      F1 | a > 5 || large\n",
        encoding="utf-8",
    )
    result = tierwise("decide", "wide.yaml", "-", "--as-of", "2026-07-01", "--no-explain", stdin=b'{"a": 2}')
    assert result.out == "加倍   4\nflags  none\n"


def test_a_refused_customer_exits_with_1(tierwise: Tierwise, folder: Path) -> None:
    result = tierwise(*ARGS, "--no-explain", stdin=encoded(**{"annual revenue": "many"}))
    assert result.code == 1
    assert "annual revenue" in result.out


def test_a_name_that_the_policy_does_not_know_is_told(tierwise: Tierwise, folder: Path) -> None:
    result = tierwise(*ARGS, stdin=encoded(dscrr=1))
    assert "the policy has no input `dscrr`; did you mean `dscr`?" in result.err


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b"[1]", "is not a JSON object"),
        (b'{"a": 1,\n "b" 2}', "standard input:2:6: the JSON is broken: `:` should stand here"),
        (b'{"a": 1, "a": 2}', "`a` stands twice"),
        (b'{"a": Infinity}', "`Infinity` is no number"),
        (b"[" * 100_000, "nested too deeply"),
        ("{\"名\": 1}".encode("gb18030"), "GB18030"),
        (b"\xff\xfe\xff", "UTF-16"),
    ],
)
def test_broken_json_exits_with_3(tierwise: Tierwise, folder: Path, data: bytes, told: str) -> None:
    result = tierwise(*ARGS, stdin=data)
    assert result.code == 3
    assert told in result.err


@pytest.mark.parametrize("path", ["none.json", "."])
def test_a_customer_that_is_no_file(tierwise: Tierwise, folder: Path, path: str) -> None:
    assert tierwise("decide", "policy.yaml", path).code == 3


@pytest.mark.parametrize("path", ["none.yaml", ".", "customers.csv"])
def test_a_policy_that_is_none(tierwise: Tierwise, folder: Path, path: str) -> None:
    (folder / "policy.yaml").unlink()
    result = tierwise("decide", path, "-", stdin=b"{}")
    assert result.code == 2
    assert result.err


def test_the_schema_accepts_what_decide_takes(tierwise: Tierwise, folder: Path) -> None:
    schema = json.loads(tierwise("schema", "policy.yaml").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(CUSTOMER, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**CUSTOMER, "annual revenue": "many"}, schema)


def test_check_says_what_is_wrong_and_where(tierwise: Tierwise, folder: Path) -> None:
    (folder / "bad.yaml").write_text(POLICY.replace("dscr < 1", "dscrr < 1"), encoding="utf-8")
    result = tierwise("check", "bad.yaml")
    assert result.code == 1
    assert "bad.yaml:48:15" in result.out
    told = json.loads(tierwise("check", "bad.yaml", "--format", "json").out)
    assert told["errors"] == 1
    log = json.loads(tierwise("check", "bad.yaml", "--format", "sarif").out)
    assert log["runs"][0]["results"][0]["level"] == "error"


def test_check_of_a_folder_takes_its_policies(tierwise: Tierwise, folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "bad.yaml").write_text(POLICY.replace("dscr < 1", "dscrr < 1"), encoding="utf-8")
    (folder / "vocabulary.yaml").write_text("industries: [a]\n")
    result = tierwise("check", ".")
    assert result.code == 1
    assert "vocabulary.yaml" not in result.out
    assert "deep/bad.yaml" in result.out.replace("\\", "/")


def test_a_folder_without_policies(tierwise: Tierwise, folder: Path) -> None:
    (folder / "empty").mkdir()
    result = tierwise("check", "empty")
    assert result.code == 2
    assert "there is no policy in `empty`" in result.err


def test_a_new_policy_is_valid_and_decides(tierwise: Tierwise, folder: Path) -> None:
    assert tierwise("new", "policy", "mine/small-loans.yaml").code == 0
    checked = tierwise("check", "mine/small-loans.yaml", "--strict")
    assert checked.code == 0, checked.out
    customer = b'{"firm id": "F1", "annual revenue": 2e6, "years trading": 4, "dscr": 0.5}'
    assert "decline" in tierwise("decide", "mine/small-loans.yaml", "-", stdin=customer).out
    again = tierwise("new", "policy", "mine/small-loans.yaml")
    assert again.code == 2
    assert "there already" in again.err
    assert tierwise("new", "policy", "mine/small-loans.txt").code == 2


RENEWAL = Path(__file__).parent.parent / "language" / "renewal.yaml"


def test_the_previous_decision_is_read_from_what_was_printed(tierwise: Tierwise, folder: Path) -> None:
    firm = json.dumps({"firm id": "F1", "score": 47}).encode()
    best = json.dumps({"firm id": "F1", "score": 60}).encode()
    now = ("decide", str(RENEWAL), "-", "--as-of", "2026-07-01", "--no-explain", "--format", "json")
    assert json.loads(tierwise(*now, stdin=firm).out)["values"]["tier"] == "B"
    for more in ((), ("--no-explain",)):
        told = tierwise("decide", str(RENEWAL), "-", "--as-of", "2026-01-15", "--format", "json", *more, stdin=best).out
        (folder / "before.json").write_text(told)
        result = json.loads(tierwise(*now, "--previous", "before.json", stdin=firm).out)
        assert result["values"]["tier"] == "A"
        assert result["values"]["was large"] is True
    (folder / "before.json").write_text('{"tier": "A", "as of": "2026-07-02"}')
    assert json.loads(tierwise(*now, "--previous", "before.json", stdin=firm).out)["values"]["tier"] == "B"


def test_a_previous_decision_that_is_no_object(tierwise: Tierwise, folder: Path) -> None:
    (folder / "before.json").write_text("[1]")
    result = tierwise("decide", str(RENEWAL), "-", "--previous", "before.json", stdin=b'{"firm id": "F1", "score": 1}')
    assert result.code == 3
    assert "the previous decision" in result.err


def test_a_case_is_saved_with_the_previous_decision(tierwise: Tierwise, folder: Path) -> None:
    (folder / "before.json").write_text('{"tier": "A", "as of": "2026-05-01"}')
    (folder / "renewal.yaml").write_text(RENEWAL.read_text("utf-8"), encoding="utf-8")
    (folder / "customer.json").write_text('{"firm id": "F1", "score": 47}')
    saved = tierwise(
        "decide", "renewal.yaml", "customer.json", "--as-of", "2026-07-01", "--previous", "before.json",
        "--save-test", "renewal.test.yaml", "--yes",
    )
    assert saved.code == 0, saved.err
    again = tierwise("test", "renewal.test.yaml")
    assert again.code == 0, again.out + again.err
