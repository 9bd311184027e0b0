"""Programs of plain NumPy."""
