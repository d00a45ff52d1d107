"""Use services of AWS, one module for each."""
