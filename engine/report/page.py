"""A report as one HTML page that asks the network for nothing and runs no script."""
from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any

from engine import __version__
from engine.render import visible
from engine.report.blocks import COUNT, DECIMAL, MONEY, NUMBER, SHARE, Block, Chart, Report
from engine.report.charts import ChartsMissing, svg

_TEMPLATE = Path(__file__).with_name("page.html.j2")
_NONE = "–"


def html(report: Report) -> str:
    """The page; raises ChartsMissing where a library is not installed. Every text of the data is escaped."""
    try:
        jinja2: Any = import_module("jinja2")
        markup: Any = import_module("markupsafe").Markup
    except ImportError:
        raise ChartsMissing('the page of a report needs jinja2: pip install "tierwise[report]"') from None
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    chinese = report.language.split("-")[0] == "zh"

    def draw(chart: Chart) -> Any:
        return markup(svg(chart))                       # made by the library, which escapes the texts in it

    text: str = environment.from_string(_TEMPLATE.read_text("utf-8")).render(
        report=report, lang="zh-CN" if chinese else "en", kind=_kind, show=show, draw=draw, version=__version__,
        say=lambda english, chinese_text: chinese_text if chinese else english,
    )
    return text


def _kind(block: Block) -> str:
    return type(block).__name__


def show(value: Any, kind: str) -> str:
    """A value as a person reads it."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return _NONE
    if kind == COUNT:
        return f"{int(value):,}"
    if kind == SHARE:
        return f"{value:.1%}"
    if kind == MONEY:
        return f"{value:,.0f}"
    if kind == NUMBER:
        return f"{value:,.1f}"
    if kind == DECIMAL:
        return f"{value:.3f}"
    return visible(str(value))
