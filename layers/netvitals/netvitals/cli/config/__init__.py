"""Implement `netvitals config`: check and show the configuration."""
