"""The outside world: each module knows one service and implements one port."""
