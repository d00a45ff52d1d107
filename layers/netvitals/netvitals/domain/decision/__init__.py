"""The decision whether a device is up, and what is announced."""
