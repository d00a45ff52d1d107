"""Decide whether a device is up, and what is announced of it."""
