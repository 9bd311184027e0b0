"""PyTorch: modules read through `torch.export`, and written as programs."""
