"""Measurements against hand-written code and other engines: `python -m benchmarks`.

Every figure is the median of interleaved rounds, shown with its spread; what is compared is
measured in the same round, so that a busy machine slows both sides. The baselines are the
given ones, loaded by path and checked against their digests, never copied.
"""
