"""Implement `netvitals cost`: work out what a fleet costs a month."""
