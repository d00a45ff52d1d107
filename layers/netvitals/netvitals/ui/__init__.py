"""Serve the page of `netvitals ui`, installed with the extra `ui`; no function contains it."""
