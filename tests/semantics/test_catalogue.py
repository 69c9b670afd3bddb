"""The catalogue as a whole: every row is sound, and it is a value."""

from __future__ import annotations

import pytest

from engine.semantics import dtypes as dt
from engine.semantics.catalogue import BUILTINS, Catalogue, Operation, Parameter, Signature
from engine.semantics.dtypes import Type
from engine.semantics.values import Undefined

ROWS = list(BUILTINS)
KINDS = {
    dt.NUMBER,
    dt.STRING,
    dt.BOOLEAN,
    dt.DATE,
    dt.TIME,
    dt.DATE_TIME,
    dt.DAYS_DURATION,
    dt.MONTHS_DURATION,
    dt.LIST,
    dt.CONTEXT,
    dt.RANGE,
    dt.FUNCTION,
    dt.ANY,
    dt.MONEY,
}


@pytest.mark.parametrize("row", ROWS, ids=[r.name for r in ROWS])
def test_a_row_is_sound(row: Operation) -> None:
    assert row.nulls in ("strict", "handles")
    assert row.signatures
    for signature in row.signatures:
        kinds = [p.type for p in signature.parameters]
        assert all(k.kind in KINDS for k in kinds)
        assert isinstance(signature.returns(kinds or [Type(dt.NUMBER)]), Type)
        names = [p.name for p in signature.parameters]
        assert len(set(names)) == len(names)
        optional = [p.optional for p in signature.parameters]
        assert optional == sorted(optional), "optional parameters come last"


@pytest.mark.parametrize("row", [r for r in ROWS if r.nulls == "handles" and not r.clock], ids=lambda r: r.name)
def test_a_row_that_handles_null_gives_null_where_it_must_not_be(row: Operation) -> None:
    signature = row.signatures[0]
    required = [p for p in signature.parameters if not p.optional]
    if any(not p.nullable for p in required):
        assert row.kernel(*[None] * len(required)) is None


def test_a_catalogue_is_a_value() -> None:
    row = Operation("double", (Signature((Parameter("n", Type(dt.NUMBER)),), Type(dt.NUMBER)),), lambda n: n * 2)
    more = BUILTINS.extended([row])
    assert "double" in more
    assert more.get("double") is row
    assert "double" not in BUILTINS
    assert len(more) == len(BUILTINS) + 1
    assert isinstance(more, Catalogue)
    with pytest.raises(LookupError):
        BUILTINS.get("double")


def test_result_types_follow_arguments() -> None:
    numbers = Type(dt.LIST, item=Type(dt.NUMBER))
    assert BUILTINS.get("max").signatures[0].returns([numbers]) == Type(dt.NUMBER, nullable=True)
    either = BUILTINS.get("get or else").signatures[0]
    assert either.returns([Type(dt.NUMBER, nullable=True), Type(dt.NUMBER)]) == Type(dt.NUMBER)
    assert BUILTINS.get("string length").signatures[0].returns([Type(dt.STRING)]).whole


def test_counts_of_arguments() -> None:
    assert BUILTINS.get("substring").by_count(2)
    assert BUILTINS.get("substring").by_count(3)
    assert not BUILTINS.get("substring").by_count(1)
    assert BUILTINS.get("append").by_count(7)


def test_functions_leave_out_operators_and_properties() -> None:
    names = BUILTINS.functions()
    assert "floor" in names
    assert not {"+", "neg", ".year"} & set(names)


def test_a_kernel_says_why_it_has_no_value() -> None:
    with pytest.raises(Undefined) as caught:
        BUILTINS.get("/").kernel(1, 0)
    assert caught.value.message == "division by zero"
