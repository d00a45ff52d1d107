"""Recognise discovered devices, and propose their rows for the inventory."""
