"""What the book adds to Sphinx: listings that carry their proof, and pages made from data."""
