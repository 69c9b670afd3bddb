"""Policies as logic for a solver: a first subset, asked whether a rule can ever hold. Needs the extra `prove`.

Answers hold over exact arithmetic: numbers are rationals, thresholds the doubles at which the
engine's comparison turns. A customer that the solver finds is only shown after the reference
evaluator has decided it.
"""
