"""Maps in and out of files: polls, edge lists and GEXF of others; tables, graphs and pictures to keep."""
