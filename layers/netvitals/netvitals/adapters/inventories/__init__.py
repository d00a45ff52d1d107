"""Read inventories of other systems (NetBox, LibreNMS, Zabbix) as rows of ours."""
