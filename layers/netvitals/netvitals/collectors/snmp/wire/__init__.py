"""SNMP on the wire: BER, PDUs, transport, security, sessions."""
