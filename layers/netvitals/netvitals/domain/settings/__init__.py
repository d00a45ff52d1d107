"""What a user configures: policies, credentials, secrets, and their validation."""
