"""Rules about data that are read from the program's text: C512, C514."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator

from cornu.check.facts import Facts
from cornu.check.rule import Finding, rule
from cornu.check.rules.resampling import calls_in, names_in, scopes, targets
from cornu.check.source import Source, argument, constant, last_name

_SCALERS = frozenset(
    {"StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "PowerTransformer"}
    | {"QuantileTransformer", "PCA", "SimpleImputer"}
)
_SEEDING = frozenset(
    {"seed", "manual_seed", "set_random_seed", "set_state", "setstate", "set_rng_state"}
)
_MODULES = frozenset({"np", "numpy", "torch", "tf", "K"})
_TEST = re.compile(
    r"(^|_)(te|test|tests|testing|val|valid|validation|holdout|eval)(_|\d|$)"
    r"|^(x|y|data|images|features)_?(test|val|valid)\w*$|^(test|val|valid)_?(x|y|data|images|set)",
    re.IGNORECASE,
)
_LABELS = re.compile(r"(^|_)(y|ys|labels?|targets?|answers?)(_|\d|$)", re.IGNORECASE)
_TRAIN = re.compile(r"train|(^|_)tr(_|$)", re.IGNORECASE)


# -- C512 ------------------------------------------------------------------------------------------


def is_test_name(name: str | None) -> bool:
    """Whether a name is one that people give test or validation data."""
    return name is not None and bool(_TEST.search(name)) and not _TRAIN.search(name)


def _base(node: ast.AST | None) -> str | None:
    """`x_test` of `x_test[cols]`, `x_test.values`, `x_test.reshape(-1, 1)`."""
    while node is not None:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, (ast.Subscript, ast.Attribute)):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func if isinstance(node.func, ast.Attribute) else None
        else:
            return None
    return None


@rule(
    "C512",
    "test-data-scaled-by-itself",
    "warning",
    "the same measured value becomes one number in training and another in testing: the network is "
    "judged on inputs that mean something else",
)
def test_data_scaled_by_itself(facts: Facts) -> Iterator[Finding]:
    """Test data that is standardized with its own statistics.

    ## What it does
    Finds, in the program's text, a scaler fitted to test or validation data
    (`scaler.fit_transform(x_test)`), and a mean of the test data subtracted from it.

    ## Why it hurts
    A row's scaled values then depend on the other rows of the test set; of a single row nothing is
    left. Where the test set is small or other than the training set, predictions are shifted.
    Source: scikit-learn's documentation, "Common pitfalls", "Inconsistent preprocessing".

    ## Example
        x_train = scaler.fit_transform(x_train)
        x_test = scaler.fit_transform(x_test)

    ## Fix
        x_train = scaler.fit_transform(x_train)
        x_test = scaler.transform(x_test)
    """
    source = facts.source
    if source is None or source.tree is None:
        return
    told: set[int] = set()
    for node, message, fix in (*_fitted_to_test(source), *_minus_own_mean(source)):
        line = getattr(node, "lineno", 0)
        if line not in told:
            told.add(line)
            yield Finding(message=message, fix=fix, place=source.place(node))


def _fitted_to_test(source: Source) -> Iterator[tuple[ast.AST, str, str]]:
    for call in source.calls("fit_transform", "fit"):
        name = _base(call.args[0]) if call.args else None
        if not is_test_name(name) or not isinstance(call.func, ast.Attribute):
            continue
        owner: ast.expr | None = call.func.value
        written = ast.unparse(call.func.value)
        if isinstance(owner, ast.Name):
            owner = source.assigned(owner.id, call)
        if not isinstance(owner, ast.Call) or last_name(owner.func) not in _SCALERS:
            continue
        yield (
            call,
            f"{last_name(owner.func)} is fitted to {name}, the data that tests",
            f"use {written}.transform({name}) with the scaler fitted to the training data"
            if not isinstance(call.func.value, ast.Call)
            else f"keep the scaler fitted to the training data, and use its transform({name})",
        )
    for call in source.calls("scale"):
        name = _base(call.args[0]) if call.args else None
        if is_test_name(name) and re.search(r"sklearn[^\n]*(preprocessing|scale)", source.text):
            yield (
                call,
                f"scale() standardizes {name} with its own mean and standard deviation",
                f"use a StandardScaler fitted to the training data, and its transform({name})",
            )


def _minus_own_mean(source: Source) -> Iterator[tuple[ast.AST, str, str]]:
    own: dict[str, str] = {}  # names of means, and of what
    centring = _centring_functions(source)
    for node in source.walk():
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, of = node.targets[0], _mean_of(node.value)
            if isinstance(target, ast.Name):
                own.pop(target.id, None)
                if of is not None:
                    own[target.id] = of
        left = right = None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            left, right = _base(node.left), node.right
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub):
            left, right = _base(node.target), node.value
        if right is not None and is_test_name(left):
            of = own.get(right.id) if isinstance(right, ast.Name) else _mean_of(right)
            if of == left and not str(left).lower().startswith("y"):
                yield (
                    node,
                    f"{left} is standardized with its own mean",
                    "use the mean and standard deviation of the training data",
                )
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in centring
            and len(node.args) == 1
            and isinstance(node.args[0], ast.Name)
            and is_test_name(node.args[0].id)
        ):
            yield (
                node,
                f"{node.func.id}() standardizes {node.args[0].id} with its own mean",
                "take the mean and standard deviation of the training data for both",
            )


def _mean_of(node: ast.AST) -> str | None:
    """The name whose mean over rows a piece of syntax is: `x.mean()`, `np.mean(x, axis=0)`."""
    if not isinstance(node, ast.Call) or last_name(node.func) not in ("mean", "nanmean"):
        return None
    assert isinstance(node.func, (ast.Attribute, ast.Name))
    module = isinstance(node.func, ast.Name) or last_name(node.func.value) in _MODULES
    of = node.args[0] if module and node.args else getattr(node.func, "value", None)
    axis = argument(node, "axis", 1 if module else 0) or argument(node, "dim")
    # along other axes it is the mean of each row, which needs no training data
    if axis is not None and constant(axis) not in (0, (0,)):
        return None
    return _base(of)


def _centring_functions(source: Source) -> set[str]:
    """Functions of one array that subtract its own mean from it."""
    found = set()
    assert source.tree is not None
    for function in ast.walk(source.tree):
        if not isinstance(function, ast.FunctionDef) or len(function.args.args) != 1:
            continue
        name = function.args.args[0].arg
        means = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and _mean_of(node.value) == name
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
                continue
            own = _mean_of(node.right) == name
            if isinstance(node.right, ast.Name):
                own = node.right.id in means
            if own and _base(node.left) == name:
                found.add(function.name)
    return found


# -- C514 ------------------------------------------------------------------------------------------


@rule(
    "C514",
    "labels-shuffled-apart",
    "error",
    "rows get the labels of other rows: there is nothing to learn but how frequent each label is",
)
def labels_shuffled_apart(facts: Facts) -> Iterator[Finding]:
    """Inputs and labels shuffled each in an order of its own.

    ## What it does
    Finds, in the program's text, the arrays that go into `fit` (or a TensorDataset) shuffled by
    separate calls without the same seed, and inputs that are shuffled while their labels are not.

    ## Why it hurts
    Row i of x no longer belongs to row i of y. The loss falls to the entropy of the labels and
    stays.

    ## Example
        np.random.shuffle(x)
        np.random.shuffle(y)

    ## Fix
        order = np.random.permutation(len(x))
        x, y = x[order], y[order]
    """
    source = facts.source
    if source is None or source.tree is None:
        return
    pairs = list(_pairs(source))
    for statements in scopes(source):
        yield from _shuffled_apart(source, statements, pairs)


def _pairs(source: Source) -> Iterator[tuple[str, str, int]]:
    """Names that are trained on together: inputs, labels, and the line."""
    for call in source.calls("fit", "TensorDataset", "train_test_split", "train_on_batch"):
        given = [call.args[i] if i < len(call.args) else None for i in (0, 1)]
        if last_name(call.func) == "fit":
            given = [argument(call, "x", 0), argument(call, "y", 1)]
        x, y = (_base(one) for one in given)
        # of a part, such as data[:, 0], the whole may have been shuffled before
        if x is not None and y is not None and x != y:
            yield x, y, call.lineno
    # one shuffled right after the other: their names alone say that they belong together
    for statements in scopes(source):
        for first, second in itertools.pairwise(statements):
            names = [name for one in (first, second) for name, _ in _shuffles(one)]
            if len(names) == 2 and sum(bool(_LABELS.search(name)) for name in names) == 1:
                x, y = sorted(names, key=lambda name: bool(_LABELS.search(name)))
                yield x, y, second.lineno


def _shuffled_apart(
    source: Source, statements: list[ast.stmt], pairs: list[tuple[str, str, int]]
) -> Iterator[Finding]:
    shuffled: dict[str, tuple[int, str | None]] = {}  # the line, the seed
    seed: str | None = None
    seeded = False
    made_at: dict[str, int] = {}
    for statement in statements:
        for call in calls_in(statement):
            name = last_name(call.func)
            if name in _SEEDING:
                seed, seeded = ast.unparse(call.args[0]) if call.args else None, True
            elif name in ("get_state", "get_rng_state", "getstate"):
                kept, _ = targets(statement)
                seed, seeded = (kept[0] if kept else None), True
        for name, own in _shuffles(statement):
            # a seed set just before each shuffle keeps the orders the same
            shuffled[name] = (statement.lineno, own or (seed if seeded else None))
            if own is None:
                seeded = False
        names, _ = targets(statement)
        for name in names:
            made_at[name] = statement.lineno
            if name in shuffled and shuffled[name][0] != statement.lineno:
                _, value = targets(statement)
                if name not in names_in(value):
                    del shuffled[name]
    told: set[tuple[str, str]] = set()
    for x, y, line in pairs:
        if (x, y) in told or x not in shuffled or shuffled[x][0] > line:
            continue
        at, own = shuffled[x]
        place = source.place(statements[0])._replace(line=at)
        if y in shuffled:
            if shuffled[y][0] == at or shuffled[y][0] > line:
                continue
            if own is not None and own == shuffled[y][1]:
                continue
            message = f"{x} and {y} are shuffled by separate calls (lines {at} and "
            f"{shuffled[y][0]})"
            place = place._replace(line=max(at, shuffled[y][0]))
        elif y in made_at and made_at[y] < at and made_at.get(x, at) <= at:
            message = f"{x} is shuffled and its labels {y} are not"
        else:
            continue
        told.add((x, y))
        yield Finding(
            message=message,
            fix=f"use one order for both: order = np.random.permutation(len({x})); "
            f"{x}, {y} = {x}[order], {y}[order]",
            place=place,
        )


def _shuffles(statement: ast.stmt) -> Iterator[tuple[str, str | None]]:
    """Names that a statement brings into a random order, each with the seed that it gives."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        # np.random.shuffle(x), random.shuffle(x), rng.shuffle(x): in place
        if (
            last_name(call.func) == "shuffle"
            and isinstance(call.func, ast.Attribute)
            and len(call.args) == 1
            and isinstance(call.args[0], ast.Name)
        ):
            owner = call.func.value
            own = None
            if isinstance(owner, ast.Call):  # np.random.RandomState(0).shuffle(x)
                own = ast.unparse(owner)
            yield call.args[0].id, own
        return
    names, value = targets(statement)
    if len(names) != 1 or value is None:
        return
    if isinstance(value, ast.Call):
        function = last_name(value.func)
        first = value.args[0] if value.args else None
        plain = isinstance(first, ast.Name) and first.id == names[0]
        if function in ("shuffle", "permutation") and len(value.args) == 1 and plain:
            seed = argument(value, "random_state")
            yield names[0], ast.unparse(seed) if seed is not None else None
    elif isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Call):
        drawn = last_name(value.slice.func) in ("permutation", "randperm")
        if drawn and isinstance(value.value, ast.Name) and value.value.id == names[0]:
            yield names[0], None
