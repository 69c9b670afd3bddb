"""The hit policies that one arm wins: value, first, unique, any."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from engine.backends import support
from engine.backends.sql import stages as st
from engine.backends.sql.drafts import Draft, Tried
from engine.backends.sql.masks import LANE
from engine.backends.sql.simplify import tested
from engine.backends.sql.stages import FALSE, TRUE, Sql
from engine.ir import nodes as ir


def value(tried: Tried) -> Draft:
    """The outcome of the only arm, whose guard is true."""
    values = {name: tried.stages.named(v) for name, v in tried.outcome(0).items()}
    return Draft(values, [(0, TRUE)], [], FALSE)


def first(tried: Tried) -> Draft:
    """The first arm that matches; open where an undetermined one before it has another outcome."""
    conditions = list(enumerate(tried.matched))
    if not tried.traced:
        return Draft(tried.by_winner(conditions), _inline_winners(tried), [], FALSE)
    winner = Winner(tried, conditions)
    winners = [(i, winner.is_arm(i)) for i in range(len(tried.arms))]
    values = tried.by_winner(winners, exclusive=True)
    classes = _classes(tried.arms)
    openers = []
    for index, undetermined in enumerate(tried.undetermined):
        before = winner.is_none_of(range(index + 1))
        unlike = winner.is_none_of([i for i, c in enumerate(classes) if c == classes[index]])
        openers.append((index, st.both(undetermined, before) if tried.skips else st.both(undetermined, before, unlike)))
    openers, is_open = tried.opening(openers)
    return Draft(values, winners, openers, FALSE if tried.skips else is_open)


class Winner:
    """Which arm is the first that matches: its bit of a number, 0 for none, a number for every 60 arms."""

    def __init__(self, tried: Tried, conditions: Sequence[tuple[int, Sql]]) -> None:
        stages = tried.stages
        self.lanes: list[Sql] = []
        before: Sql | None = None
        for start in range(0, len(conditions), LANE):
            chosen = conditions[start:start + LANE]
            whens = [(c, Sql(st.whole(1 << bit))) for bit, (_, c) in enumerate(chosen)]
            if before is not None:
                whens.insert(0, (before, Sql(st.whole(0))))
            lane = stages.named(st.chosen(whens, Sql(st.whole(0))))
            self.lanes.append(lane)
            won = Sql(exp.NEQ(this=lane.tree.copy(), expression=st.whole(0)), lane.level)
            before = won if before is None else st.either(before, won)

    def is_arm(self, index: int) -> Sql:
        lane, bit = divmod(index, LANE)
        return _tested(self.lanes[lane], 1 << bit, exp.NEQ)

    def is_none_of(self, arms: Iterable[int]) -> Sql:
        """Whether none of some arms won."""
        bits: dict[int, int] = {}
        for index in arms:
            lane, bit = divmod(index, LANE)
            bits[lane] = bits.get(lane, 0) | 1 << bit
        return st.both(*(_tested(self.lanes[lane], mask, exp.EQ) for lane, mask in bits.items()))


def _tested(lane: Sql, bits: int, kind: type[exp.Binary]) -> Sql:
    if isinstance(lane.tree, exp.Literal):
        return TRUE if ((int(lane.tree.this) & bits) != 0) == (kind is exp.NEQ) else FALSE
    return Sql(tested(lane.tree.name, bits, kind), lane.level)


def _inline_winners(tried: Tried) -> list[tuple[int, Sql]]:
    """The winning conditions of arms whose outcome is computed: only a null one asks for them."""
    found = []
    before: list[Sql] = []
    for index, guard in enumerate(tried.guards):
        holds = st.holds(guard)
        if tried.arms[index].is_computed:
            found.append((index, st.both(holds, st.opposite(st.either(*before)))))
        before.append(holds)
    return found


def _classes(arms: Sequence[ir.Arm]) -> list[int]:
    """Equal numbers for equal outcomes; a computed one is like no other."""
    found: list[int] = []
    for index, arm in enumerate(arms):
        like = next((i for i in range(index) if not support.differs(arms[i], arm)), index)
        found.append(like)
    return found


def _equals(number: Sql, other: int) -> Sql:
    return Sql(exp.EQ(this=number.tree.copy(), expression=st.whole(other)), number.level)


def unique(tried: Tried) -> Draft:
    """The only arm that matches; null where several do."""
    count = _tally(tried, tried.matched)
    one = tried.stages.named(_equals(count, 1))
    winners = [(i, tried.stages.named(st.both(one, m))) for i, m in enumerate(tried.matched)]
    values = tried.by_winner(winners, exclusive=True)
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
    openers, is_open = tried.opening([(i, st.both(nothing, u)) for i, u in enumerate(tried.undetermined)])
    return Draft(values, winners, openers, FALSE if tried.skips else is_open)
