"""Implement what each function is for, in terms of the domain and its ports."""
