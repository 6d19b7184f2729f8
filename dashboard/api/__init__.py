"""The REST API: one table of resources, from which routes, checks and description are made."""
