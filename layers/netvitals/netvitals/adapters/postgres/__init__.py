"""Use PostgreSQL: inventory, states of devices, status, schema."""
