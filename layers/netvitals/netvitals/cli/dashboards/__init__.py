"""Grafana's dashboards and alert rules, generated from one description of the metrics."""
