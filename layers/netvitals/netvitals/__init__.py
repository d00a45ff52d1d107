"""The vital signs of network devices, collected from AWS Lambda into InfluxDB."""

__version__ = "0.1.0"
