"""Read the operator's files: inventory, credentials, configuration."""
