"""Implement `netvitals poll`: ask devices as the collector does."""
