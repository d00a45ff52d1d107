"""Implement `netvitals profile`: explain, check and draft device profiles."""
