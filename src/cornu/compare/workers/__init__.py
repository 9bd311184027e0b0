"""The programs that train one framework each, in a process of its own.

They are run as files, not imported, so that nothing but the framework and NumPy is in the process
whose time and memory are measured. `train_FRAMEWORK.py` is given a job (`cornu.compare.jobs`).
"""
