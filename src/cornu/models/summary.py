def print_summary(*a, **k): raise RuntimeError("summary")
