"""Simulated platforms and customers, for the demo and for tests.

Knows the platforms' public interfaces only, never the desk's code: a misunderstanding must not pass on both sides.
"""
