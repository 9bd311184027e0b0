"""What everything else stands on: variables, data types, names, randomness, configurations."""
