"""Write lines to InfluxDB, and interpret its answers."""
