"""Watch: what goes wrong while a network trains, told once, at next to no cost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.callbacks.callback import Callback, only_if
from cornu.check.diagnostic import Diagnostic
from cornu.check.facts import LINEAR, Facts, Operation
from cornu.check.rule import Finding, registered
from cornu.check.rules import during  # noqa: F401  # registers the pages
from cornu.check.weights import Change, Look, compare

# Weights above this are not copied: a look at them would take longer than it is worth.
_MOST_BYTES = 2**26
# Seconds that copying and comparing takes per byte, before any look has been measured: about
# 0.5 GB/s, slow enough for any machine.
_SECONDS_PER_BYTE = 2e-9
_FEWEST_EPOCHS, _FEWEST_STEPS = 5, 100
# Shares of the planned epochs: a network may rest on a plateau before it moves, as with XOR.
_PATIENCE = 1 / 3
_ACCURACIES = (
    *("accuracy", "acc", "binary_accuracy", "categorical_accuracy"),
    "sparse_categorical_accuracy",
)
_LOGS = ("loss", "val_loss", *_ACCURACIES)
# Layers whose kernels have a unit on the last axis.
_UNITS_LAST = frozenset({"Dense", "Conv1D", "Conv2D", "Conv3D"})


class Watch(Callback):
    """Looks at losses, metrics and weights along with training, and says what goes wrong.

    It changes nothing: no weight, no random state, no log. It costs under 1 % of training: losses
    are looked at once an epoch (and with a progress bar, whenever that is drawn), weights every few
    epochs where a share of 1/200 of the time trained allows it.

    Args:
        facts: of the network, or None: then what needs labels or the kind of the loss is not found.
        say: called with each finding, once a `fit` for each code and layer.
        weights: whether to look at weights. Default True.
        budget: the share of the training's time that looking may take. Default 0.005.

    Attributes:
        seconds: what looking has taken in the `fit` that runs or ran last.

    >>> watch = Watch(None, lambda finding: print(finding.code, finding.message))
    >>> watch.on_train_begin()
    >>> watch.on_epoch_end(0, {"loss": float("nan")})
    C701 the loss is NaN after epoch 1
    """

    per_chunk = True

    def __init__(
        self,
        facts: Facts | None,
        say: Callable[[Diagnostic], None],
        weights: bool = True,
        budget: float = 0.005,
    ):
        super().__init__()
        self.facts = facts
        self.say = say
        self.weights = weights
        self.budget = budget
        self.seconds = 0.0
        self._begin()

    def _begin(self) -> None:
        self.seconds = 0.0
        self._began = time.perf_counter()
        self._said: set[tuple[str, str | None]] = set()
        self._logs: dict[str, list[float]] = {}
        self._finite, self._cut = True, False
        self._epochs = self._last_epoch = 0
        self._look: Look | None = None
        self._look_steps = 0
        self._per_look: float | None = None

    # -- hooks ---------------------------------------------------------------------------------

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forgets the `fit` before."""
        self._begin()

    # To be called between the chunks of an epoch makes chunks shorter; a progress bar does so too.
    @only_if(lambda self: (self.params or {}).get("verbose") in (1, "auto"))
    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Looks whether the loss is still a number."""
        loss = (logs or {}).get("loss")
        if isinstance(loss, float) and not math.isfinite(loss):
            self._not_finite("loss", loss, f"in epoch {self._epochs + 1}, at batch {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Looks at the epoch's logs, and now and then at the weights."""
        began = time.perf_counter()
        self._epochs += 1
        self._last_epoch = epoch
        for name in _LOGS:
            value = (logs or {}).get(name)
            if isinstance(value, (int, float)):
                self._logs.setdefault(name, []).append(float(value))
                if not math.isfinite(value) and name in ("loss", "val_loss"):
                    self._finite = False
                    self._not_finite(name, float(value), f"after epoch {epoch + 1}")
        if self._finite and self.seconds < self.budget * (began - self._began):
            self._look_at_losses()
            if self.weights and self._is_time(began):
                self._look_at_weights()
        self.seconds += time.perf_counter() - began

    def on_train_end(self, logs: dict | None = None) -> None:
        """Looks at all epochs once more: short ones are not looked at each time."""
        if self._finite:
            self._look_at_losses()
        self._look = None  # lets the copies go

    def _tell(self, code: str, message: str, fix: str, at: Operation | None = None, **rest) -> None:
        """Says a finding of a rule, once for each layer."""
        key = (code, at.name if at is not None else rest.get("layer"))
        if key in self._said:
            return
        self._said.add(key)
        facts = self.facts
        place = facts.training.place if facts is not None and at is None else None
        finding = Finding(message=message, fix=fix, at=at, place=place, **rest)
        self.say(registered()[code].diagnostic(finding))

    # -- logs ----------------------------------------------------------------------------------

    def _look_at_losses(self) -> None:
        losses = self._logs.get("loss")
        if losses:
            self._exploding(losses)
            self._stuck(losses)
            self._oscillating(losses)
            self._overfitting(losses)

    @property
    def _planned(self) -> int:
        return int((self.params or {}).get("epochs") or 0)

    @property
    def _steps(self) -> int:
        """Optimizer steps so far; many where their number is not known."""
        steps = (self.params or {}).get("steps")
        return self._epochs * int(steps) if steps else self._epochs * _FEWEST_STEPS

    def _waited(self) -> int | None:
        """Epochs after which a network should have moved; None before."""
        epochs = max(_FEWEST_EPOCHS, math.ceil(_PATIENCE * self._planned))
        ready = self._epochs >= epochs and self._steps >= _FEWEST_STEPS
        return epochs if ready else None

    def _not_finite(self, name: str, value: float, when: str) -> None:
        if any(code == "C701" for code, _ in self._said):
            return  # val_loss follows loss
        shown = "NaN" if math.isnan(value) else "infinite"
        what = "the loss" if name == "loss" else "the loss of the validation data"
        self._tell(
            "C701",
            f"{what} is {shown} {when}",
            "lower the learning rate by ten or set clipnorm=1.0, scale inputs and targets to about "
            "-1 to 1, and look for NaN in the data",
            severity="error" if name == "loss" else "warning",
        )

    def _exploding(self, losses: list[float]) -> None:
        if len(losses) < 4 or min(losses) <= 0:
            return
        rising = losses[-1] > losses[-2] > losses[-3] > losses[-4]
        if rising and losses[-1] > 10 * losses[0]:
            self._tell(
                "C702",
                f"the loss has grown from {losses[0]:.3g} in the first epoch to {losses[-1]:.3g}",
                "lower the learning rate by ten, or set clipnorm=1.0",
            )

    def _stuck(self, losses: list[float]) -> None:
        """C708 and C703: one cause, told by the more exact of the two."""
        waited = self._waited()
        if self._cut or any(code in ("C702", "C703", "C708") for code, _ in self._said):
            return
        if waited is None or min(losses) < 0.995 * losses[0] or losses[0] <= 0:
            return
        accuracy = next((self._logs[name] for name in _ACCURACIES if name in self._logs), None)
        share = self._commonest()
        if accuracy and share is not None:
            recent = accuracy[-waited:]
            # a third of a percent: the labels of a validation split are counted with the others
            if max(recent) <= share + 0.003 and recent[-1] - recent[0] < 0.003:
                self._tell(
                    "C708",
                    f"the accuracy has been at most {max(recent):.2%} for {len(recent)} epochs; "
                    f"always saying the commonest class gives {share:.2%}",
                    "try a tenth of the learning rate; look whether inputs are scaled and labels "
                    "belong to their rows",
                    severity="note" if share > 0.9 else None,
                )
                return
        if accuracy and (max(accuracy) > 0.9 or accuracy[-1] - accuracy[0] > 0.01):
            return
        naive = self._knowing_nothing()
        if naive is None:
            # of an unknown loss nobody can say whether it was small from the start
            if accuracy is None:
                return
        elif losses[-1] < 0.5 * naive:
            return
        self._tell(
            "C703",
            f"the loss has not moved in {len(losses)} epochs: {losses[0]:.4g} in the first, "
            f"{losses[-1]:.4g} now",
            "try ten times and a tenth of the learning rate; see whether the network can learn ten "
            "rows by heart",
        )

    def _oscillating(self, losses: list[float]) -> None:
        recent = losses[-8:]
        if len(losses) < 10 or self._steps < _FEWEST_STEPS or min(recent) <= 0:
            return
        turns = np.diff(recent)
        mean = float(np.mean(recent))
        if (
            np.count_nonzero(turns[1:] * turns[:-1] < 0) >= 6
            and float(np.mean(np.abs(turns))) > mean / 3
            and np.mean(recent[4:]) > 0.9 * np.mean(recent[:4])
            and mean > 0.1 * losses[0]  # small losses jump about at the end of any training
        ):
            self._tell(
                "C704",
                f"the loss goes up and down between {min(recent):.3g} and {max(recent):.3g} from "
                "epoch to epoch",
                "lower the learning rate by ten, or use larger batches",
            )

    def _overfitting(self, losses: list[float]) -> None:
        values = self._logs.get("val_loss", [])
        if len(values) != len(losses) or min(values, default=0) <= 0:
            return
        best = int(np.argmin(values))
        since = len(values) - 1 - best
        if since < max(_FEWEST_EPOCHS, len(values) / 10) or (best == 0 and since < 10):
            return
        callbacks = self.facts.training.callbacks if self.facts is not None else []
        if any("EarlyStopping" in name for name in callbacks):
            return
        if min(values[-3:]) > 1.2 * values[best] and losses[-1] < 0.9 * losses[best]:
            first = self._last_epoch - len(values) + 1
            self._tell(
                "C707",
                f"the validation loss was lowest, {values[best]:.4g}, in epoch {first + best + 1} "
                f"and is {values[-1]:.4g} now, while the training loss falls",
                "use callbacks=[EarlyStopping(patience=10, restore_best_weights=True)]",
            )

    def _commonest(self) -> float | None:
        """The share of rows of the commonest class, where the labels are classes."""
        if self.facts is None or len(self.facts.outputs) != 1:
            return None
        labels = self.facts.outputs[0].labels
        if labels is None or self.facts.training.class_weight or not labels.complete:
            return None
        shares = labels.class_shares
        return max(shares.values()) if shares and len(shares) > 1 else None

    def _knowing_nothing(self) -> float | None:
        """The loss of the best constant output: entropy of the classes, variance of the targets."""
        if self.facts is None or len(self.facts.outputs) != 1:
            return None
        output = self.facts.outputs[0]
        if output.labels is None or output.loss is None or not output.labels.complete:
            return None
        if output.loss.is_crossentropy and output.labels.class_shares:
            return -sum(p * math.log(p) for p in output.labels.class_shares.values() if p > 0)
        if output.loss.kind == "mean_squared_error" and output.labels.is_numeric:
            return output.labels.std**2
        return None

    # -- weights -------------------------------------------------------------------------------

    def _is_time(self, now: float) -> bool:
        """Whether another look at the weights stays within the budget."""
        if self._epochs < 2 or self._steps - self._look_steps < _FEWEST_STEPS:
            return False
        if self.seconds + (self._per_look or 1e-3) > self.budget * (now - self._began):
            return False
        size = sum(variable.size * 4 for _, variable in self._kernels())
        if not size or size > _MOST_BYTES:
            return False
        expected = self._per_look or size * _SECONDS_PER_BYTE + 1e-4
        return self.seconds + expected < self.budget * (now - self._began)

    def _kernels(self) -> list[tuple[Any, Any]]:
        """(layer, kernel) of the layers that are trained, in the order in which they are held."""
        if not hasattr(self, "_found") or self._found[0] is not self.model:
            found = []
            walk = getattr(self.model, "_walk", None)
            for layer in walk() if walk is not None else ():
                kernel = getattr(layer, "kernel", None)
                if type(layer).__name__ in LINEAR and getattr(kernel, "_value", None) is not None:
                    found.append((layer, kernel))
            self._found: tuple[Any, list] = (self.model, found)
        trained = {id(variable) for variable in getattr(self.model, "trainable_variables", ())}
        return [(layer, kernel) for layer, kernel in self._found[1] if id(kernel) in trained]

    def _look_at_weights(self) -> None:
        began = time.perf_counter()
        look = Look({layer.name: np.array(kernel._value) for layer, kernel in self._kernels()})
        before, self._look = self._look, look
        self._look_steps = self._steps
        if before is not None:
            self._weights_found(compare(before, look))
        self._per_look = time.perf_counter() - began

    def _weights_found(self, changes: dict[str, Change]) -> None:
        losses = self._logs["loss"]
        # a loss that has come down to nothing leaves nothing to learn: weights may rest
        rests = losses[0] > 0 and losses[-1] < 1e-3 * losses[0]
        order = list(changes)
        moved = {name: change.moved for name, change in changes.items()}
        if not rests:
            self._dead(changes)
        for position, (name, change) in enumerate(changes.items()):
            at = self._operation(name)
            if change.grew > 10 and change.size > 1:
                self._tell(
                    "C706",
                    f"the kernel of {name!r} has grown {change.grew:.0f} times",
                    "lower the learning rate by ten, or set clipnorm=1.0",
                    at,
                    layer=name,
                )
            if rests or at is None:
                continue
            later = max((moved[one] for one in order[position + 1 :]), default=0.0)
            dead = any(code == "C705" for code, _ in self._said)  # what is before gets nothing
            if change.moved < 1e-6 and later > 1e-3 and not dead:
                self._tell(
                    "C706",
                    f"the kernel of {name!r} moved by {change.moved:.0e} of its size while later "
                    f"layers moved by {later:.1g}",
                    'use activation="relu" with kernel_initializer="he_normal", or '
                    "BatchNormalization between the layers",
                    at,
                )
                return  # the layers before and behind suffer from the same

    def _dead(self, changes: dict[str, Change]) -> None:
        for position, (name, change) in enumerate(reversed(changes.items())):
            at = self._operation(name)
            if at is None or not self._is_rectified(at) or not self._moves_by_gradient_only(at):
                continue
            if change.still >= 0.5:
                whole = change.still == 1
                self._tell(
                    "C705",
                    f"{change.still:.0%} of the units of {name!r} no longer change: they are 0 for "
                    "every row",
                    'lower the learning rate by ten, scale the inputs, or use "leaky_relu"',
                    at,
                    severity="error" if whole and position else None,
                )
                if whole:
                    self._cut = True  # the loss rests from here on, for this reason
                    return  # layers before it get no gradient either

    def _operation(self, name: str) -> Operation | None:
        if self.facts is None:
            return None
        return next((op for op in self.facts.operations if op.name == name), None)

    def _is_rectified(self, operation: Operation) -> bool:
        return operation.kind in _UNITS_LAST and any(
            follower.function == "relu" for follower in operation.consumers
        )

    def _moves_by_gradient_only(self, operation: Operation) -> bool:
        """Whether neither weight decay nor a penalty moves the weights of a dead unit."""
        optimizer = self.facts.optimizer if self.facts is not None else None
        decays = optimizer is None or optimizer.settings.get("weight_decay")
        return not decays and not operation.settings.get("kernel_regularizer")
