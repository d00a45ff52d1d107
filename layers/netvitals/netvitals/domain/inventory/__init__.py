"""Define devices as the inventory describes them, and which addresses may be dialled."""
