"""EventSub messages turned into events: chat as IRC tells it, and everything that only EventSub tells."""
