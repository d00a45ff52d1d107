"""Tables as a session reads them, made without a device."""

from collections.abc import Iterable, Mapping

from netvitals.collectors.snmp.tables import Tables, Value


def tables_of(objects: Mapping[str, Value], columns: Iterable[str] = (), time_ns: int = 1) -> Tables:
    """Return the objects by whole OID in the columns that were walked; the others as a GET brings them."""
    tables, prefixes = Tables(), {f"{column}.": column for column in columns}
    for oid, value in objects.items():
        found = [prefix for prefix in prefixes if oid.startswith(prefix)]
        for prefix in found:
            tables.put(prefixes[prefix], oid.removeprefix(prefix), value, time_ns)
        if not found:
            tables.objects[oid] = (value, time_ns)
    return tables


def values_of(tables: Tables) -> dict[str, Value]:
    """Return all values by whole OID."""
    rows = {f"{c}.{i}": value for c in tables.columns for i, value in tables.column(c).items()}
    return rows | {oid: value for oid, (value, _) in tables.objects.items()}
