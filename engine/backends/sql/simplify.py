"""Trees made smaller: what is known of conditions, and bits of one number tested together.

A condition has two readings. As a value it may be NULL; where only its truth counts (a branch of CASE, a filter), NULL
is as good as false, so that `CASE WHEN x THEN true ELSE false END` is `x` there. Three-valued logic is kept in the
first reading and used in the second.
"""
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from sqlglot import exp

from engine.backends.sql import stages as st

#: Operators that are NULL exactly where an operand is.
COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
STRICT = (*COMPARISONS, exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Abs, exp.Floor, exp.Paren, exp.Not)
_LEAVES = (exp.Literal, exp.Boolean, exp.Null, exp.DataType, exp.Identifier, exp.Var, exp.Placeholder, exp.Star)
#: Functions that are NULL where an operand is, and that an engine cannot pick by the type of a bare NULL.
TYPED = (exp.Extract, exp.DateDiff, exp.LastDay)
#: Operands up to which the NULL of a conjunction is sought among its operands first.
_MOST_NULLS = 6

Tree = exp.Expr


class Simplifier:
    """`solid` are columns that are never NULL; `read` gives what stands in a column's place, itself unless told."""

    def __init__(self, solid: Collection[str], read: Callable[[exp.Column], Tree] | None = None) -> None:
        self.solid = solid
        self.read = read
        #: Trees known to be never NULL, by identity; they are kept, so that no other takes their place.
        self.known: dict[int, Tree] = {}

    # --- readings -----------------------------------------------------------------------------------------

    def value(self, tree: Tree) -> Tree:
        """The tree with its operands made smaller; equal in every row, NULL included."""
        if isinstance(tree, exp.Column):
            return self.read(tree) if self.read is not None else tree
        if isinstance(tree, _LEAVES):
            return tree
        rule = _RULES.get(type(tree))
        return rule(self, tree) if rule is not None else self._operands(tree)

    def truth(self, tree: Tree) -> Tree:
        """A tree that is true where `tree` is."""
        return self._told(self.value(tree))

    def _told(self, tree: Tree) -> Tree:
        """The truth of a tree that is small as a value."""
        kind = type(tree)
        if kind is exp.Paren:
            return self._told(tree.this)
        if kind is exp.And or kind is exp.Or:
            parts = [self._told(p) for p in _parts(tree, kind)]
            return self._both(parts, True) if kind is exp.And else self._either(parts)
        if kind is exp.Case:
            first = tree.args["ifs"][0]
            if len(tree.args["ifs"]) == 1 and _is_true(first.args["true"]) and _is_no(tree.args.get("default")):
                held: Tree = first.this
                return held
        if kind is exp.Null:
            return exp.false()
        return tree

    def is_solid(self, tree: Tree) -> bool:
        """Whether a tree is known to be never NULL."""
        kind = type(tree)
        if kind is exp.Column:
            return tree.name in self.solid
        if kind is exp.Null:
            return False
        if isinstance(tree, (exp.Literal, exp.Boolean, exp.Is)) or id(tree) in self.known:
            return True
        if kind is exp.And:
            parts = _parts(tree, kind)
            present = {_present(p) for p in parts}
            return all(self.is_solid(p) or self._is_null_beside(p, present) for p in parts)
        if kind is exp.Or:
            return all(self.is_solid(p) for p in _parts(tree, kind))
        if isinstance(tree, (*STRICT, exp.BitwiseAnd, exp.BitwiseOr)):
            return all(self.is_solid(child) for child in tree.iter_expressions())
        if kind is exp.Case:
            default = tree.args.get("default")
            return default is not None and self.is_solid(default) and all(
                self.is_solid(branch.args["true"]) for branch in tree.args["ifs"]
            )
        if kind is exp.In:
            return self.is_solid(tree.this) and all(self.is_solid(e) for e in tree.expressions)
        return False

    def _is_null_beside(self, tree: Tree, present: Collection[str | None]) -> bool:
        """Whether a part of a conjunction is NULL only where another part, which asks for a column, is false."""
        nulls = self._nulls(tree)
        return nulls is not None and all(n.name in present for n in nulls)

    # --- rules --------------------------------------------------------------------------------------------

    def _operands(self, tree: Tree) -> Tree:
        """The same operator over smaller operands."""
        changed = False
        found: dict[str, Any] = {}
        for key, held in tree.args.items():
            if isinstance(held, exp.Expr):
                found[key] = self.value(held)
                changed = changed or found[key] is not held
            elif isinstance(held, list):
                found[key] = [self.value(h) if isinstance(h, exp.Expr) else h for h in held]
                changed = changed or any(a is not b for a, b in zip(found[key], held, strict=True))
            else:
                found[key] = held
        if not changed:
            return tree
        if isinstance(tree, TYPED) and any(isinstance(f, exp.Null) for f in found.values()):
            return exp.null()
        if isinstance(tree, exp.Binary) and not isinstance(tree, exp.PropertyEQ):
            found["this"], found["expression"] = st.operand(found["this"]), st.operand(found["expression"])
        elif isinstance(tree, (exp.Neg, exp.In)):
            found["this"] = st.operand(found["this"])
        return type(tree)(**found)

    def _chain(self, tree: Tree) -> Tree:
        """A long sum: it leans to the left, an operand a level."""
        kind = type(tree)
        rights = []
        node = tree
        while type(node) is kind:
            rights.append(node.expression)
            node = node.this.unnest()
        terms = [self.value(node), *(self.value(right) for right in reversed(rights))]
        if kind is exp.Add:
            terms = _bits_together(terms)
        found = terms[0]
        for term in terms[1:]:
            found = _plain_binary(kind, found, term)
        return found

    def _paren(self, tree: Tree) -> Tree:
        return st.operand(self.value(tree.this))

    def _and(self, tree: Tree) -> Tree:
        return self._both([self.value(p) for p in _parts(tree, exp.And)], False)

    def _or(self, tree: Tree) -> Tree:
        return self._either([self.value(p) for p in _parts(tree, exp.Or)])

    def _both(self, parts: list[Tree], only_truth: bool) -> Tree:
        """A conjunction; where only its truth counts, a test against NULL beside a comparison says nothing."""
        if any(_is_false(p) for p in parts):
            return exp.false()
        parts = _merged([p for p in parts if not _is_true(p)], exp.EQ)
        if only_truth:
            compared = {
                side.name for p in parts if isinstance(p, COMPARISONS)
                for side in (p.this, p.expression) if isinstance(side, exp.Column)
            }
            parts = [p for p in parts if _present(p) not in compared]
        return parts[0] if len(parts) == 1 else st.all_of(parts)

    def _either(self, parts: list[Tree]) -> Tree:
        if any(_is_true(p) for p in parts):
            return exp.true()
        parts = _one_of(_merged([p for p in parts if not _is_false(p)], exp.NEQ))
        return parts[0] if len(parts) == 1 else st.any_of(parts)

    def _not(self, tree: Tree) -> Tree:
        return self.opposite(self.value(tree.this))

    def opposite(self, inner: Tree) -> Tree:
        inner = inner.unnest()
        kind = type(inner)
        if kind is exp.Boolean:
            return exp.false() if inner.this else exp.true()
        if kind is exp.Null:
            return inner
        if kind is exp.Not:
            held: Tree = inner.this.unnest()
            return held
        if kind is exp.EQ or kind is exp.NEQ:
            found = (exp.NEQ if kind is exp.EQ else exp.EQ)(this=inner.this, expression=inner.expression)
            return self._same(inner, found)
        if kind is exp.Case and _flag(inner):
            first = inner.args["ifs"][0]
            return st.case([(first.this, self.opposite(first.args["true"]))], self.opposite(_default(inner)))
        return self._same(inner, st.negated(inner))

    def _same(self, old: Tree, new: Tree) -> Tree:
        """`new` is as solid as `old`."""
        if id(old) in self.known:
            self.known[id(new)] = new
        return new

    def _is(self, tree: Tree) -> Tree:
        inner = self.value(tree.this)
        if not isinstance(tree.expression, exp.Null):
            return exp.Is(this=st.operand(inner), expression=tree.expression)
        return self.missing(inner)

    def missing(self, inner: Tree) -> Tree:
        """Whether a tree is NULL."""
        inner = inner.unnest()
        if isinstance(inner, exp.Null):
            return exp.true()
        if self.is_solid(inner):
            return exp.false()
        nulls = self._nulls(inner)
        if nulls is not None:
            return self._either([exp.Is(this=n.copy(), expression=exp.null()) for n in nulls])
        test = exp.Is(this=st.operand(inner), expression=exp.null())
        if isinstance(inner, (exp.And, exp.Or)):
            found: dict[str, Tree] = {}
            for part in _parts(inner, type(inner)):
                nulls = self._nulls(part.unnest())
                if nulls is None:
                    return test
                found.update((n.name, n) for n in nulls)
            if 0 < len(found) <= _MOST_NULLS:
                any_null = [exp.Is(this=n.copy(), expression=exp.null()) for n in found.values()]
                return st.all_of([st.any_of(any_null), test])
        return test

    def _nulls(self, tree: Tree) -> list[exp.Column] | None:
        """The columns of which one is NULL exactly where the tree is; None where that cannot be said."""
        if isinstance(tree, exp.Column):
            return [] if tree.name in self.solid else [tree]
        if isinstance(tree, (exp.Literal, exp.Boolean)):
            return []
        if isinstance(tree, exp.In):
            if tree.args.get("query") or not all(isinstance(e, exp.Literal) for e in tree.expressions):
                return None
            return self._nulls(tree.this)
        if not isinstance(tree, STRICT):
            return None
        found: dict[str, exp.Column] = {}
        for child in tree.iter_expressions():
            nulls = self._nulls(child)
            if nulls is None:
                return None
            found.update((n.name, n) for n in nulls)
        return list(found.values())

    def _case(self, tree: Tree) -> Tree:
        if tree.args.get("this") is not None:
            return self._operands(tree)
        whens: list[tuple[Tree, Tree]] = []
        default = tree.args.get("default")
        failed = Failed(self)
        before: Tree | None = None
        for branch in tree.args["ifs"]:
            whole = self.value(branch.this)
            if before is not None and self._is_opposite(before, whole):
                whole = exp.true()
            before = whole
            test = failed.known(self._told(whole))
            if _is_false(test):
                continue
            if _is_true(test):
                default = branch.args["true"]
                break
            failed.add(test)
            whens.append((test, self.value(branch.args["true"])))
        default = self.value(default) if default is not None else exp.null()
        inner = default.unnest()
        if isinstance(inner, exp.Case) and inner.args.get("this") is None:
            whens += [(b.this, b.args["true"]) for b in inner.args["ifs"]]
            default = _default(inner)
        if not whens:
            return default
        if len(whens) == 1:
            return self._branch(whens[0][0], whens[0][1], default)
        return st.case(whens, default)

    def _is_opposite(self, one: Tree, other: Tree) -> bool:
        """Whether a condition holds wherever another does not."""
        if not self.is_solid(one):
            return False
        if isinstance(other, exp.Not):
            return bool(other.this.unnest() == one.unnest())
        return type(other) is Failed.OPPOSITE.get(type(one)) and bool(
            one.this == other.this and one.expression == other.expression
        )

    def _branch(self, test: Tree, then: Tree, default: Tree) -> Tree:
        """A CASE of one branch."""
        if isinstance(then, exp.Boolean) and isinstance(default, exp.Boolean) and self.is_solid(test):
            if then.this == default.this:
                return default
            return test if then.this else self.opposite(test)
        inner = then.unnest()
        if isinstance(inner, exp.Case) and len(inner.args["ifs"]) == 1 and inner.args.get("this") is None:
            first = inner.args["ifs"][0]
            if _alike(_default(inner), default):
                return self._branch(self._both([test, first.this], True), first.args["true"], default)
        if _alike(then, default):
            return default
        return st.case([(test, then)], default)


class Failed:
    """The tests of a CASE that were not true, for the branches after them. No number that a query compares is NaN, so
    that what is known and not below a bound is at least the bound."""

    OPPOSITE: ClassVar[Mapping[type, type]] = {exp.LT: exp.GTE, exp.GTE: exp.LT, exp.GT: exp.LTE, exp.LTE: exp.GT}

    def __init__(self, simplifier: Simplifier) -> None:
        self.simplifier = simplifier
        self.present: set[str] = set()
        self.settled: set[tuple[type, str, str]] = set()

    def add(self, test: Tree) -> None:
        if isinstance(test, exp.Is) and isinstance(test.this, exp.Column) and isinstance(test.expression, exp.Null):
            self.present.add(test.this.name)
        bound = self._bound(test)
        if bound is not None:
            kind, column, constant = bound
            self.settled.add((self.OPPOSITE[kind], column, constant))

    def known(self, test: Tree) -> Tree:
        """The test without what the failed ones settle: true where the column is there."""
        if not self.settled:
            return test
        parts = _parts(test, exp.And)
        open_parts = [p for p in parts if self._bound(p) not in self.settled]
        if len(open_parts) == len(parts):
            return test
        compared = {b[1] for p in open_parts if (b := self._bound(p)) is not None}
        dropped = {b[1] for p in parts if (b := self._bound(p)) is not None} - compared
        if not all(c in self.present or c in self.simplifier.solid for c in dropped):
            return test
        return open_parts[0] if len(open_parts) == 1 else st.all_of(open_parts)

    def _bound(self, test: Tree) -> tuple[type, str, str] | None:
        """A comparison of a column with a number."""
        if type(test) not in self.OPPOSITE or not isinstance(test.this, exp.Column):
            return None
        constant = test.expression.unnest()
        sign = ""
        if isinstance(constant, exp.Neg):
            sign, constant = "-", constant.this
        if not isinstance(constant, exp.Literal) or constant.is_string:
            return None
        return type(test), test.this.name, sign + constant.this


_RULES: dict[type, Callable[[Simplifier, Any], Tree]] = {
    exp.Paren: Simplifier._paren, exp.And: Simplifier._and, exp.Or: Simplifier._or, exp.Not: Simplifier._not,
    exp.Is: Simplifier._is, exp.Case: Simplifier._case, exp.Add: Simplifier._chain, exp.BitwiseOr: Simplifier._chain,
}


def _parts(tree: Tree, kind: type) -> list[Tree]:
    """The operands of a chain of one connector, in order; chains lean to the left and are long."""
    found: list[Tree] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        bare = node.unnest() if type(node) is exp.Paren else node
        if type(bare) is kind:
            waiting.append(bare.expression)
            waiting.append(bare.this)
        else:
            found.append(bare)
    return found


def _plain_binary(kind: type, left: Tree, right: Tree) -> Tree:
    """An operator whose left operand of the same kind needs no brackets."""
    found: Tree = kind(this=left if type(left) is kind else st.operand(left), expression=st.operand(right))
    return found


def _is_true(tree: Tree | None) -> bool:
    return isinstance(tree, exp.Boolean) and bool(tree.this)


def _is_false(tree: Tree | None) -> bool:
    return isinstance(tree, exp.Boolean) and not tree.this


def _is_no(tree: Tree | None) -> bool:
    """Whether a default does not hold."""
    return tree is None or isinstance(tree, exp.Null) or _is_false(tree)


def _flag(tree: Tree) -> bool:
    """Whether a CASE chooses between two truth values by one condition."""
    ifs = tree.args["ifs"]
    return len(ifs) == 1 and isinstance(ifs[0].args["true"], exp.Boolean) and isinstance(_default(tree), exp.Boolean)


def _default(tree: Tree) -> Tree:
    found: Tree | None = tree.args.get("default")
    return found if found is not None else exp.null()


def _alike(one: Tree, other: Tree) -> bool:
    """Whether two leaves are the same."""
    return isinstance(one, _LEAVES) and one == other


def _present(tree: Tree) -> str | None:
    """The column that a condition says is not NULL."""
    if isinstance(tree, exp.Not):
        inner = tree.this.unnest()
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null) and isinstance(inner.this, exp.Column):
            name: str = inner.this.name
            return name
    return None


def _one_of(parts: list[Tree]) -> list[Tree]:
    """Equalities of one column with constants as one `IN`."""
    found: list[Tree] = []
    places: dict[str, int] = {}
    for part in parts:
        column, constants = _among(part)
        if column is None:
            found.append(part)
        elif column.name in places:
            place = places[column.name]
            _, before = _among(found[place])
            found[place] = exp.In(this=column, expressions=[*before, *constants])
        else:
            places[column.name] = len(found)
            found.append(part)
    return found


def _among(tree: Tree) -> tuple[exp.Column | None, list[Tree]]:
    """The column and constants of `column = constant` or `column IN (constants)`."""
    if isinstance(tree, exp.EQ) and isinstance(tree.this, exp.Column) and isinstance(tree.expression, exp.Literal):
        return tree.this, [tree.expression]
    if isinstance(tree, exp.In) and isinstance(tree.this, exp.Column) and not tree.args.get("query"):
        return tree.this, list(tree.expressions)
    return None, []


# --- bits ---------------------------------------------------------------------------------------------


def bit_test(tree: Tree, kind: type = exp.NEQ) -> tuple[str, int] | None:
    """The column and bits of `(column & bits) <> 0`, or `= 0`."""
    if type(tree) is not kind or not isinstance(tree.expression, exp.Literal) or tree.expression.this != "0":
        return None
    inner = tree.this.unnest()
    if not isinstance(inner, exp.BitwiseAnd) or not isinstance(inner.this, exp.Column):
        return None
    bits = inner.expression
    return (inner.this.name, int(bits.this)) if isinstance(bits, exp.Literal) and not bits.is_string else None


def tested(column: str, bits: int, kind: type[exp.Binary] = exp.NEQ) -> Tree:
    """`(column & bits) <> 0`."""
    masked = exp.BitwiseAnd(this=st.column(column), expression=st.whole(bits))
    return kind(this=exp.Paren(this=masked), expression=st.whole(0))


def _bits_together(terms: list[Tree]) -> list[Tree]:
    """A sum of bits under conditions: bits of one number, all in the same distance, are taken over together."""
    groups: dict[tuple[str, int, Tree | None], int] = {}
    found: list[Tree] = []
    for term in terms:
        bit = _conditional_bit(term)
        if bit is None:
            found.append(term)
        else:
            column, source, target, rest = bit
            key = (column, target.bit_length() - source.bit_length(), rest)
            groups[key] = groups.get(key, 0) | source
    if len(groups) == len(terms) - len(found):
        return terms
    return [*(_moved(column, bits, shift, rest) for (column, shift, rest), bits in groups.items()), *found]


def _conditional_bit(term: Tree) -> tuple[str, int, int, Tree | None] | None:
    """The column, its bit, the bit that is given, and what must hold beside, of `CASE WHEN (column & bit) <> 0 AND ...
    THEN other bit ELSE 0 END`."""
    if not isinstance(term, exp.Case) or len(term.args["ifs"]) != 1 or not _is_number(_default(term), 0):
        return None
    branch = term.args["ifs"][0]
    given = branch.args["true"]
    if not isinstance(given, exp.Literal) or given.is_string or not given.this.isdigit():
        return None
    target = int(given.this)
    parts = _parts(branch.this, exp.And)
    for place, part in enumerate(parts):
        test = bit_test(part)
        if test is not None and _is_one_bit(test[1]) and _is_one_bit(target):
            rest = [*parts[:place], *parts[place + 1:]]
            return *test, target, st.all_of(rest) if rest else None
    return None


def _moved(column: str, bits: int, shift: int, rest: Tree | None) -> Tree:
    """Some bits of a number, elsewhere; the number has 32 bits, or 64 where they ask for it."""
    tree: Tree = exp.Paren(this=exp.BitwiseAnd(this=st.column(column), expression=st.whole(bits)))
    if shift and bits.bit_length() + shift > 31:
        tree = exp.cast(tree, "BIGINT")
    if shift > 0:
        tree = exp.Paren(this=exp.Mul(this=tree, expression=st.whole(1 << shift)))
    elif shift < 0:
        tree = exp.Paren(this=exp.BitwiseRightShift(this=tree, expression=st.whole(-shift)))
    return tree if rest is None else st.case([(rest, tree)], st.whole(0))


def _is_one_bit(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0


def _is_number(tree: Tree, number: int) -> bool:
    return isinstance(tree, exp.Literal) and not tree.is_string and tree.this == str(number)


def _merged(parts: list[Tree], kind: type[exp.Binary]) -> list[Tree]:
    """Tests of one number's bits as one, and each part once. Any of some bits is set, or none of them is."""
    found: list[Tree] = []
    places: dict[str, tuple[int, int]] = {}
    seen: set[Tree] = set()
    for part in parts:
        bits = bit_test(part, kind)
        if bits is None:
            if part not in seen:
                seen.add(part)
                found.append(part)
            continue
        column, mask = bits
        if column in places:
            place, before = places[column]
            mask |= before
            found[place] = tested(column, mask, kind)
        else:
            place = len(found)
            found.append(part)
        places[column] = (place, mask)
    return found
