pytest_plugins = [
    "integration.influxdb",
    "integration.postgres",
    "integration.snmpd",
    "simulators.lambda_build",
]
