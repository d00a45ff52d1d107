"""How devices are asked: one folder a protocol, behind one interface (`netvitals.domain.ports.Collector`)."""
