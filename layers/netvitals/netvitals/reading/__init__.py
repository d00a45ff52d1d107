"""Read for people what is stored: devices and events from PostgreSQL, values from InfluxDB."""
