"""Rules about evaluation and training loops as the text shows them: C603, C604."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from cornu.check.facts import Facts
from cornu.check.rule import Finding, rule
from cornu.check.rules.updates import acts_differently
from cornu.check.source import Source, argument, constant, last_name

_EVALUATES = re.compile(r"^_*(test|eval|evaluate|valid|validate|validation|infer)(_|$)", re.I)
_MEASURES = frozenset(
    {"argmax", "max", "topk", "eq", "accuracy", "accuracy_score", "item", "criterion", "round"}
    | {"loss_fn", "loss_function", "nll_loss", "cross_entropy", "loss_func", "sum", "f1_score"}
)
# Frameworks that switch to evaluation themselves, and dropout left on deliberately.
_OTHERWISE = re.compile(
    r"LightningModule|lightning|ignite|skorch|fastai|accelerate|mc_dropout|monte.?carlo", re.I
)
_LOADERS = frozenset({"flow_from_directory", "flow_from_dataframe"})
_DATASETS = frozenset({"image_dataset_from_directory", "text_dataset_from_directory"})
_PREDICTING = ("predict", "predict_generator")


@rule(
    "C603",
    "evaluation-goes-wrong",
    "warning",
    "the numbers printed are not those of the network that was trained",
)
def evaluation_goes_wrong(facts: Facts) -> Iterator[Finding]:
    """Predictions made in training mode, or compared with labels in another order.

    ## What it does
    In PyTorch programs with dropout or batch normalization it finds loops that measure the network
    (under `torch.no_grad()`, or in a function called test, evaluate or validate) while `eval()` is
    called nowhere in the program. In Keras programs it finds predictions of a generator or data set
    that shuffles, compared with its labels read apart from it.

    ## Why it hurts
    Dropout goes on dropping, and batch normalization uses the statistics of the test batch; the
    accuracy is lower, and another in each run. `torch.no_grad()` changes none of that (PyTorch
    documentation, "Autograd mechanics"). Shuffled predictions against labels in order give the
    accuracy of guessing. `flow_from_directory` shuffles unless told otherwise.

    ## Example
        with torch.no_grad():
            for x, y in test_loader:
                correct += (model(x).argmax(1) == y).sum()

        test = generator.flow_from_directory("test")
        accuracy_score(test.classes, model.predict(test).argmax(axis=1))

    ## Fix
        model.eval()
        with torch.no_grad(): ...

        test = generator.flow_from_directory("test", shuffle=False)
    """
    if facts.source is None or facts.source.tree is None:
        return
    if facts.framework == "torch":
        yield from _without_eval(facts, facts.source)
    else:
        yield from _shuffled(facts.source)


def _without_eval(facts: Facts, source: Source) -> Iterator[Finding]:
    layers = acts_differently(facts)
    if not layers or _OTHERWISE.search(source.text) or facts.training.training_mode is False:
        return
    for call in source.walk():
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            if call.func.attr == "eval":
                return
            mode = argument(call, "mode", 0)
            if call.func.attr == "train" and mode is not None and constant(mode) is not True:
                return
    networks = {
        last_name(call.func.value)
        for call in source.calls("parameters")
        if isinstance(call.func, ast.Attribute)
    }
    for block in source.walk():
        if not _is_evaluation(block) or not _measures(block):
            continue
        run = _runs(source, block, networks)
        if run is None:
            continue
        shown = ", ".join(repr(operation.name) for operation in layers[:3])
        name = ast.unparse(run.func)
        yield Finding(
            message=f"{name} is measured in training mode: {shown} still act as in training",
            fix=f"call {name}.eval() before, and {name}.train() before training goes on",
            place=source.place(run),
            layer=layers[0].name,
        )
        return  # one eval() mends it all


def _is_evaluation(node: ast.AST) -> bool:
    if isinstance(node, ast.With):
        return any(
            isinstance(item.context_expr, ast.Call)
            and last_name(item.context_expr.func) in ("no_grad", "inference_mode")
            for item in node.items
        )
    return isinstance(node, ast.FunctionDef) and bool(_EVALUATES.match(node.name))


def _measures(block: ast.AST) -> bool:
    """Whether a block compares or measures: one that only makes samples, as of a GAN, doesn't."""
    for node in ast.walk(block):
        if isinstance(node, ast.Call):
            name = last_name(node.func)
            if name == "backward":
                return False
            if name in _MEASURES:
                return True
        if isinstance(node, ast.Compare) and any(isinstance(one, ast.Eq) for one in node.ops):
            return True
    return False


def _runs(source: Source, block: ast.AST, networks: set) -> ast.Call | None:
    for node in ast.walk(block):
        if not isinstance(node, ast.Call) or last_name(node.func) is None:
            continue
        name = last_name(node.func)
        if name in networks and (
            isinstance(node.func, ast.Name) or last_name(node.func.value) == "self"  # type: ignore[attr-defined]
        ):
            return node
        if isinstance(node.func, ast.Name) and len(networks) == 1:
            function = next(source.around(node, ast.FunctionDef), None)
            given = {one.arg for one in function.args.args} if function else set()  # type: ignore[attr-defined]
            if name in given and re.fullmatch(r"(model|net|network|cnn)", name or "", re.I):
                return node
    return None


def _shuffled(source: Source) -> Iterator[Finding]:
    for node in source.walk():
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        call = node.value
        maker, target = last_name(call.func), node.targets[0]
        if not isinstance(target, ast.Name) or maker not in _LOADERS | _DATASETS:
            continue
        shuffle = argument(call, "shuffle")
        if shuffle is not None and constant(shuffle) is not True:
            continue
        if any(keyword.arg is None for keyword in call.keywords):
            continue
        predicted = any(
            any(
                isinstance(one, ast.Name) and one.id == target.id
                for one in (argument(run, "x", 0), argument(run, "generator", 0))
            )
            for run in source.calls(*_PREDICTING)
        )
        if not predicted:
            continue
        reads = _reads_classes if maker in _LOADERS else _reads_labels
        if reads(source, target.id):
            yield Finding(
                message=(
                    f"{target.id!r} shuffles its rows, and predictions of it are compared with "
                    "labels that are read apart from it"
                ),
                fix=f"give {maker} shuffle=False",
                place=source.place(call),
                layer=target.id,
            )


def _reads_classes(source: Source, name: str) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("classes", "labels")
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        for node in source.walk()
    )


def _reads_labels(source: Source, name: str) -> bool:
    """Whether labels are collected in a comprehension over the data set: `[y for x, y in data]`."""
    if source.tree is None:
        return False
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.comprehension) or last_name(node.iter) != name:
            continue
        element = getattr(source.parents[node], "elt", None)
        if not isinstance(node.target, ast.Tuple) or element is None:
            continue
        inside = {one.id for one in ast.walk(element) if isinstance(one, ast.Name)}
        if last_name(node.target.elts[-1]) in inside:
            return True
    return False


@rule(
    "C604",
    "training-loop-order",
    "error",
    "a training step is zero_grad, backward, step: without one, or in another order, it goes wrong",
)
def training_loop_order(facts: Facts) -> Iterator[Finding]:
    """`zero_grad`, `backward` and `step` missing or in the wrong order, as the text shows.

    ## What it does
    In PyTorch programs whose training could not be observed, it reads the innermost loop that calls
    `backward()`: no optimizer step anywhere; no `zero_grad()` anywhere; `zero_grad()` between
    `backward()` and `step()`; `zero_grad()` only outside the loop; `step()` only outside of a loop
    that clears the gradients each time. It also finds loops of steps in a program that calls
    `backward()` nowhere, and weights changed by hand with gradients that are never cleared.

    ## Why it hurts
    `backward` adds to the gradients, `step` uses them, `zero_grad` clears them (PyTorch
    documentation, `torch.optim`). Cleared before use, they train nothing; never cleared, all
    batches add up; used once an epoch, only the last batch counts.

    ## Example
        for x, y in loader:
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.zero_grad()
            optimizer.step()

    ## Fix
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
    """
    source, training = facts.source, facts.training
    if facts.framework != "torch" or source is None or source.tree is None:
        return
    if re.search(r"LBFGS|closure|GradScaler|accelerat|lightning|scaler\.step", source.text):
        return
    with_optimizer = bool(re.search(r"\boptim\b|torch\.optim", source.text))
    if with_optimizer and not facts.operations and "backward" not in source.text:
        yield from _without_backward(source)
    for backward in source.calls("backward"):
        loop = next(source.around(backward, ast.For, ast.While, ast.FunctionDef), None)
        if not isinstance(loop, (ast.For, ast.While)):
            continue
        if with_optimizer:
            finding = _in_loop(source, loop, backward, training)
        else:
            finding = _by_hand(source, loop, backward)
        if finding is not None:
            yield finding
            return


def _in_loop(source: Source, loop: ast.AST, backward: ast.Call, training) -> Finding | None:
    steps = [call for call in source.calls("step") if _is_optimizer_step(call)]
    clears = _clearing(source)
    within = {id(node) for node in ast.walk(loop)}
    steps_in = [call for call in steps if id(call) in within]
    clears_in = [node for node in clears if id(node) in within]
    helpers = _calls_unknown(source, loop)
    if not steps and training.steps_taken is None and not helpers:
        if _changes_by_hand(source):
            return None
        return Finding(
            message="loss.backward() runs in a loop, and no optimizer step is made anywhere",
            fix="call optimizer.step() after loss.backward()",
            place=source.place(backward),
        )
    if steps_in and not clears and training.gradients_cleared is None and not helpers:
        return Finding(
            message="the loop calls backward() and step(), and nothing clears the gradients",
            fix="call optimizer.zero_grad() before loss.backward()",
            place=source.place(backward),
        )
    if steps_in and not clears_in and clears and training.gradients_cleared is None:
        function = next(source.around(loop, ast.FunctionDef), None)
        outside = [
            node for node in clears if next(source.around(node, ast.FunctionDef), None) is function
        ]
        if outside and not helpers:
            return Finding(
                message="zero_grad() stands outside the loop that calls backward() and step()",
                fix="call optimizer.zero_grad() inside the loop, before loss.backward()",
                place=source.place(outside[0]),
            )
    if clears_in and steps and not steps_in and training.steps_taken is None and not helpers:
        outer = next(source.around(loop, ast.For, ast.While), None)
        outside_ids = {id(node) for node in ast.walk(outer)} if outer is not None else set()
        late = [call for call in steps if id(call) in outside_ids]
        before = [node for node in clears_in if node.lineno < backward.lineno]  # type: ignore[attr-defined]
        if late and before and len(late) == len(steps):
            return Finding(
                message="step() stands outside the loop that clears the gradients for each batch: "
                "only the last batch counts",
                fix="call optimizer.step() inside the loop, after loss.backward()",
                place=source.place(late[0]),
            )
    if training.gradients_at_step is None:
        return _cleared_between(source, backward)
    return None


def _without_backward(source: Source) -> Iterator[Finding]:
    """An optimizer of this file that makes steps in a loop, in a program without gradients."""
    if re.search(r"autograd|\.grad\b|deepspeed|engine", source.text):
        return
    optimizers = {
        target.id
        for node in source.walk()
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if "optim." in ast.unparse(node.value.func)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in source.calls("step"):
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if not isinstance(owner, ast.Name) or owner.id not in optimizers:
            continue
        loop = next(source.around(call, ast.For, ast.While), None)
        if loop is not None and not _calls_unknown(source, loop):
            yield Finding(
                message=f"{owner.id}.step() runs in a loop, and backward() is called nowhere",
                fix=f"call loss.backward() before {owner.id}.step()",
                place=source.place(call),
            )
            return


def _by_hand(source: Source, loop: ast.AST, backward: ast.Call) -> Finding | None:
    """Weights that a loop changes in place by their gradients, which nothing clears."""
    if _clearing(source) or _calls_unknown(source, loop):
        return None
    for node in ast.walk(loop):
        changed: ast.AST | None = None
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Sub, ast.Add)):
            changed = node.target
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            changed = node.targets[0] if node.targets[0].attr == "data" else None
        elif isinstance(node, ast.Call) and last_name(node.func) in ("sub_", "add_"):
            changed = node.func
        if changed is None:
            continue
        weight = ast.unparse(changed).split(".")[0]
        if any(ast.unparse(one) == f"{weight}.grad" for one in ast.walk(node)):
            return Finding(
                message=f"the loop changes {weight} by its gradient, and nothing clears that",
                fix=f"call {weight}.grad.zero_() after each change",
                place=source.place(backward),
            )
    return None


def _is_optimizer_step(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = ast.unparse(call.func.value).lower()
    return not re.search(r"sched|env|lr|warm|bar|profil", owner) and not owner.endswith("s.env")


def _clearing(source: Source) -> list[ast.AST]:
    """What clears gradients: `zero_grad()`, `.grad = None`, `.grad.zero_()`."""
    found: list[ast.AST] = list(source.calls("zero_grad"))
    for node in source.walk():
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Attribute) and target.attr == "grad" for target in node.targets
        ):
            found.append(node)
        if isinstance(node, ast.Call) and last_name(node.func) in ("zero_", "fill_"):
            found += [node] if "grad" in ast.unparse(node.func) else []
    return found


def _changes_by_hand(source: Source) -> bool:
    """Whether gradients are read: the program makes its steps itself."""
    return any(isinstance(node, ast.Attribute) and node.attr == "grad" for node in source.walk())


def _calls_unknown(source: Source, loop: ast.AST) -> bool:
    """Whether an optimizer is given to something in the loop, or a method of its own is called."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Call):
            if any("optim" in (last_name(one) or "").lower() for one in node.args):
                return True
            name = last_name(node.func) or ""
            if re.search(r"step|optimi|update|zero|clear", name) and name not in (
                "step",
                "zero_grad",
                "update",
            ):
                return True
    return False


def _cleared_between(source: Source, backward: ast.Call) -> Finding | None:
    """backward(), zero_grad() and step() in this order, in one list of statements."""
    statement = next(source.around(backward, ast.Expr), None)
    around = source.parents.get(statement) if statement is not None else None
    for name in ("body", "orelse"):
        block = getattr(around, name, None)
        if not isinstance(block, list) or statement not in block:
            continue
        cleared: ast.Call | None = None
        for one in block[block.index(statement) + 1 :]:
            call = one.value if isinstance(one, ast.Expr) else None
            if not isinstance(call, ast.Call):
                continue
            if last_name(call.func) == "backward":
                return None
            if last_name(call.func) == "zero_grad":
                cleared = call
            elif last_name(call.func) == "step" and _is_optimizer_step(call):
                if cleared is None or not _same_owner(cleared, call):
                    return None
                return Finding(
                    message="zero_grad() between backward() and step() throws the gradients away",
                    fix="call zero_grad() before backward()",
                    place=source.place(cleared),
                )
    return None


def _same_owner(clearing: ast.Call, step: ast.Call) -> bool:
    """Whether both are of one optimizer, or the clearing is of the network."""
    first = ast.unparse(clearing.func.value) if isinstance(clearing.func, ast.Attribute) else ""
    second = ast.unparse(step.func.value) if isinstance(step.func, ast.Attribute) else ""
    return first == second or "optim" not in first.lower()
