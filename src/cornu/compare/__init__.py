"""One experiment in several frameworks, and its report."""

from cornu.compare.experiment import Data, Experiment, ExperimentError, load_experiment

__all__ = ["Data", "Experiment", "ExperimentError", "load_experiment"]
