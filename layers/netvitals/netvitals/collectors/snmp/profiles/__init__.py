"""Read and evaluate device profiles: schema, index, evaluation."""
