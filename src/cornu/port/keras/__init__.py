"""Cornu and Keras: models read and written, programs, files of weights."""
