"""Training: the compiled targets, the program that trains, and the loop that runs it."""
