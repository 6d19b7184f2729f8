"""Everything that is kept: journal, lake, catalogue, state. The only place with SQL in it."""
