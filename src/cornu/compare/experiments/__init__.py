"""The comparisons of five articles, as experiments."""
