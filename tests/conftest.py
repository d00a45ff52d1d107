pytest_plugins = ["integration.postgres"]
