"""Read stored data for people: devices and events from PostgreSQL, values from InfluxDB."""
