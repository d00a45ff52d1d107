"""Services of AWS, one module each."""
