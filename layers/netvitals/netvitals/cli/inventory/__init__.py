"""Implement `netvitals inventory`: check, import and list devices."""
