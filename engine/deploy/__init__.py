"""Deployments: where a policy's data come from, which models score, and where results go.

`document` reads the file that says so, with a place for every name; `settings` reads what a kind of plugin takes,
secrets included; `opening` opens the sources and keeps their answers to what they declare; `matching` holds the
bindings against a policy and the sources' tables; `asking` fetches and joins the data of one customer, and
`intake` those of a portfolio, table by table. Joining a portfolio is the business of `engine.portfolio`.
"""
