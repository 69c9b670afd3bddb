"""An explanation as text for a person: what was decided, why, what is missing, and how it came about.

At most 100 columns wide, aligned as terminals draw East Asian characters. Reads the explanation as data
alone, so that a stored one can be shown again.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from engine.explain.phrases import FAULTS, phrases_of
from engine.explain.supply import GIVEN
from engine.explain.values import show, visible
from engine.syntax.width import char_width, text_width

Json = dict[str, Any]

WIDTH = 100
#: Columns that a rule's text may take before its values move to the next line.
TEXT = 46
#: Rules of one decision that are named one by one where missing data were handled.
FEW = 4


def render(told: Json, language: str | None = None) -> str:
    """The text of an explanation; `language` is that of the words around it, by default the one it was made in."""
    return "\n".join(line.rstrip() for line in _Page(told, language or told["language"]).lines()) + "\n"


class _Page:
    def __init__(self, told: Json, language: str) -> None:
        self.told = told
        self.language = language
        self.phrases = phrases_of(language)
        self.currency = told["policy"]["currency"]
        #: What an imported policy's names begin with; its own rules do not write it.
        self.prefix = ""

    def say(self, phrase: str, *values: Any) -> str:
        return self.phrases[phrase].format(*values)

    def listing(self, names: Sequence[str]) -> str:
        return self.phrases["comma"].join(visible(n) for n in names)

    def show(self, value: Any, kind: Any, percent: bool = False) -> str:
        return show(value, kind, self.phrases, self.currency, percent)

    # --- the page ---------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        told = self.told
        yield from wrap(self.head(), 0, 2)
        if told["refused"]:
            yield from self.refused()
        if told["outcomes"]:
            yield ""
            yield from self.outcomes()
        if told["reasons"]:
            yield from self.section("reasons", self.reasons())
        if told["open"]:
            yield from self.section("open", self.opened())
        if told.get("failures"):
            lines = (line for each in told["failures"] for line in wrap(visible(each), 2, 4))
            yield from self.section("failures", lines)
        if told["ask"]:
            yield from self.section("ask", self.asked())
        if told["assumed"]:
            yield from self.section("assumed", self.assumed())
        if told.get("sources"):
            yield from self.section("sources", self.sources())
        shown = [d for d in told["decisions"] if not _is_binding(d)]
        if shown:
            yield ""
            yield self.say("decisions")
            for decision in shown:
                yield ""
                yield from self.decision(decision)

    def head(self) -> str:
        policy = self.told["policy"]
        version = self.say("version", visible(policy["version"]))
        parts = [visible(policy["name"]), version, self.say("as of", self.told["as_of"])]
        for key in self.told["customer"]:
            parts.append(f"{visible(key['name'])} {self.known(key)}")
        return self.phrases["pause"].join(parts)

    def section(self, heading: str, lines: Iterator[str]) -> Iterator[str]:
        yield ""
        yield self.say(heading)
        yield from lines

    def refused(self) -> Iterator[str]:
        yield ""
        yield self.say("refused")
        rows = [(visible(f["name"]), self.fault(f["message"])) for f in self.told["refused"]]
        rows.extend(
            (self.say("model named", visible(m["model"])), self.say("model failed", visible(m["failure"])))
            for m in self.told.get("models", ()) if m["failure"] is not None
        )
        yield from columns(rows)

    def fault(self, message: str) -> str:
        """A fault of data in the language of the page, as it is where there are no words for it."""
        for pattern, words in FAULTS.get(self.language.split("-")[0], ()):
            if match := re.fullmatch(pattern, message, re.S):
                return visible(match.expand(words))
        return visible(message)

    def outcomes(self) -> Iterator[str]:
        opened = {o["decision"]: o for o in self.told["open"]}
        yield self.say("outcomes")
        rows = []
        for outcome in self.told["outcomes"]:
            name = outcome["name"]
            text = self.show(outcome["value"], outcome["type"], outcome.get("percent", False))
            if name in opened:
                known = opened[name]["could_be"] is not None
                note = self.could_be(opened[name]) if known else self.phrases["comma"].join(self.behind(opened[name]))
                text = self.say("because of", text, note)
            rows.append((visible(name), text))
        yield from columns(rows)

    def reasons(self) -> Iterator[str]:
        rows = []
        for reason in self.told["reasons"]:
            text = visible(reason["text"])
            if not reason["reserved"] and reason["language"].split("-")[0] != self.language.split("-")[0]:
                text += " " + self.say("in language", visible(reason["language"]))
            rows.append((visible(reason["code"]), text))
        yield from columns(rows)

    def opened(self) -> Iterator[str]:
        """Outcomes first, then the derived facts behind them."""
        outputs = {o["name"] for o in self.told["outcomes"]}
        rows = []
        for opened in sorted(self.told["open"], key=lambda o: o["decision"] not in outputs):
            cause = self.phrases["comma"].join(self.behind(opened))
            if opened["undetermined"]:
                cause = self.say("because of", self.say("undetermined", self.listing(opened["undetermined"])), cause)
            gave = self.show(opened["gave"], opened["type"])
            parts = [cause, self.say("refuse") if opened["on_missing"] == "refuse" else self.say("gave", gave)]
            if opened["could_be"] is not None or opened["gave"] is not None:
                parts.append(self.could_be(opened))
            rows.append((visible(opened["decision"]), self.phrases["clause"].join(parts)))
        yield from columns(rows)

    def behind(self, told: Json) -> list[str]:
        parts = []
        if told.get("missing"):
            parts.append(self.say("is missing", self.listing(told["missing"])))
        if told.get("undefined"):
            shown = self.phrases["comma"].join(f"`{visible(t)}`" for t in told["undefined"])
            parts.append(self.say("without value", shown))
        return parts

    def could_be(self, opened: Json) -> str:
        """What an open decision could be beside what it gave."""
        if opened["could_be"] is None:
            return self.say("could be anything")
        kind = opened["type"]
        is_list = isinstance(kind, dict) and "list" in kind
        given = opened["gave"] if is_list and isinstance(opened["gave"], list) else [opened["gave"]]
        others = [v for v in opened["could_be"] if v not in given]
        item = kind["list"] if is_list else kind
        shown = self.phrases["or"].join(self.show(v, item) for v in others or opened["could_be"])
        if is_list:
            return self.say("could include", shown)
        known = opened["gave"] is not None and opened["gave"] in opened["could_be"]
        return self.say("could also be" if known else "could be", shown)

    def asked(self) -> Iterator[str]:
        rows = []
        for question in self.told["ask"]:
            settles = question["settles"]
            rest = [n for n in question["touches"] if n not in settles]
            parts = []
            if settles:
                parts.append(self.say("settles", self.listing(settles)))
            if rest:
                parts.append(self.say("touches" if settles else "needed", self.listing(rest)))
            rows.append((visible(question["name"]), self.phrases["pause"].join(parts)))
        yield from columns(rows)

    def assumed(self) -> Iterator[str]:
        rows = [(visible(a["name"]), self.say("read by", self.readers(a["by"]))) for a in self.told["assumed"]]
        yield from columns(rows)

    def sources(self) -> Iterator[str]:
        rows = []
        for origin in self.told["sources"]:
            source = origin["source"]
            if source is None:
                parts = [self.say("no source")]
            elif source == GIVEN:
                parts = [self.say("given")]
            else:
                parts = [visible(source), *self.dated(origin)]
                if "rows" in origin:
                    parts.insert(1, self.show(origin["rows"], "rows"))
                if "fetched" in origin:
                    parts.append(self.say("fetched", origin["fetched"][:16].replace("T", " ")))
            shown = [self.phrases["pause"].join(parts)]
            for passed in origin.get("passed_over", ()):
                why = self.say(_PASSED[passed["why"]], visible(passed["source"]))
                detail = [self.phrases["colon"] + visible(passed["detail"])] if passed.get("detail") else []
                shown.append(self.phrases["pause"].join([why + "".join(detail), *self.dated(passed)]))
            rows.append((visible(origin["name"]), self.phrases["clause"].join(shown)))
        yield from columns(rows)

    def dated(self, told: Json) -> list[str]:
        return [self.say("since", visible(told["stamp"]))] if "stamp" in told else []

    def readers(self, readers: Sequence[str]) -> str:
        """`decision/rule` readers by decision, counted where there are many."""
        by: dict[str, list[str]] = {}
        for reader in readers:
            decision, _, rule = reader.rpartition("/") if "/" in reader else (reader, "", "")
            by.setdefault(decision, []).append(rule)
        shown = []
        for decision, rules in by.items():
            if len(rules) > FEW:
                shown.append(self.say("rules of", visible(decision), len(rules)))
            else:
                shown.append(" ".join(visible(word) for word in (decision, *rules) if word))
        return self.phrases["comma"].join(shown)

    # --- one decision -------------------------------------------------------------------

    def decision(self, told: Json) -> Iterator[str]:
        owner = told["name"].rpartition(".")[0] if told["internal"] else ""
        self.prefix = f"{owner}." if owner else ""
        value = self.show(told["value"], told["type"], told.get("percent", False))
        head = f"{visible(told['name'])}{self.phrases['colon']}{value}"
        if told["family"] == "features":
            head = self.say("because of", head, self.say("feature"))
        elif told["internal"]:
            head = self.say("because of", head, self.say("imported"))
        yield from wrap(head, 0, 4)
        for fact in told.get("where", ()):
            shown = self.show(fact["value"], fact["type"], fact.get("percent", False))
            is_rows = fact["type"] in ("rows", "groups") and fact["value"] is not None
            name = visible(fact["name"])
            values = [self.say("has" if is_rows else "value is", name, shown), *self.values(fact["values"])]
            yield from pair(4, self.say("with", name, visible(fact["text"])), self.joined(values), 0)
        if told["form"] == "model":
            yield from self.model(told["name"])
        elif "characteristics" in told:
            yield from self.scorecard(told)
        elif "rules" in told:
            yield from self.rules(told)
        elif told["text"]:
            values = self.values(told["values"])
            only = told["values"][0] if len(told["values"]) == 1 else None
            if only is not None and only["name"] == told["text"] and only["value"] is not None and "rows" not in only:
                values = []
            yield from pair(4, visible(told["text"]), self.joined(values), 0)
        if "conflict" in told:
            conflict = told["conflict"]
            if conflict["kind"] == "no bin":
                line = self.say("no bin holds", visible(conflict["characteristic"]))
            else:
                line = self.say(conflict["kind"], self.listing(conflict["rules"]))
            yield from wrap(line, 4, 4)

    def model(self, name: str) -> Iterator[str]:
        """Who answered, what it was asked, and why it did not answer."""
        told = next((m for m in self.told.get("models", ()) if m["decision"] == name), None)
        if told is None:
            return
        model, scorer, version = (visible(told[key]) for key in ("model", "scorer", "version"))
        by = self.say("model by", model, scorer, version) if scorer else self.say("model named", model)
        yield from pair(4, by, self.joined([self.value({"kind": "fact", **each}) for each in told["inputs"]]), 0)
        if told["state"] == "failed" or told["failure"] is not None:
            yield from wrap(self.say("model failed", visible(told["failure"])), 4, 4)
        elif told["state"] != "answered":
            yield from wrap(self.say(_UNASKED[told["state"]]), 4, 4)

    def rules(self, told: Json) -> Iterator[str]:
        rules = told["rules"]
        states = {s: self.say(p) for s, p in _STATES.items()}
        ids = max((text_width(visible(r["rule"])) for r in rules), default=0)
        marks = max((text_width(states[r["state"]]) for r in rules), default=0)
        several = told["form"] not in ("first", "unique")
        texts = [self.condition(rule) for rule in rules]
        room = max((w for w in map(text_width, texts) if w <= TEXT), default=0)
        for rule, text in zip(rules, texts, strict=True):
            mark = ">" if rule["fired"] else " "
            lead = f"  {mark} {pad(visible(rule['rule']), ids)}  {pad(states[rule['state']], marks)}  "
            yield from pair(lead, text, self.joined(self.said(rule, told, several)), room)
        if told["value"] is None and not any(r["state"] == "matched" for r in rules):
            yield from wrap(self.say("nothing matched"), 4, 4)
        if told["not_tried"]:
            yield from wrap(self.say("not tried", self.listing(told["not_tried"])), 4, 6)

    def condition(self, rule: Json) -> str:
        """What is told of a rule: the conditions that decided it."""
        because = rule["because"]
        if rule.get("otherwise"):
            return self.say("otherwise" if rule["state"] == "matched" else "not otherwise")
        if not because:
            return self.say("always") if rule["text"] == "-" else visible(rule["text"])
        return " and ".join(visible(part["text"]) for part in because)

    def said(self, rule: Json, told: Json, several: bool) -> list[str]:
        """The values put in, and what the rule gives or would give."""
        values = self.values([v for part in rule["because"] for v in part["values"]])
        kind = told["type"]
        item = kind["list"] if isinstance(kind, dict) and "list" in kind else kind
        percent = told.get("percent", False)
        if rule["state"] == "matched" and (several or not rule["fired"]):
            values.append(self.say("gives", self.show(rule["outcome"], item, percent)))
        elif rule["state"] == "undetermined" and rule["is_computed"]:
            values.append(self.say("would give computed"))
        elif rule["state"] == "undetermined":
            values.append(self.say("would give", self.show(rule["outcome"], item, percent)))
        for part in rule.get("computed", ()) if rule["fired"] else ():
            values.extend(self.values(part["values"]))
        return values

    def joined(self, values: Sequence[str]) -> str:
        """Clauses on one line, each once."""
        return self.phrases["clause"].join(dict.fromkeys(values))

    def values(self, values: Sequence[Json]) -> list[str]:
        return [self.value(v) for v in values]

    def known(self, told: Json) -> str:
        if told.get("hidden"):
            return self.say("hidden")
        return self.show(told["value"], told["type"], told.get("percent", False))

    def value(self, told: Json) -> str:
        """One name with its value put in."""
        name = visible(told["name"].removeprefix(self.prefix))
        if told["kind"] == "history":
            return self.rows(told)
        if told["value"] is None and not told.get("hidden"):
            return self.say("value missing" if told["kind"] == "input" else "value null", name)
        return self.say("has" if told["type"] in ("rows", "groups") else "value is", name, self.known(told))

    def rows(self, told: Json) -> str:
        history = visible(told["history"])
        if told["of"] is None:
            return self.say("not supplied", history)
        if told["name"] == told["history"]:
            return self.say("has", history, self.show(told["of"], "rows"))
        counted = self.say("rows counted", history, told["rows"], told["of"])
        # The aggregate's own value, which stands in the condition beside it; a count says it already.
        is_count = told["type"] == "number" and told["value"] == told["rows"]
        return counted if is_count else self.say("value is", counted, self.known(told))

    def scorecard(self, told: Json) -> Iterator[str]:
        rows = [[self.say(h) for h in ("characteristic", "value", "bin", "points", "lost", "reason")]]
        rows.append([self.say("base"), "", "", self.show(told["base"], "number"), "", ""])
        further = []
        for card in told["characteristics"]:
            value = self.known(card)
            behind = self.phrases["comma"].join(self.behind(card))
            lost = self.show(card["lost"], "number") if card["lost"] else ""
            rows.append([
                visible(card["name"]), value,
                self.say("no bin") if card["bin"] is None else visible(card["bin"]),
                "" if card["points"] is None else self.show(card["points"], "number"),
                lost, self.listing(card["reasons"]),
            ])
            if behind:
                further.append(f"{visible(card['name'])}{self.phrases['colon']}{behind}")
        rows.append([self.say("total"), "", "", self.show(told["value"], "number"), "", ""])
        widths = [min(max(text_width(r[i]) for r in rows), 30) for i in range(6)]
        for row in rows:
            cells = [
                pad(clip(cell, widths[i]), widths[i], right=i in (3, 4)) for i, cell in enumerate(row)
            ]
            yield "    " + "  ".join(cells)
        for line in further:
            yield from wrap(line, 4, 6)


#: Why a source was passed over.
_PASSED = {
    "missing": "source missing", "stale": "source stale", "failed": "source failed", "overruled": "source overruled",
}
#: Why no scorer was asked.
_UNASKED = {"given": "model given", "not asked": "model not asked", "unbound": "model unbound"}
_STATES = {"matched": "matched", "not matched": "not matched", "undetermined": "undetermined state"}


def _is_binding(told: Json) -> bool:
    """What only hands an input to an imported policy is not told apart from it."""
    return bool(told["family"] == "imports" and not told["open"])


# --- lines -----------------------------------------------------------------------------------


def pad(text: str, width: int, right: bool = False) -> str:
    room = " " * max(width - text_width(text), 0)
    return room + text if right else text + room


def clip(text: str, width: int) -> str:
    """At most `width` columns, with an ellipsis where something was left out."""
    if text_width(text) <= width:
        return text
    used, out = 1, []
    for char in text:
        used += char_width(char)
        if used > width:
            break
        out.append(char)
    return "".join(out) + "…"


def wrap(text: str, first: int | str, rest: int, room: int = WIDTH) -> Iterator[str]:
    """Lines of at most `room` columns: the first led by `first` (a text, or that many spaces), others by `rest` spaces.

    Breaks at spaces, and within a word only where it is wider than a line.
    """
    lead = " " * first if isinstance(first, int) else first
    if text.isascii() and len(text) + text_width(lead) <= room:
        yield lead + text
        return
    line, used = lead, text_width(lead)
    fresh = True
    for space, word in _words(text):
        width = text_width(word)
        if not fresh and used + len(space) + width > room:
            yield line
            line, used, fresh = " " * rest, rest, True
        if not fresh:
            line += space
            used += len(space)
        fresh = False
        if used + width <= room:
            line += word
            used += width
            continue
        for char in word:
            if used + char_width(char) > room:
                yield line
                line, used = " " * rest, rest
            line += char
            used += char_width(char)
    yield line


#: Chinese is broken anywhere but before what closes: each piece ends behind a wide character and its punctuation.
_PIECE = re.compile("[^\u2e80-\uffef]*[\u2e80-\uffef]?[\u3001\u3002\uff0c\uff1b\uff1a\uff09]*")


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Pieces that stay together, each with the space before it."""
    for word in text.split(" "):
        space = " "
        for piece in [word] if word.isascii() else _PIECE.findall(word):
            if piece or word == "":
                yield space, piece
                space = ""


def columns(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Names and texts in two columns, the texts wrapped."""
    width = min(max((text_width(name) for name, _ in rows), default=0), 30)
    for name, text in rows:
        lead = "  " + pad(name, width) + "  "
        yield from wrap(text, lead, width + 4)


def pair(lead: int | str, text: str, joined: str, room: int = TEXT) -> Iterator[str]:
    """A condition and, in a second column behind `room` columns or on the lines below, the values put in."""
    head = " " * lead if isinstance(lead, int) else lead
    indent = text_width(head)
    if not joined:
        yield from wrap(text, head, indent + 2)
        return
    width = text_width(text)
    room = max(room, width)
    if width <= TEXT and indent + room + 2 + text_width(joined) <= WIDTH:
        yield head + pad(text, room) + "  " + joined
        return
    yield from wrap(text, head, indent + 2)
    yield from wrap(joined, indent + 4, indent + 4)


def render_decision(told: Json, name: str, language: str | None = None) -> str:
    """The part of an explanation that is about one decision, empty where it tells nothing of it."""
    page = _Page(told, language or told["language"])
    lines = (line for d in told["decisions"] if d["name"] == name for line in page.decision(d))
    return "".join(f"{line.rstrip()}\n" for line in lines)
