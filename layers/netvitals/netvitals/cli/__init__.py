"""Implement the command `netvitals`; never imported by a Lambda function."""
