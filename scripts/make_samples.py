"""Make the sample portfolio: firms, their instalments and their sales invoices, under `policies/samples/`, and one
of the firms with its events as JSON, for deciding a single customer.

    python scripts/make_samples.py [FOLDER]

The firms are invented. The shape follows what a bank gets: skewed revenues, staff that goes with them, gaps
where nobody asked, and an extract that was taken a fortnight after the date the policy is run as of (2026-07-01),
so that it holds events which a decision of that date must not see. The warts are of the kinds met in real files
and are listed in `FIRM_WARTS`, `_spoil_repayments` and `_spoil_invoices`.

Only `random.random` is drawn from, whose sequence Python keeps for a seed: the same bytes come out everywhere,
and a test holds the files in the repository against this script.
"""
from __future__ import annotations

import csv
import datetime
import json
import math
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

SEED = 20260701
FIRMS = 200
AS_OF = datetime.date(2026, 7, 1)
EXTRACTED = datetime.date(2026, 7, 15)
DAY = datetime.timedelta(days=1)

FIRM_COLUMNS = (
    "firm_id", "firm_name", "region", "standard_industry", "employees", "annual_revenue", "total_assets",
    "total_debts", "years_trading", "dscr", "requested_amount", "maturity_date", "owner_gender",
)
REPAYMENT_COLUMNS = ("firm_id", "booked", "instalment", "due", "paid", "amount")
INVOICE_COLUMNS = ("firm_id", "number", "issued", "buyer", "net", "status")

#: Industry, word in the firm's name, share of firms, median yearly revenue in yuan, revenue a head in yuan.
INDUSTRIES = (
    ("wholesale", "商贸", 0.22, 9_000_000, 900_000),
    ("retail", "超市", 0.15, 4_500_000, 400_000),
    ("industry", "机械制造", 0.2, 12_000_000, 500_000),
    ("construction", "建筑工程", 0.1, 15_000_000, 600_000),
    ("transport", "物流", 0.07, 6_000_000, 350_000),
    ("software_it", "软件", 0.08, 5_000_000, 400_000),
    ("catering", "餐饮", 0.06, 2_500_000, 200_000),
    ("agriculture", "农业", 0.05, 3_000_000, 300_000),
    ("leasing_business_services", "商务服务", 0.04, 4_000_000, 350_000),
    ("other", "文化", 0.03, 3_000_000, 250_000),
)
REGIONS = (("SH", 0.4), ("BJ", 0.25), ("GD", 0.35))

#: Row of firms.csv (from 0), column, and what stands there instead: each makes the firm's data bad.
FIRM_WARTS = (
    (11, "annual_revenue", "12,500,000"),      # thousands separators
    (37, "employees", "about 40"),             # a word in a number column
    (58, "region", "TJ"),                      # a region that the policy does not know
    (83, "maturity_date", "2026-02-30"),       # no such day
    (104, "maturity_date", "2026/8/15"),       # a day in another form
    (126, "annual_revenue", "-3200000"),       # below its range
    (149, "standard_industry", ""),            # a required value is missing
    (171, "requested_amount", "0"),            # nothing is asked for
    (188, "years_trading", "N/A"),             # missing, by another word
)

#: The firm of customer.json: somebody forgot to ask for its debt service cover.
CUSTOMER = "F145"
_NUMBERS = frozenset({
    "employees", "annual_revenue", "total_assets", "total_debts", "years_trading", "dscr", "requested_amount",
    "instalment", "amount", "net",
})

Row = dict[str, str]


class Draws(random.Random):
    """Draws made of `random()` alone."""

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int((high - low + 1) * self.random())

    def normal(self) -> float:
        """Nearly normal, mean 0 and deviation 1: twelve uniform draws."""
        return sum(self.random() for _ in range(12)) - 6.0

    def skewed(self, median: float, spread: float) -> float:
        """Log-normal about `median`."""
        return median * math.exp(spread * self.normal())

    def chance(self, share: float) -> bool:
        return self.random() < share

    def weighted(self, weights: Sequence[float]) -> int:
        """An index, by weights that add to 1."""
        left = self.random()
        for index, weight in enumerate(weights):
            left -= weight
            if left < 0:
                return index
        return len(weights) - 1


class Firm:
    """What the three tables have to agree on."""

    def __init__(self, draws: Draws, number: int) -> None:
        self.id = f"F{number:03}"
        self.industry, word, _, median, a_head = INDUSTRIES[draws.weighted([i[2] for i in INDUSTRIES])]
        self.name = f"***{word}有限公司"
        self.region = REGIONS[draws.weighted([share for _, share in REGIONS])][0]
        self.revenue = _round(draws.skewed(median, 0.9), 10_000)
        self.employees = max(1, round(draws.skewed(self.revenue / a_head, 0.5)))
        self.years = round(min(40.0, -7 * math.log(1 - draws.random())), 1)
        self.assets = _round(draws.skewed(self.revenue * 0.7, 0.6), 10_000)
        self.debts = _round(self.assets * min(1.3, max(0.02, 0.45 + 0.18 * draws.normal())), 10_000)
        #: What everything else leans on: positive is sound.
        self.health = draws.normal()
        self.dscr = round(max(0.05, 1.75 + 0.4 * self.health + 0.3 * draws.normal()), 2)
        self.growth = 0.12 + 0.12 * self.health + 0.12 * draws.normal()
        self.asked = _round(draws.between(0.02, 0.17) * self.revenue, 10_000)
        self.has_loan = draws.chance(0.68) and self.years >= 0.8
        self.maturity: datetime.date | None = None


def make(folder: Path) -> None:
    """Write the three tables."""
    draws = Draws(SEED)
    firms = [Firm(draws, number + 1) for number in range(FIRMS)]
    repayments = [row for firm in firms for row in _repayments(draws, firm)]
    invoices = [row for firm in firms for row in _invoices(draws, firm)]
    rows = [_firm(draws, firm) for firm in firms]
    for index, column, text in FIRM_WARTS:
        rows[index][column] = text
    rows.append(dict(rows[66]))  # a firm exported twice
    _spoil_repayments(repayments)
    _spoil_invoices(draws, invoices)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "firms.csv", FIRM_COLUMNS, rows)
    _write(folder / "repayments.csv", REPAYMENT_COLUMNS, repayments)
    _write(folder / "invoices.csv", INVOICE_COLUMNS, invoices)
    customer = {
        **next(_typed(row) for row in rows if row["firm_id"] == CUSTOMER),
        "history": {
            name: [_typed(row) for row in table if row["firm_id"] == CUSTOMER]
            for name, table in (("repayments", repayments), ("invoices", invoices))
        },
    }
    (folder / "customer.json").write_text(_json(customer), "utf-8")


def _firm(draws: Draws, firm: Firm) -> Row:
    unknown = draws.chance(0.1)  # no balance sheet was handed in
    maturity = firm.maturity if not draws.chance(0.08) else None
    return {
        "firm_id": firm.id,
        "firm_name": firm.name,
        "region": firm.region,
        "standard_industry": firm.industry,
        "employees": str(firm.employees),
        "annual_revenue": str(firm.revenue),
        "total_assets": "" if unknown else str(firm.assets),
        "total_debts": "" if unknown or draws.chance(0.04) else str(firm.debts),
        "years_trading": f"{firm.years:g}",
        "dscr": "" if draws.chance(0.07) else f"{firm.dscr:g}",
        "requested_amount": str(firm.asked),
        "maturity_date": "" if maturity is None else maturity.isoformat(),
        "owner_gender": ("female", "male", "")[draws.weighted((0.27, 0.58, 0.15))],
    }


def _repayments(draws: Draws, firm: Firm) -> list[Row]:
    """A year of monthly instalments of the running loan: past, due within days, and to come."""
    if not firm.has_loan:
        return []
    booked = AS_OF - draws.whole(-8, 355) * DAY  # some begin after the date of decision
    amount = round(_round(firm.revenue * draws.between(0.05, 0.2), 1000) / 12, 2)
    stops = draws.whole(1, 8) if firm.health < -1.2 else 13  # from which instalment on nothing is paid
    rows = []
    for number in range(1, 13):
        due = _months_on(booked, number)
        late = _delay(draws, firm.health)
        paid = due + late * DAY
        unpaid = number >= stops or paid > EXTRACTED
        rows.append({
            "firm_id": firm.id,
            "booked": booked.isoformat(),
            "instalment": str(number),
            "due": due.isoformat(),
            "paid": "" if unpaid else paid.isoformat(),
            "amount": f"{amount:.2f}",
        })
        firm.maturity = due
    return rows


def _delay(draws: Draws, health: float) -> int:
    """Days between an instalment's day and its payment; most are on the day, some before it."""
    if draws.chance(0.8 if health > 0 else 0.7):
        return 0
    if draws.chance(0.4):
        return -draws.whole(1, 10)
    return draws.whole(1, 4) if health > -0.8 else draws.whole(2, 38)


def _invoices(draws: Draws, firm: Firm) -> list[Row]:
    """Two years of sales, each invoice standing for a share of a month."""
    if draws.chance(0.04):
        return []
    buyers = [f"B{draws.whole(1, 999):03}" for _ in range(draws.whole(2, 7))]
    weights = [draws.skewed(1.0, 0.9) for _ in buyers]
    total = sum(weights)
    weights = [w / total for w in weights]
    borne_out = 0.35 if draws.chance(0.06) else draws.between(0.85, 1.1)
    months = [m for m in range(24) if m < firm.years * 12]
    count = draws.whole(12, 24)
    rows = []
    number = draws.whole(100_000, 999_000)
    for place in range(count):
        back = months[len(months) * place // count] if months else 0
        share = (1.0 if back < 12 else 1.0 / (1.0 + max(-0.6, firm.growth))) * len(months) / (12 * count)
        number += draws.whole(1, 40)
        issued = AS_OF - (30 * back + draws.whole(0, 29)) * DAY if place else EXTRACTED - draws.whole(0, 20) * DAY
        net = firm.revenue * borne_out * share * draws.skewed(1.0, 0.35)
        buyer = buyers[draws.weighted(weights)]
        rows.append(_invoice(firm, number, issued, buyer, net, "void" if draws.chance(0.05) else "valid"))
        if draws.chance(0.06):  # part of it comes back
            number += 1
            returned = -net * draws.between(0.05, 0.9)
            rows.append(_invoice(firm, number, issued + draws.whole(3, 30) * DAY, buyer, returned, "valid"))
    return rows


def _invoice(firm: Firm, number: int, issued: datetime.date, buyer: str, net: float, status: str) -> Row:
    return {
        "firm_id": firm.id, "number": f"{number:08}", "issued": min(issued, EXTRACTED).isoformat(), "buyer": buyer,
        "net": f"{net:.2f}", "status": status,
    }


def _spoil_repayments(rows: list[Row]) -> None:
    rows[300]["amount"] = "4.200,50"     # a decimal comma
    rows[700]["paid"] = "not yet"        # words in a date column
    rows[701]["firm_id"] = "F999"        # an instalment of a firm that is not in the portfolio


def _spoil_invoices(draws: Draws, rows: list[Row]) -> None:
    rows[1500]["net"] = "1.2e4x"         # no number
    rows[2400]["status"] = "cancelled"   # a state nobody declared
    for index in sorted((draws.whole(0, len(rows) - 1) for _ in range(10)), reverse=True):
        rows.insert(index, dict(rows[index]))  # the same invoice twice


def _round(value: float, unit: int) -> int:
    return max(1, round(value / unit)) * unit


def _months_on(day: datetime.date, months: int) -> datetime.date:
    """The same day of a later month, or its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = datetime.date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(datetime.date(year, month + 1, 1) + (day.day - 1) * DAY, following - DAY)


def _typed(row: Row) -> dict[str, Any]:
    """A row as JSON has it: numbers as numbers, an empty cell as null."""
    return {name: (_number(text) if name in _NUMBERS else text) if text else None for name, text in row.items()}


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _json(customer: dict[str, Any]) -> str:
    """A field or an event a line."""
    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    tables = ",\n".join(
        f"    {line(name)}: [\n" + ",\n".join(f"      {line(row)}" for row in rows) + "\n    ]"
        for name, rows in customer["history"].items()
    )
    fields = "".join(f"  {line(name)}: {line(value)},\n" for name, value in customer.items() if name != "history")
    return "{\n" + fields + '  "history": {\n' + tables + "\n  }\n}\n"


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    default = Path(__file__).resolve().parent.parent / "policies" / "samples"
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
