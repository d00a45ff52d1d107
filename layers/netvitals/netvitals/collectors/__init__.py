"""Poll devices: a folder for each protocol, behind one interface (`netvitals.domain.ports.Collector`)."""
