"""Device profiles: schema, index, evaluation."""
