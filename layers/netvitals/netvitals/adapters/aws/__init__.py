"""Use services of AWS, one module each."""
