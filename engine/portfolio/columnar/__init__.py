"""Portfolios at columnar speed: any table is read, decided and written by the embedded database.

`session` opens the database, `locations` says what a place names, `text`, `workbook`, `tables` and
`postgres` bring a source within its reach, `cells` and `binding` turn columns into what a
policy declares, `keys` counts repeated and absent keys, `deciding` runs the compiled policy, `refusals`
says of each refused row what the one-by-one path would say, `sinks` writes the results whole or
not at all, `resume` does so part by part, and `run` puts these together.

Nothing is imported from here before a command needs it: the database alone takes 80 ms to load.
"""
