pytest_plugins = ["integration.influxdb", "integration.postgres"]
