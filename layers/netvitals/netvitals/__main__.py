"""Run the command as `python -m netvitals`, where it is not on the path."""

from netvitals.cli.main import main

main()
