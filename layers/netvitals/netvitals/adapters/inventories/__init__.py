"""Inventories of other systems, as rows of ours: NetBox, LibreNMS, Zabbix."""
