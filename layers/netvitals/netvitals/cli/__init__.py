"""Implement the command `netvitals`; no Lambda function imports it."""
