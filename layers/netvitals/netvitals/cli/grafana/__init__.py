"""Implement `netvitals grafana`: dashboards and alert rules, made from one description of the metrics."""
