"""Implement `netvitals discover`: find devices in networks."""
