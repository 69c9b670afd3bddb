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
    whens: list[tuple[Sql, int]] = []
    for rank, _ in enumerate(scale):
        held = [st.both(g, _is(r, rank)) for g, r in zip(given, ranks, strict=True) if _may_be(r, rank)]
        if held:
            whens.append((st.either(*held), rank))
    total = _is_total(tried, ranks)
    won = stages.named(_chosen([(c, Sql(st.whole(rank))) for c, rank in whens], total))
    draft = stages.named(_chosen([(c, Sql(tried.of.literal(scale[rank], None))) for c, rank in whens], total))
    nothing = stages.named(st.missing(won))
    least = whens[0][1] if whens else 0
    winners = []
    for index, (g, r) in enumerate(zip(given, ranks, strict=True)):
        if _constant(r) == least:
            winners.append((index, g))              # nothing wins against it
            continue
        # Where nothing is won, what matched gave nothing: those arms stand behind the null.
        same = st.either(_same(won, r), st.both(nothing, _absent(r)))
        winners.append((index, stages.named(st.both(g, st.holds(same)))))
    openers, is_open = tried.opening(_openers(tried, scale, ranks, won, given))
    return Draft(
        {"": draft}, winners, openers, FALSE if tried.skips else is_open, None, _doubtful(tried, given, ranks, won)
    )


def _is_total(tried: Tried, ranks: Sequence[Sql]) -> bool:
    """Whether some arm wins whatever the data."""
    if any(_constant(r) is None for r in ranks):
        return False
    return any(a.otherwise or g == st.TRUE for a, g in zip(tried.arms, tried.guards, strict=True))


def _chosen(whens: Sequence[tuple[Sql, Sql]], total: bool) -> Sql:
    """The value of the first condition that holds, which one does where they are `total`."""
    if not total:
        return st.chosen(whens, NULL)
    return st.chosen(whens[:-1], whens[-1][1])


def _doubtful(
    tried: Tried, given: Sequence[Sql], ranks: Sequence[Sql], won: Sql
) -> tuple[tuple[int, Sql], ...]:
    """Matched arms whose computed outcome is null, where a rule won and could be beaten."""
    if not any(a.is_computed for a in tried.arms):
        return ()
    stages = tried.stages
    best = stages.named(st.holds(Sql(exp.GT(this=won.tree.copy(), expression=st.whole(0)), won.level, True)))
    by_rule = stages.named(st.either(*(m for m, a in zip(tried.matched, tried.arms, strict=True) if not a.otherwise)))
    return tuple(
        (i, stages.named(st.both(g, best, by_rule, _absent(r))))
        for i, (g, r) in enumerate(zip(given, ranks, strict=True)) if tried.arms[i].is_computed
    )


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
    tree = exp.EQ(this=won.tree.copy(), expression=rank.tree.copy())
    return Sql(tree, max(won.level, rank.level), won.nullable or rank.nullable)


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
    nothing = stages.named(st.missing(won))
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
            before = Sql(exp.GT(this=won.tree.copy(), expression=st.whole(0)), won.level, won.nullable)
        elif isinstance(ranks[index].tree, exp.Null):
            apart, before = st.TRUE, FALSE
        else:
            apart = st.opposite(_same(won, ranks[index]))
            before = Sql(exp.GT(this=won.tree.copy(), expression=ranks[index].tree.copy()), won.level, won.nullable)
        could = st.either(nothing, st.both(fallback, apart), st.both(by_rule, before))
        found.append((index, st.both(undetermined, st.holds(could))))
    return found
