"""A limited budget shared over customers by their value, under caps by group.

`problem` states what is shared, in whole steps; `prices` finds what the budget and each cap are worth, and with them a
bound that no allocation exceeds; `greedy` shares by what is left of a customer's value behind those prices; `share`
does both, and hands what greed does not settle to the `solver`; `plan` reads what a bank wants, `tables` its customers,
and `told` says who got less and why.
"""
