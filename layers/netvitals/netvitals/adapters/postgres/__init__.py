"""The database: inventory, states of devices, status, schema."""
