"""Serve the page of `netvitals ui`, installed with the extra `netvitals[ui]`; no function contains it."""
