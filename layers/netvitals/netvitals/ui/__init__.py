"""The page of `netvitals ui`, installed with the extra `netvitals[ui]`; no function carries it."""
