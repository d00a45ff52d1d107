"""Settings, credentials and secrets: the types of what a user configures, and their validation."""
