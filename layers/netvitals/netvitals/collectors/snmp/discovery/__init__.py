"""Find SNMP agents, and read what they are and who their neighbours are."""
