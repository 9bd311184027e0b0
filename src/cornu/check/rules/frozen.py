"""A network in which nothing can be trained: C415."""

from __future__ import annotations

from collections.abc import Iterator

from cornu.check.facts import Facts
from cornu.check.rule import Finding, rule


@rule(
    "C415",
    "nothing-to-train",
    "error",
    "no weight can change, so the loss stays where it begins",
)
def nothing_to_train(facts: Facts) -> Iterator[Finding]:
    """Every layer of the network is frozen.

    ## What it does
    Finds a network that has weights and none that the optimizer may change: `trainable = False` on
    the model or on all of its layers.

    ## Why it hurts
    The optimizer has nothing to do. It happens where a pretrained base is frozen by freezing the
    whole model that holds it, its new head included.

    ## Example
        model = keras.Sequential([base, layers.Dense(10, activation="softmax")])
        model.trainable = False

    ## Fix
        base.trainable = False
        model = keras.Sequential([base, layers.Dense(10, activation="softmax")])
    """
    if facts.framework == "torch" or facts.optimizer is None:
        return  # for PyTorch that is a loss without a gradient, C412
    if facts.training.frozen is False:
        return  # as a GAN does with its discriminator: Keras 2 goes on training what it compiled
    weighted = [operation for operation in facts.operations if operation.parameters]
    trained = [p for operation in weighted for p in operation.parameters if p.trainable]
    if weighted and not trained and facts.parameters == 0:
        count = len({operation.name for operation in weighted})
        yield Finding(
            message=f"all layers with weights ({count}) are frozen (trainable=False): there is "
            "nothing to train",
            fix="set trainable=True for the layers that are to learn, and compile again",
            place=facts.training.compile_place or facts.training.place,
            layer=weighted[-1].name,
        )
