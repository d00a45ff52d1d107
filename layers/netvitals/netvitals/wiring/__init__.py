"""Compose use cases with their adapters; the only place that knows both.

`parts` makes what several functions share. Each use case has a module that imports what its function needs,
and no more, when the function starts: during that time Lambda gives it a whole processor (ADR 12). Nothing is
opened, and no variable read, before the first event.
"""
