"""The words by which expressions speak of many customers."""
from __future__ import annotations

CUSTOMERS = "customers"
REFUSED = "refused customers"
PORTFOLIO = "portfolio"
SHARE = "share"
WORDS = (CUSTOMERS, REFUSED, PORTFOLIO, SHARE)

#: What a customer's row says of how it was decided; with a `_` in front where the policy has a name like it.
STATUS = "status"
