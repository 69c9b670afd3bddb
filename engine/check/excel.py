"""Functions of spreadsheets and databases, and how a policy says the same."""
from __future__ import annotations

_PRESENT = "write `get or else(x, y)`, which gives y where x has no value"
_WAYS = {
    "round": "write `round half up(x, 2)`, and for whole numbers `round half up(x, 0)`",
    "roundup": "write `round up(x, 2)`", "rounddown": "write `round down(x, 2)`", "trunc": "write `round down(x, 0)`",
    "int": "write `floor(x)`", "ceil": "write `ceiling(x)`", "mod": "write `modulo(a, b)`", "power": "write `a ** b`",
    "average": "write `mean(...)`", "avg": "write `mean(...)`", "len": "write `string length(x)`",
    "isblank": "write `x = null`", "isnull": "write `x = null`", "isempty": "write `x = null`",
    "iferror": _PRESENT, "ifna": _PRESENT, "ifnull": _PRESENT, "nvl": _PRESENT, "coalesce": _PRESENT,
    "iif": "write `if condition then a else b`", "ifs": "write rules, of which the first that holds wins",
    "switch": "write rules, of which the first that holds wins",
    "vlookup": "look up in a decision of the form `lookup`, or write a table",
    "xlookup": "look up in a decision of the form `lookup`, or write a table",
    "hlookup": "look up in a decision of the form `lookup`, or write a table",
    "countif": "write `count(rows[condition])`", "countifs": "write `count(rows[condition])`",
    "sumif": "write `sum(rows[condition].amount)`", "sumifs": "write `sum(rows[condition].amount)`",
    "averageif": "write `mean(rows[condition].amount)`",
    "datedif": "write `(b - a).days`", "days": "write `(b - a).days`",
    "edate": 'write `x + duration("P1M")`', "eomonth": 'write `x + duration("P1M")`, with the day that is meant',
    "concat": "write `a + b`", "concatenate": "write `a + b`", "left": "write `substring(x, 1, n)`",
    "right": "write `substring(x, -n)`", "mid": "write `substring(x, start, n)`", "search": "write `contains(x, y)`",
    **{name: f"write `{call}`, of the set `finance` under `functions`" for name, call in (
        ("pmt", "instalment(principal, rate, periods)"), ("npv", "net present value(rate, flows)"),
        ("cumipmt", "total interest(principal, rate, periods)"), ("irr", "internal rate(flows)"),
        ("rate", "annual percentage rate(advance, instalment, number, periods a year)"),
        ("xirr", "annual rate of dated flows(flows, dates)"), ("effect", "effective rate(nominal, periods)"),
        ("yearfrac", "year fraction(from, to, basis)"), ("days360", "days 360(from, to)"),
    )},
    "find": "write `contains(x, y)`", "lower": "write `lower case(x)`", "upper": "write `upper case(x)`",
}


def way(name: str) -> str | None:
    """How a policy says what a function of another language does, None for other names."""
    return _WAYS.get(name.lower())
