"""Implement the ports: each module knows one service of the outside world."""
