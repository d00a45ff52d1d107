"""Collect the vital signs of network devices from AWS Lambda into InfluxDB."""

from netvitals.processor import require_processor

__version__ = "0.1.0"

require_processor()
