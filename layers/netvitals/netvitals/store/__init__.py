"""Store points once they leave the process: line protocol, outcomes of writes, spool batches, InfluxDB."""
