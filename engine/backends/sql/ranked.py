"""`worst` and `priority`: every arm is tried, and the outcome that stands first in a scale wins."""
from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from engine.backends.sql import stages as st
from engine.backends.sql.drafts import Draft, Tried, plain, worst_first
from engine.backends.sql.stages import FALSE, NULL, Sql


def worst(tried: Tried) -> Draft:
    return _ranked(tried, worst_first(tried.decision))


def priority(tried: Tried) -> Draft:
    return _ranked(tried, tried.decision.type.values or ())


def _ranked(tried: Tried, scale: Sequence[str]) -> Draft:
    """The rank of each arm that counts, the least of which wins; an outcome that is null has none."""
    arms, stages = tried.arms, tried.stages
    given = tried.given
    ranks = [_rank(tried, i, scale) for i in range(len(arms))]
    whens = []
    for rank, _ in enumerate(scale):
        held = [st.both(g, _is(r, rank)) for g, r in zip(given, ranks, strict=True) if _may_be(r, rank)]
        if held:
            whens.append((st.either(*held), Sql(st.whole(rank))))
    won = stages.named(st.chosen(whens, NULL))
    draft = st.chosen([(_is(won, rank), Sql(tried.of.literal(v, None))) for rank, v in enumerate(scale)], NULL)
    draft = stages.named(draft.replace(nullable=True))
    nothing = stages.named(st.missing(won.replace(nullable=True)))
    winners = []
    for index, (g, r) in enumerate(zip(given, ranks, strict=True)):
        # Where nothing is won, what matched gave nothing: those arms stand behind the null.
        same = st.either(_same(won, r), st.both(nothing, _absent(r)))
        winners.append((index, stages.named(st.both(g, st.holds(same.replace(nullable=True))))))
    openers = _openers(tried, scale, ranks, won, given)
    is_open = FALSE if tried.skips else st.either(*(c for _, c in openers))
    best = stages.named(st.holds(Sql(exp.GT(this=won.tree.copy(), expression=st.whole(0)), won.level, True)))
    by_rule = stages.named(st.either(*(m for m, a in zip(tried.matched, arms, strict=True) if not a.otherwise)))
    doubtful = tuple(
        (i, stages.named(st.both(g, best, by_rule, _absent(r))))
        for i, (g, r) in enumerate(zip(given, ranks, strict=True)) if arms[i].is_computed
    )
    return Draft({"": draft}, winners, openers, is_open, None, doubtful)


def _rank(tried: Tried, index: int, scale: Sequence[str]) -> Sql:
    """An arm's place in the scale, as a literal or column; NULL for no outcome."""
    arm = tried.arms[index]
    if not arm.is_computed:
        outcome = plain(arm)
        return NULL if outcome is None else Sql(st.whole(scale.index(outcome)))
    outcome = tried.stages.named(tried.outcome(index)[""])
    whens = [
        (Sql(exp.EQ(this=outcome.tree.copy(), expression=exp.Literal.string(v)), outcome.level), Sql(st.whole(rank)))
        for rank, v in enumerate(scale)
    ]
    return tried.stages.named(st.chosen(whens, NULL).replace(nullable=True))


def _may_be(rank: Sql, number: int) -> bool:
    return isinstance(rank.tree, exp.Column) or _constant(rank) == number


def _constant(rank: Sql) -> int | None:
    return int(rank.tree.this) if isinstance(rank.tree, exp.Literal) else None


def _is(rank: Sql, number: int) -> Sql:
    if isinstance(rank.tree, exp.Literal):
        return st.TRUE if _constant(rank) == number else FALSE
    if isinstance(rank.tree, exp.Null):
        return FALSE
    return Sql(exp.EQ(this=rank.tree.copy(), expression=st.whole(number)), rank.level, rank.nullable)


def _same(won: Sql, rank: Sql) -> Sql:
    if isinstance(rank.tree, exp.Null):
        return FALSE
    return Sql(exp.EQ(this=won.tree.copy(), expression=rank.tree.copy()), max(won.level, rank.level), True)


def _absent(rank: Sql) -> Sql:
    if isinstance(rank.tree, exp.Null):
        return st.TRUE
    return st.missing(rank)


def _openers(
    tried: Tried, scale: Sequence[str], ranks: Sequence[Sql], won: Sql, given: Sequence[Sql]
) -> list[tuple[int, Sql]]:
    """Undetermined arms that rank before the winner; any of another outcome where `otherwise` won, any at all where
    nothing did."""
    stages = tried.stages
    nothing = stages.named(st.missing(won.replace(nullable=True)))
    fallback = stages.named(st.both(
        st.opposite(nothing), st.either(*(g for g, a in zip(given, tried.arms, strict=True) if a.otherwise))
    ))
    by_rule = stages.named(st.both(st.opposite(nothing), st.opposite(fallback)))
    found = []
    for index, undetermined in enumerate(tried.undetermined):
        if undetermined.is_false:
            continue
        if tried.arms[index].is_computed:
            apart: Sql = st.TRUE
            before = Sql(exp.GT(this=won.tree.copy(), expression=st.whole(0)), won.level, True)
        elif isinstance(ranks[index].tree, exp.Null):
            apart, before = st.TRUE, FALSE
        else:
            apart = st.opposite(_same(won, ranks[index]))
            before = Sql(exp.GT(this=won.tree.copy(), expression=ranks[index].tree.copy()), won.level, True)
        could = st.either(nothing, st.both(fallback, apart), st.both(by_rule, before))
        found.append((index, stages.named(st.both(undetermined, st.holds(could.replace(nullable=True))))))
    return found
