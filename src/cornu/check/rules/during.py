"""The pages of what is found during training: C701 to C708. `Watch` finds them; facts do not."""

from __future__ import annotations

from collections.abc import Iterator

from cornu.check.facts import Facts
from cornu.check.rule import Finding, rule


@rule("C701", "loss-not-finite", "error", "every weight becomes NaN with it, and none recovers")
def not_finite(facts: Facts) -> Iterator[Finding]:
    """The loss became NaN or infinite.

    ## What it does
    It looks at the loss after each stretch of batches and after each epoch.

    ## Why it hurts
    A gradient of NaN makes every weight NaN in the next step; all later epochs are lost.

    ## Example
        model.compile(optimizer=SGD(1.0), loss="mse")     # targets of some thousands
        epoch 3: loss nan

    ## Fix
    Lower the learning rate by ten, bring inputs (and targets of a regression) to about -1 to 1,
    look for NaN in the data and for log(0) or a division by 0 in a loss of your own.
        model.compile(optimizer=SGD(0.01, clipnorm=1.0), loss="mse")
    """
    yield from ()


@rule("C702", "exploding", "warning", "steps are too long: each goes beyond the minimum, higher up")
def exploding(facts: Facts) -> Iterator[Finding]:
    """The loss of the training data grows and grows.

    ## What it does
    It finds a loss that rises for three epochs to over ten times that of the first epoch. Losses
    that fall below 0 have no such scale, and are left alone.

    ## Why it hurts
    Gradient descent diverges where the learning rate is above 2 / curvature (Goodfellow, Bengio and
    Courville, "Deep Learning", 2016, section 4.3); soon the loss is NaN.

    ## Example
        model.compile(optimizer=SGD(0.5, momentum=0.99), loss="mse")

    ## Fix
        model.compile(optimizer=SGD(0.01, momentum=0.9, clipnorm=1.0), loss="mse")
    """
    yield from ()


@rule("C703", "not-moving", "warning", "the epochs pass and nothing is learnt")
def not_moving(facts: Facts) -> Iterator[Finding]:
    """The loss of the training data stays where it was.

    ## What it does
    It finds a loss that has not fallen by half a percent below that of the first epoch after a
    third of the planned epochs (at least 5 epochs and 100 steps), unless it was small from the
    start or the accuracy is high or rising.

    ## Why it hurts
    A loss that has not moved by then is at a plateau, or gets no gradient: dead units, saturated
    units, a learning rate far too low or too high, labels that have nothing to do with the rows.

    ## Example
        epoch  1: loss 0.6932
        epoch 20: loss 0.6931

    ## Fix
    Try ten times and a tenth of the learning rate, ReLU and He initialization in hidden layers; see
    whether the network can learn ten rows by heart.
    """
    yield from ()


@rule("C704", "oscillating", "note", "steps jump from one side of the minimum to the other")
def oscillating(facts: Facts) -> Iterator[Finding]:
    """The loss of the training data goes up and down from epoch to epoch, and gets nowhere.

    ## What it does
    It finds eight epochs in which the loss turns at least six times, by a third of its mean,
    without falling.

    ## Why it hurts
    Near a minimum a step has to be shorter than the valley is wide; a learning rate that falls gets
    further (Robbins and Monro, 1951, state by how much it must).

    ## Example
        loss 0.9, 0.4, 1.1, 0.5, 1.0, 0.4, ...

    ## Fix
        model.compile(optimizer=SGD(0.01), ...)           # a tenth of the rate, larger batches
        model.fit(..., callbacks=[ReduceLROnPlateau("loss")])
    """
    yield from ()


@rule(
    "C705", "units-dying", "warning", "a unit that is 0 for every row gets no gradient ever again"
)
def dead_units(facts: Facts) -> Iterator[Finding]:
    """ReLU units that no row switches on any more.

    ## What it does
    Now and then it compares the weights of layers followed by ReLU with those of some epochs
    before: the weights of a dead unit don't change at all. It finds layers with half of their
    units dead. Weight decay and penalties move dead units too, so layers with them are left out.

    ## Why it hurts
    ReLU has slope 0 below 0. A unit whose sum is negative for every row passes nothing on and gets
    no gradient (Lu et al., "Dying ReLU and Initialization", 2019). A layer that is dead as a whole
    cuts the network in two.

    ## Example
        Dense(64, activation="relu")                      # Adam at 0.1, or inputs of 0 to 255

    ## Fix
    Lower the learning rate, scale the inputs, or use `activation="leaky_relu"`.
    """
    yield from ()


@rule(
    "C706",
    "updates-vanish-or-explode",
    "warning",
    "layers that hardly move stay random; layers that are thrown about forget what they learnt",
)
def gradients_vanish_or_explode(facts: Facts) -> Iterator[Finding]:
    """Some layers hardly change, or change wholly, while others learn.

    ## What it does
    Now and then it compares each layer's kernel with the one of some epochs before. It finds early
    layers that moved by less than a millionth of their size while later ones moved a thousand times
    as much, and kernels that grew more than tenfold.

    ## Why it hurts
    Through each saturated layer the gradient gets smaller by a factor: sigmoid's slope is at most
    1/4 (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010).

    ## Example
        10 x Dense(32, activation="sigmoid")

    ## Fix
    ReLU with He initialization, batch normalization or residual connections against vanishing;
    a lower learning rate and `clipnorm=1.0` against exploding.
    """
    yield from ()


@rule("C707", "overfitting", "note", "from here on the network learns the rows by heart")
def overfitting(facts: Facts) -> Iterator[Finding]:
    """The loss of the validation data rises while that of the training data falls.

    ## What it does
    It finds a validation loss that has been above its minimum for at least five epochs and a tenth
    of the epochs so far, by a fifth and more on the average of the last three, while the training
    loss fell by a tenth since. It says the epoch of the minimum. With `EarlyStopping` among the
    callbacks it says nothing.

    ## Why it hurts
    What is gained on the training rows after that epoch is lost on new ones (Prechelt, "Early
    Stopping - But When?", 1998).

    ## Example
        model.fit(x, y, epochs=500, validation_split=0.2)

    ## Fix
        model.fit(x, y, epochs=500, validation_split=0.2,
                  callbacks=[EarlyStopping(patience=10, restore_best_weights=True)])
    """
    yield from ()


@rule(
    "C708",
    "majority-class",
    "warning",
    "the network gives every row the commonest class and has learnt nothing of the inputs",
)
def majority_class(facts: Facts) -> Iterator[Finding]:
    """The accuracy is that of always saying the commonest class.

    ## What it does
    It compares the accuracy of the training data with the share of the commonest class among its
    labels. It finds one that has stayed at or below it for five epochs and a third of the planned
    ones (100 steps at least) while the loss did not fall.

    ## Why it hurts
    Such a network has a constant output: that is the best that can be done without the inputs.

    ## Example
        accuracy 0.6512 in every epoch, with 65 % of the rows of class 0

    ## Fix
    Look first at what `check` says of output, loss and scale of the inputs; then try a tenth of the
    learning rate, and `class_weight` if classes are of very different size.
    """
    yield from ()
