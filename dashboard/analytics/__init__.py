"""What the numbers mean: pure functions over plain values, without a database or a page."""
