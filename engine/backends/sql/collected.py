"""The hit policies by which every match counts: lists of outcomes, and their sum, least, greatest and number."""
from __future__ import annotations

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.drafts import Draft, Tried, plain
from engine.backends.sql.folds import unrolled
from engine.backends.sql.items import Item, Items, Members
from engine.backends.sql.stages import FALSE, Sql
from engine.backends.support import Gap
from engine.ir import nodes as ir


def collected(tried: Tried) -> Draft:
    """The outcomes that matched, in rule order or in the order of the outcomes' values."""
    items: Items = [(g, _item(tried, i)) for i, g in enumerate(tried.given)]
    winners = list(enumerate(tried.given))
    if tried.decision.hit == "output order":
        items = _in_output_order(tried, items)
    return _opened(tried, Draft({}, winners, [], FALSE, items))


def _item(tried: Tried, index: int) -> Item:
    outcome = {n: tried.stages.named(v) for n, v in tried.outcome(index).items()}
    return outcome[""] if "" in outcome else Members(outcome)


def _in_output_order(tried: Tried, items: Items) -> Items:
    """By the declared values; a computed outcome stands once for each value that it may have."""
    scale = list(tried.decision.type.item.values or ()) if tried.decision.type.item else []
    placed: list[tuple[int, Sql, Item]] = []
    for index, (present, item) in enumerate(items):
        if not tried.arms[index].is_computed:
            outcome = plain(tried.arms[index])
            placed.append((scale.index(outcome) if outcome in scale else len(scale), present, item))
            continue
        if not isinstance(item, Sql):
            raise Gap(tried.decision.at, "`output order` over computed contexts")
        for rank, outcome in enumerate(scale):
            same = exp.EQ(this=item.tree.copy(), expression=exp.Literal.string(outcome))
            held = st.both(present, st.holds(Sql(same, item.level, True)))
            placed.append((rank, tried.stages.named(held), item))
        placed.append((len(scale), tried.stages.named(st.both(present, st.missing(item))), item))
    placed.sort(key=lambda p: p[0])
    return [(present, item) for _, present, item in placed]


def folded(tried: Tried) -> Draft:
    """An aggregate of the outcomes that matched; over none `sum` and `count` are 0."""
    decision = tried.decision
    items = []
    for index, present in enumerate(tried.given):
        item = _item(tried, index)
        assert isinstance(item, Sql)
        items.append((present, item))
    op = decision.hit.removeprefix("collect ")
    node = ir.Fold("", decision.type, decision.at, op, ir.List("", decision.type, None, ()), "", None, None)
    return _opened(tried, Draft({"": unrolled(tried.of, node, items)}, list(enumerate(tried.given)), [], FALSE))


def _opened(tried: Tried, draft: Draft) -> Draft:
    """Open where any arm is undetermined."""
    openers, is_open = tried.opening(list(enumerate(tried.undetermined)))
    return draft.replace(openers=openers, is_open=FALSE if tried.skips else is_open)
