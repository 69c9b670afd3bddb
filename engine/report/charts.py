"""Charts as SVG, drawn by Vega-Lite within this process: nothing is fetched when they are made or shown.

Each figure stands beside its bar, series differ by place, dash and label, so that nothing hangs on colour, and the
picture reads in black and white. What a chart says in words is its text for who cannot see it.
"""
from __future__ import annotations

import json
import re
from importlib import import_module
from typing import Any

from engine.report.blocks import COUNT, DECIMAL, MONEY, NUMBER, SHARE, Chart

WIDTH, BAR = 560, 24
_FORMATS = {COUNT: ",d", SHARE: ".1%", MONEY: ",.0f", NUMBER: ",.1f", DECIMAL: ".3f"}
#: Dark enough for text on white, and apart in grey as well as in colour.
_INK = ["#1b4b7a", "#d17a00", "#5a5a5a", "#2f7d4f", "#8c3b6a", "#000000"]
_CONFIG: dict[str, Any] = {
    "font": "Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, Helvetica, Arial, sans-serif",
    "background": "white", "view": {"stroke": None},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "labelLimit": 260, "grid": False, "domainColor": "#777",
             "tickColor": "#777", "labelColor": "#111", "titleColor": "#111"},
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "labelLimit": 300, "symbolSize": 500,
               "symbolStrokeWidth": 2}, "text": {"fontSize": 12, "color": "#111"},
    "range": {"category": _INK},
}
_NAMES = {"ticks": False, "domain": False, "labelPadding": 6}


class ChartsMissing(Exception):
    """The library that draws is not installed."""


def svg(chart: Chart) -> str:
    """The chart as SVG; raises ChartsMissing."""
    try:
        library = import_module("vl_convert")
    except ImportError:
        raise ChartsMissing('the charts of a report need vl-convert-python: pip install "tierwise[report]"') from None
    text: str = library.vegalite_to_svg(json.dumps({**_FORMS[chart.form](chart), "config": _CONFIG}))
    return re.sub(r"<svg ", '<svg role="img" ', text, count=1)


def _base(chart: Chart) -> dict[str, Any]:
    names = [f"f{at}" for at in range(len(chart.fields))]
    values = [dict(zip(names, row, strict=True)) for row in chart.rows]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json", "data": {"values": values}, "width": WIDTH,
        "description": chart.says or chart.title,
    }


def _bars(chart: Chart) -> dict[str, Any]:
    order = [row[0] for row in chart.rows]
    y = {"field": "f0", "type": "nominal", "sort": order, "title": None, "axis": _NAMES}
    x = {"field": "f1", "type": "quantitative", "axis": None, "scale": {"domain": _room(chart, 1)}}
    text = {"field": "f1", "type": "quantitative", "format": _FORMATS[chart.kind]}
    return {
        **_base(chart), "height": {"step": BAR}, "layer": [
            {"mark": {"type": "bar", "color": _INK[0], "height": {"band": 0.7}}, "encoding": {"y": y, "x": x}},
            {"mark": _beside("f1"), "encoding": {"y": y, "x": x, "text": text}},
        ],
    }


def _pairs(chart: Chart) -> dict[str, Any]:
    order, series = _once(row[0] for row in chart.rows), _once(row[1] for row in chart.rows)
    row = {"field": "f0", "type": "nominal", "sort": order, "title": None, "spacing": 8,
           "header": {"labelAngle": 0, "labelAlign": "left", "labelFontSize": 12, "labelLimit": 200,
                      "labelColor": "#111"}}
    y = {"field": "f1", "type": "nominal", "sort": series, "title": None, "axis": _NAMES}
    x = {"field": "f2", "type": "quantitative", "axis": None, "scale": {"domain": _room(chart, 2)}}
    colour = {"field": "f1", "type": "nominal", "sort": series, "legend": None, "scale": {"range": _INK}}
    text = {"field": "f2", "type": "quantitative", "format": _FORMATS[chart.kind]}
    bars = {"mark": {"type": "bar", "height": {"band": 0.75}}, "encoding": {"y": y, "x": x, "color": colour}}
    told = {"mark": _beside("f2"), "encoding": {"y": y, "x": x, "text": text}}
    base = _base(chart)
    width = base.pop("width")
    spec = {"width": width - 140, "height": {"step": 18}, "layer": [bars, told]}
    return {**base, "facet": {"row": row}, "spec": spec}


def _lines(chart: Chart) -> dict[str, Any]:
    series = _once(row[0] for row in chart.rows)
    x = {"field": "f1", "type": "quantitative", "title": chart.fields[1], "axis": {"format": ".0%", "grid": True}}
    y = {"field": "f2", "type": "quantitative", "title": chart.fields[2], "axis": {"format": ".0%", "grid": True}}
    colour, dash = _told_apart(chart, series)
    return {
        **_base(chart), "height": 300, "layer": [
            {"mark": {"type": "line", "strokeWidth": 2.2, "interpolate": "linear"},
             "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash}},
            {"data": {"values": [{"a": 0, "b": 0}, {"a": 1, "b": 1}]},
             "mark": {"type": "line", "color": "#999", "strokeDash": [2, 3]},
             "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "b", "type": "quantitative"}}},
        ],
    }


def _curves(chart: Chart) -> dict[str, Any]:
    """A line for each series over whole numbers, such as months."""
    series = _once(row[0] for row in chart.rows)
    x = {"field": "f1", "type": "quantitative", "title": chart.fields[1],
         "scale": {"domain": [0, max(row[1] for row in chart.rows)]}, "axis": {"tickMinStep": 1, "format": "d"}}
    y = {"field": "f2", "type": "quantitative", "title": chart.fields[2], "scale": {"zero": True},
         "axis": {"format": _FORMATS[chart.kind], "grid": True}}
    colour, dash = _told_apart(chart, series)
    return {
        **_base(chart), "height": 280, "mark": {"type": "line", "strokeWidth": 2.2},
        "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash},
    }


def _grid(chart: Chart) -> dict[str, Any]:
    rows, columns = _once(row[0] for row in chart.rows), _once(row[1] for row in chart.rows)
    x = {"field": "f1", "type": "nominal", "sort": columns, "title": chart.fields[1], "axis": {"orient": "top",
         "labelAngle": 0, "ticks": False, "domain": False}}
    y = {"field": "f0", "type": "nominal", "sort": rows, "title": chart.fields[0],
         "axis": {"ticks": False, "domain": False}}
    shade = {"field": "f2", "type": "quantitative", "legend": None,
             "scale": {"range": ["#f4f7fa", "#1b4b7a"], "domain": [0, 1]}}
    text = {"field": "f2", "type": "quantitative", "format": _FORMATS[chart.kind]}
    ink = {"condition": {"test": "datum.f2 > 0.5", "value": "white"}, "value": "#111"}
    base = _base(chart)
    base["width"] = {"step": max(76, 7 * max(len(str(c)) for c in columns))}
    return {
        **base, "height": {"step": 34}, "layer": [
            {"mark": {"type": "rect", "stroke": "#999"}, "encoding": {"x": x, "y": y, "color": shade}},
            {"mark": {"type": "text"}, "encoding": {"x": x, "y": y, "text": text, "color": ink}},
        ],
    }


def _beside(value: str) -> dict[str, Any]:
    """A figure beside the end of its bar, on the left where it is below nothing."""
    return {"type": "text", "align": {"expr": f"datum.{value} < 0 ? 'right' : 'left'"},
            "dx": {"expr": f"datum.{value} < 0 ? -4 : 4"}}


def _told_apart(chart: Chart, series: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Colour and dash of lines. Their domains are alike and unsorted, or the library draws a legend for each."""
    base = {"field": "f0", "type": "nominal", "title": chart.fields[0]}
    return {**base, "scale": {"domain": series, "range": _INK}}, {**base, "scale": {"domain": series}}


def _room(chart: Chart, at: int) -> list[float]:
    """From nothing to the longest bar, with room for its figure."""
    values = [row[at] for row in chart.rows]
    low, high = min(0, *values), max(0, *values)
    return [1.12 * low, 1.12 * high or 1]


def _once(values: Any) -> list[Any]:
    return list(dict.fromkeys(values))


_FORMS = {"bars": _bars, "pairs": _pairs, "lines": _lines, "curves": _curves, "grid": _grid}
#: Categories beyond which a picture says less than its table.
MOST = 40
