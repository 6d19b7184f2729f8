"""One step each; see :mod:`dashboard.storage.migrations`."""
