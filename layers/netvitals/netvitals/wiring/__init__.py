"""Compose use cases with their adapters; the only place that knows both sides.

`parts` is what all functions share; each use case has a module that imports what it needs, and nothing more,
when its function starts: that is when Lambda lends a whole processor, and the only time a cold start should
cost. Nothing is opened, and no variable read, before the first event.
"""
