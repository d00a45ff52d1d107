"""`python -m netvitals`, where the command is not on the path."""

from netvitals.cli.main import main

main()
