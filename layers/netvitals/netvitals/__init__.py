"""The vital signs of network devices, collected from AWS Lambda into InfluxDB."""

from netvitals.processor import require_processor

__version__ = "0.1.0"

require_processor()
