"""Files of the operator: inventory, credentials, configuration."""
