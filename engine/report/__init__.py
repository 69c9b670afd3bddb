"""One report of a decided portfolio: a page without network, and the same as JSON.

`spec` reads what it is to tell, `frame` brings the rows together, each module of `sections` works out one part as
`blocks` (figures, tables, charts, notes), `charts` draws and `page` writes the HTML.
"""
