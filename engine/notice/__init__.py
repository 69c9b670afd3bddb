"""Letters to customers about what a policy decided.

`spec` reads the file of letters that a bank keeps beside a policy, `slots` splits its texts, `fit` holds both against
each other before anybody is written to, `choice` says which letter an outcome calls for, `writing` fills it, and
`pages` sets it as text or HTML.
"""
