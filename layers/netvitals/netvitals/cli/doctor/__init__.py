"""Implement `netvitals doctor`: check a deployment."""
