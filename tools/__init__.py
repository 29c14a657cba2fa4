"""Programs of the book's makers: drawings, reference data, benchmarks, the state of the book."""
