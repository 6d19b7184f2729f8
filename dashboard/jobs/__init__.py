"""Long work: run by the clock, by background callbacks, or by the command line."""
