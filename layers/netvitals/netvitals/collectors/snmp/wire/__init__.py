"""Speak SNMP: BER, PDUs, transport, security, sessions."""
