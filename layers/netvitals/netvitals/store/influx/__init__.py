"""InfluxDB: lines written to it, and what its answers say about them."""
