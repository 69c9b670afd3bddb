"""Values over customers: what they come to, alike on every engine, and what a run does with them."""
from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
import tierwise

import engine.portfolio.aggregates as aggregates
from engine.deploy.deployment import open_deployment

CORPUS = Path(__file__).parent.parent / "corpus" / "good"
AS_OF = date(2026, 7, 1)
EXTRAS = ("reasons", "fired", "open", "missing", "trace")
Values = Callable[..., dict[str, Any]]


def customers(path: Path, seed: int, number: int) -> Path:
    """Customers with gaps, bad data, amounts in fractions of a cent and ties between groups."""
    drawn = random.Random(seed)
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["firm id", "region", "industry", "owner gender", "annual revenue", "dscr"])
        for at in range(number):
            revenue = drawn.choice(["", "n/a"]) if drawn.random() < 0.04 else repr(drawn.uniform(0, 2e7) ** 1.01)
            out.writerow([
                f"F{at}", drawn.choice(["SH", "BJ", "", "XX" if drawn.random() < 0.1 else "SH"]),
                drawn.choice(["C13", "F51", "制造", "a;b", "G54"]), drawn.choice(["female", "male", ""]), revenue,
                drawn.choice(["", "0.5", "1", "1.7", "0.1", "3"]),
            ])
    return path


@pytest.fixture(scope="module")
def policy() -> Any:
    return tierwise.load_policy(CORPUS / "portfolio.yaml")


def test_engines_agree(policy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, number in enumerate([0, 1, 2, 7, 60, 400]):
        data = customers(tmp_path / f"{seed}.csv", seed, number)
        told = {}
        for name in ("python", "duckdb"):
            out, values = tmp_path / f"{seed}.{name}.csv", tmp_path / f"{seed}.{name}.jsonl"
            told[name] = policy.run(data, as_of=AS_OF, out=out, engine=name, portfolio=values).portfolio
            told[f"{name}, written"] = values.read_text("utf-8")
        with monkeypatch.context() as patch:
            patch.setattr(aggregates, "compile_program", lambda *_: _Reference)
            told["reference"] = policy.run(data, as_of=AS_OF, out=tmp_path / "r.csv", engine="python").portfolio
        assert exact(told["python"]) == exact(told["duckdb"]) == exact(told["reference"])
        assert told["python, written"] == told["duckdb, written"]
        assert (tmp_path / f"{seed}.python.csv").read_bytes() == (tmp_path / f"{seed}.duckdb.csv").read_bytes()


class _Reference:
    """Leaves each program to the reference."""

    @staticmethod
    def trusted(*_: Any) -> None:
        return None


def exact(values: Any) -> str:
    """Values with the last bit of each number; whole ones are the same with a point or without."""
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items()}
        if isinstance(value, tuple):
            return [plain(each) for each in value]
        return repr(float(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
    return json.dumps(plain(values), ensure_ascii=False)


def test_the_lending_policy(tmp_path: Path) -> None:
    """What the shipped policy says of the sample firms: groups add up to the whole, on both engines alike."""
    folder = Path(__file__).parent.parent.parent / "policies" / "sme"
    lending, samples = tierwise.load_policy(folder / "lending.yaml"), folder / "samples"
    history = {name: samples / f"{name}.csv" for name in ("invoices", "repayments")}
    with open_deployment(str(folder / "deployment.yaml")) as deployment:
        deployment.bind(lending)
        one, other = (
            lending.run(samples / "firms.csv", as_of=AS_OF, out=tmp_path / f"{name}.csv", engine=name, history=history)
            for name in ("python", "duckdb")
        )
    assert exact(one.portfolio) == exact(other.portfolio)
    for name in ("industries", "tiers", "regions"):
        rows = one.portfolio[name]
        assert sum(row["firms"] for row in rows) == one.decided + one.open
        assert sum(row["exposure"] for row in rows) == one.portfolio["exposure"] > 0
        approved = sum(row["firms"] * row["approved share"] for row in rows)
        assert approved == pytest.approx((one.decided + one.open) * one.portfolio["approved share"])
    assert sum(row["part of all"] for row in one.portfolio["industries"]) == pytest.approx(1)
    assert [row["tier"] for row in one.portfolio["tiers"]] == ["A", "B", "C", "D"]
    assert one.portfolio["regions"][-1]["region"] is None


@pytest.mark.real
def test_spark_agrees(policy: Any, tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="needs pyspark")
    data = customers(tmp_path / "data.csv", 11, 300)
    one, other = (
        policy.run(data, as_of=AS_OF, out=tmp_path / f"{name}.csv", engine=name) for name in ("python", "spark")
    )
    assert exact(one.portfolio) == exact(other.portfolio)


def test_what_they_come_to(tmp_path: Path, policy: Any) -> None:
    data = tmp_path / "data.csv"
    data.write_text(
        "firm id,region,industry,owner gender,annual revenue,dscr\n"
        "a,SH,C13,female,1000000,2\nb,,C13,male,3000000,0.5\nc,BJ,F51,female,500000,1\nd,SH,F51,,bad,1\n"
        "e,SH,C13,,100000,\n", "utf-8",
    )
    found = policy.run(data, as_of=AS_OF, out=tmp_path / "out.csv").portfolio
    groups = {name: found.pop(name) for name in ("industries", "regions by size", "bands")}
    assert found == {
        "approved share": 0.5, "exposure": 300000, "worst cover": 0.5, "covered": False, "micro firms": 2,
        "women approved": 0.5, "revenue": 460, "refused": 1, "open": 0.25, "offered": 300000,
        "longest": 12,
    }
    assert groups["industries"] == (
        {"industry": "C13", "exposure": 200000, "part of all": 2 / 3, "large ones": 1},
        {"industry": "F51", "exposure": 100000, "part of all": 1 / 3, "large ones": 1},
    )
    assert groups["regions by size"] == (
        {"region": "SH", "size.size": "micro", "customers above": 0},
        {"region": "SH", "size.size": "other", "customers above": 0},
        {"region": "BJ", "size.size": "micro", "customers above": 0},
        {"region": None, "size.size": "other", "customers above": 0},
    )


@pytest.mark.parametrize("engine", ["python", "duckdb"])
def test_results_are_as_without(tmp_path: Path, engine: str) -> None:
    """What is read for the values shows in no row, be it written as text or as Parquet."""
    text = (CORPUS / "portfolio.yaml").read_text("utf-8")
    (tmp_path / "portfolio-size.yaml").write_text((CORPUS / "portfolio-size.yaml").read_text("utf-8"), "utf-8")
    file = tmp_path / "policy.yaml"                     # one place, since accounts tell it
    file.write_text(text, "utf-8")
    policy = tierwise.load_policy(file)
    file.write_text(text[:text.index("portfolio:\n  ")], "utf-8")
    plain = tierwise.load_policy(file)
    data = tmp_path / "data.csv"
    rows = customers(tmp_path / "all.csv", 3, 50).read_text("utf-8").splitlines(keepends=True)
    data.write_text("".join(row for row in rows if ",XX," not in row), "utf-8")    # only the values read the region
    forms = ["csv"] if engine == "python" else ["csv", "parquet"]
    for form in forms:
        with_values, without = tmp_path / f"with.{form}", tmp_path / f"without.{form}"
        found = policy.run(data, as_of=AS_OF, out=with_values, engine=engine, extras=EXTRAS)
        other = plain.run(data, as_of=AS_OF, out=without, engine=engine, extras=EXTRAS)
        assert found.portfolio and not other.portfolio
        if form == "csv":
            assert with_values.read_bytes() == without.read_bytes()
        else:
            assert parquet.read_table(with_values).equals(parquet.read_table(without))


def test_part_of_a_run(policy: Any, tmp_path: Path) -> None:
    data, out = customers(tmp_path / "data.csv", 5, 40), tmp_path / "out.csv"
    assert policy.run(data, as_of=AS_OF, out=out, only=["limit"]).portfolio == {}
    every = policy.run(data, as_of=AS_OF, out=out)
    some = policy.run(data, as_of=AS_OF, out=out, where='industry = "C13"')
    assert [row["industry"] for row in some.portfolio["industries"]] == ["C13"]
    assert some.portfolio["industries"][0]["exposure"] == next(
        row["exposure"] for row in every.portfolio["industries"] if row["industry"] == "C13"
    )
    parts = policy.run(data, as_of=AS_OF, out=tmp_path / "parts", run_id="a", form="csv")
    assert parts.portfolio == {} and "a run in parts tells no values over all customers" in parts.notes
    first = policy.run(data, as_of=AS_OF, out=out, limit=3)
    assert sum(row["n"] for row in first.portfolio["bands"]) == first.decided + first.open


@pytest.mark.parametrize(("options", "told"), [
    ({"only": ["limit"]}, "leave `--only` out"),
    ({"run_id": "a"}, "a run in parts"),
    ({"portfolio": "values.parquet"}, "ends in .csv or .jsonl"),
])
def test_values_that_cannot_be_written(policy: Any, tmp_path: Path, options: dict[str, Any], told: str) -> None:
    data = customers(tmp_path / "data.csv", 5, 4)
    with pytest.raises(ValueError, match=told):
        policy.run(data, as_of=AS_OF, out=tmp_path / "o", **{"portfolio": tmp_path / "v.csv", **options})
