"""Devices that are not in the inventory yet: which there are, and what is proposed for them."""
