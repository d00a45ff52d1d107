"""Implement `netvitals schema`: print JSON Schemas and TypeScript types."""
