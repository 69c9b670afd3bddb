"""Portfolios: tables whose rows a policy decides.

`running` carries out a `request` by one of two engines, `rowwise` or `columnar`, which say and count alike (`shared`,
`tally`) and give the same columns (`layout`). For the one-by-one path `files` opens a file (or standard input) and
settles its encoding, `tables` reads CSV and JSON lines into rows or bad rows with their line numbers, `binding` turns
a row's text into inputs, `histories` groups event tables by customer, and `writing` writes results. `where` is a
condition on rows.
"""
