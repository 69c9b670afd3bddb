"""The Chinese size standard as a table: lower bounds by industry."""
from __future__ import annotations

METRICS = ("employees", "revenue_wan", "total_assets_wan")
CLASSES = ("large", "medium", "small", "micro")

#: Lower bounds of large, medium and small by industry, in the order of METRICS; None where the standard lists none.
BOUNDS: dict[str, tuple[tuple[int, int, int] | None, ...]] = {
    "agriculture": (None, (20000, 500, 50), None),
    "industry": ((1000, 300, 20), (40000, 2000, 300), None),
    "construction": (None, (80000, 6000, 300), (80000, 5000, 300)),
    "wholesale": ((200, 20, 5), (40000, 5000, 1000), None),
    "retail": ((300, 50, 10), (20000, 500, 100), None),
    "transport": ((1000, 300, 20), (30000, 3000, 200), None),
    "warehousing": ((200, 100, 20), (30000, 1000, 100), None),
    "postal": ((1000, 300, 20), (30000, 2000, 100), None),
    "accommodation": ((300, 100, 10), (10000, 2000, 100), None),
    "catering": ((300, 100, 10), (10000, 2000, 100), None),
    "information_transmission": ((2000, 100, 10), (100000, 1000, 100), None),
    "software_it": ((300, 100, 10), (10000, 1000, 50), None),
    "real_estate_development": (None, (200000, 1000, 100), (10000, 5000, 2000)),
    "property_management": ((1000, 300, 100), (5000, 1000, 500), None),
    "leasing_business_services": ((300, 100, 10), None, (120000, 8000, 100)),
    "other": ((300, 100, 10), None, None),
}
