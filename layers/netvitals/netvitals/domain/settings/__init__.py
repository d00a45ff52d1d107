"""Define settings, credentials and secrets, and validate them."""
