"""Portfolios for the one-by-one path: tables in files, bound to a policy's inputs.

`files` opens a file (or standard input) and settles its encoding, `tables` reads CSV and
JSON lines into rows or bad rows with their line numbers, `binding` turns a row's text
into inputs, `histories` groups event tables by customer, `writing` writes results.
"""
