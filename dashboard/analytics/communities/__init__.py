"""Communities: from who was seen where to a labelled, laid-out map that stays stable from run to run."""
