"""The hit policies that one arm wins: value, first, unique, any."""
from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from engine.backends import support
from engine.backends.sql import stages as st
from engine.backends.sql.drafts import Draft, Tried
from engine.backends.sql.stages import FALSE, TRUE, Sql
from engine.ir import nodes as ir


def value(tried: Tried) -> Draft:
    """The outcome of the only arm, whose guard is true."""
    values = {name: tried.stages.named(v) for name, v in tried.outcome(0).items()}
    return Draft(values, [(0, TRUE)], [], FALSE)


def first(tried: Tried) -> Draft:
    """The first arm that matches; open where an undetermined one before it has another outcome."""
    arms = tried.arms
    conditions = list(enumerate(tried.matched))
    values = tried.by_winner(conditions)
    if all(not isinstance(g.tree, exp.Column) for g in tried.guards) and tried.skips:
        return Draft(values, _inline_winners(tried), [], FALSE)
    winner = _numbered(tried, conditions, range(len(arms)), len(arms))
    winners = [(i, tried.stages.named(_equals(winner, i))) for i in range(len(arms))]
    if tried.skips:
        return Draft(values, winners, _undetermined_before(tried, winner, None), FALSE)
    won = _numbered(tried, conditions, _classes(arms), -1)
    openers = _undetermined_before(tried, winner, won)
    return Draft(values, winners, openers, st.either(*(c for _, c in openers)))


def _inline_winners(tried: Tried) -> list[tuple[int, Sql]]:
    """The winning conditions, which only a null outcome asks for."""
    found = []
    before: list[Sql] = []
    for index, guard in enumerate(tried.guards):
        holds = st.holds(guard)
        found.append((index, st.both(holds, *(st.opposite(b) for b in before))))
        before.append(holds)
    return found


def _numbered(tried: Tried, conditions: Sequence[tuple[int, Sql]], numbers: Sequence[int], default: int) -> Sql:
    """The number of the first arm whose condition holds."""
    whens = [(c, Sql(st.whole(n))) for (_, c), n in zip(conditions, numbers, strict=True)]
    return tried.stages.named(st.chosen(whens, Sql(st.whole(default))))


def _equals(number: Sql, other: int) -> Sql:
    return Sql(exp.EQ(this=number.tree.copy(), expression=st.whole(other)), number.level)


def _undetermined_before(tried: Tried, winner: Sql, won: Sql | None) -> list[tuple[int, Sql]]:
    """Undetermined arms before the winner, and of another outcome than class `won` where it is given."""
    found = []
    classes = _classes(tried.arms)
    for index, undetermined in enumerate(tried.undetermined):
        if undetermined.is_false:
            continue
        before = Sql(exp.GT(this=winner.tree.copy(), expression=st.whole(index)), winner.level)
        parts = [undetermined, before]
        if won is not None:
            parts.append(Sql(exp.NEQ(this=won.tree.copy(), expression=st.whole(classes[index])), won.level))
        found.append((index, tried.stages.named(st.both(*parts))))
    return found


def _classes(arms: Sequence[ir.Arm]) -> list[int]:
    """Equal numbers for equal outcomes; a computed one is like no other."""
    found: list[int] = []
    for index, arm in enumerate(arms):
        like = next((i for i in range(index) if not support.differs(arms[i], arm)), index)
        found.append(like)
    return found


def unique(tried: Tried) -> Draft:
    """The only arm that matches; null where several do."""
    count = _tally(tried, tried.matched)
    one = tried.stages.named(_equals(count, 1))
    winners = [(i, tried.stages.named(st.both(one, m))) for i, m in enumerate(tried.matched)]
    values = tried.by_winner(winners)
    return _where_nothing_matched(tried, values, winners, _equals(count, 0))


def any_hit(tried: Tried) -> Draft:
    """What all matching arms give; null where they differ."""
    outcomes = [{n: tried.stages.named(v) for n, v in tried.outcome(i).items()} for i in range(len(tried.arms))]
    leading = tried.by_winner(list(enumerate(tried.matched)))
    unlike = []
    for index, matched in enumerate(tried.matched):
        for name, held in outcomes[index].items():
            apart = exp.NullSafeNEQ(this=held.tree.copy(), expression=leading[name].tree.copy())
            unlike.append(st.both(matched, Sql(apart, max(held.level, leading[name].level))))
    conflict = tried.stages.named(st.either(*unlike))
    agreed = tried.stages.named(st.opposite(conflict))
    winners = [(i, tried.stages.named(st.both(agreed, m))) for i, m in enumerate(tried.matched)]
    values = {n: tried.stages.named(st.chosen([(agreed, v)], st.NULL)) for n, v in leading.items()}
    nothing = tried.stages.named(_equals(_tally(tried, tried.matched), 0))
    draft = _where_nothing_matched(tried, values, winners, nothing)
    doubtful = tuple(
        (i, tried.stages.named(st.both(conflict, m, _null_outcome(outcomes[i]))))
        for i, m in enumerate(tried.matched) if tried.arms[i].is_computed
    )
    return draft.replace(doubtful=doubtful)


def _null_outcome(outcome: dict[str, Sql]) -> Sql:
    return st.missing(outcome[""]) if "" in outcome else FALSE


def _tally(tried: Tried, conditions: Sequence[Sql]) -> Sql:
    """How many conditions hold."""
    total: exp.Expr = st.whole(0)
    for condition in conditions:
        one = st.chosen([(condition, Sql(st.whole(1)))], Sql(st.whole(0)))
        total = st.binary(exp.Add, total, one.tree)
    return tried.stages.named(Sql(total, st.deepest(conditions)))


def _where_nothing_matched(
    tried: Tried, values: dict[str, Sql], winners: list[tuple[int, Sql]], nothing: Sql
) -> Draft:
    """Open where nothing matched and an arm is undetermined."""
    nothing = tried.stages.named(nothing)
    openers = [
        (i, tried.stages.named(st.both(nothing, u))) for i, u in enumerate(tried.undetermined) if not u.is_false
    ]
    is_open = FALSE if tried.skips else st.either(*(c for _, c in openers))
    return Draft(values, winners, openers, is_open)
