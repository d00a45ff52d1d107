"""The `netvitals` command; never imported by a Lambda function."""
