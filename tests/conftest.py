pytest_plugins = [
    "integration.influxdb",
    "integration.postgres",
    "integration.snmpd",
    "integration.pipeline",
    "integration.sshd",
    "simulators.lambda_build",
]
