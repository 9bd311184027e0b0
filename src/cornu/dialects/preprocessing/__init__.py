"""`keras.preprocessing`: sequences, text and images, as Keras 1 and 2 had them."""

from cornu.dialects.preprocessing import image, sequence, text

__all__ = ["image", "sequence", "text"]
