"""Which lines of a program load data, define a network, compile, train and evaluate it.

Read from the syntax tree: a program is never run. Functions and classes are told by their names and
bases, statements by what they call; what says nothing itself (a helper, a constant) belongs to what
uses it first.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import Any

STEPS = ("load", "define", "compile", "train", "evaluate", "other")

_FUNCTIONS = (
    ("train", r"train|fit|gradients?_of|run_epoch|closure$|.*_train_step|backward"),
    ("evaluate", r"eval|test|predict|accurac|validat|score|confusion|plot|show|logits|infer"),
    ("compile", r".*(optimi[sz]er|scheduler|schedule|learning_rate|loss|criterion|penalty|metric)"),
    ("load", r"(load|get|read|make|prepare|create|download)_?(the_)?(data|sets?\b|images|mnist)"),
    ("load", r"prepare|preprocess|normali[sz]e|scale_|(to_)?one_hot|augment|targets|.*_data$"),
    ("define", r"build|.*(model|network|net)$|load$|forward$|conv_block|.*_block$"),
    ("evaluate", r"compute|outputs"),
)
# The last name of a called function, or the whole name; in the order in which they decide.
_CALLS = (
    ("other", r"argparse\..*|add_argument|parse_args|.*\.seed|manual_seed|set_(random_)?seed"),
    ("other", r".*\.filterwarnings|simplefilter|set_floatx|.*\.config\..*|.*\.device"),
    ("other", r"gpu_device_name|list_physical_devices"),
    ("train", r"fit(_generator)?|partial_fit|backward|zero_grad|train_on_batch|apply_gradients"),
    ("train", r"GradientTape|(.*\.)?callbacks\..*"),
    ("compile", r"compile|(.*\.)?(optim|optimizers|losses|lr_scheduler|schedules)\..*"),
    ("compile", r".*Loss|SGD|Adam|AdamW|Nadam|RMSprop|Adagrad|Adadelta|GradientDescentOptimizer"),
    ("evaluate", r"evaluate(_generator)?|predict(_classes|_proba|_generator)?|score|.*_score"),
    ("evaluate", r"confusion_matrix|classification_report|roc_curve|ConfusionMatrixDisplay.*"),
    ("define", r"load_weights|load_state_dict|Sequential|(.*\.)?models\..*|.*\.Model|Model"),
    ("define", r"(.*\.)?layers\..*|(keras\.|cornu\.|tf\.keras\.)?Input|summary|plot_model"),
    ("load", r"load_data|(.*\.)?(np|numpy)\.(load|loadtxt|genfromtxt|fromfile)|read_\w+|open"),
    ("load", r"DataLoader|\w*Dataset|(.*\.)?(datasets|transforms|preprocessing)\..*|make_moons"),
    ("load", r"train_test_split|random_split|to_categorical|one_hot|get_dummies|fetch_\w+"),
    ("load", r"\w*Scaler|fit_transform|fit_resample|from_numpy|from_tensor_slices|flow\w*"),
    ("load", r"make_(blobs|circles|classification|regression)|drop(na|_duplicates)?|fillna"),
    ("define", r"(.*\.)?nn\.\w+|Dense|Conv[123]D|Flatten|Dropout|MaxPooling[123]D|add"),
    ("define", r"MLP(Classifier|Regressor)"),
    ("load", r"astype|reshape|expand_dims|concatenate|vstack|hstack|permutation|shuffle|arange"),
)
_METHODS_ALONE = (("train", r"\w+\.train"), ("evaluate", r"\w+\.eval"))
# Arguments of scikit-learn's networks that say how they are trained.
_TRAINED = frozenset(
    {"solver", "learning_rate", "learning_rate_init", "momentum", "nesterovs_momentum", "alpha"}
    | {"beta_1", "beta_2", "epsilon", "batch_size", "max_iter", "power_t", "random_state", "tol"}
)
_Piece = tuple[str | None, int, int, Any]


def sections_of(source: str) -> list[dict[str, Any]]:
    """The steps of a program, as sections of lines that follow one another.

    Args:
        source: a program in Python, of any framework.

    Returns:
        Sections in order: `{"step": one of STEPS, "first": line, "last": line}`, lines counted from
        1, both inclusive. Every line is in exactly one; neighbours are of different steps. A
        comment belongs to what follows it, an empty line to what is before. What is no Python is
        one section "other"; an empty program has none.

    >>> sections_of("import keras\\n\\n# small\\nmodel = keras.Sequential()\\nmodel.fit(x)\\n")
    [{'step': 'load', 'first': 1, 'last': 2}, {'step': 'define', 'first': 3, 'last': 4},
     {'step': 'train', 'first': 5, 'last': 5}]
    """
    lines = source.splitlines()
    if not lines:
        return []
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return [{"step": "other", "first": 1, "last": len(lines)}]
    pieces = _Reader(tree).pieces()
    steps = _by_line(pieces, lines)
    found: list[dict[str, Any]] = []
    for number, step in enumerate(steps, 1):
        if found and found[-1]["step"] == step:
            found[-1]["last"] = number
        else:
            found.append({"step": step, "first": number, "last": number})
    return found


def code_lines(source: str) -> int:
    """How many lines of a program hold code: without empty lines and those with comments alone.

    Lines of docstrings count, those that are empty excepted. What is no Python is counted by the
    characters that its lines begin with.

    >>> code_lines("# adds\\nx = 1  # one\\n\\ny = '''a\\n\\nb'''\\n")
    3
    """
    idle = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    idle |= {tokenize.ENDMARKER, tokenize.ENCODING}
    lines = source.splitlines()
    numbers: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type not in idle:
                numbers.update(range(token.start[0], token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        return sum(1 for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return sum(1 for number in numbers if number <= len(lines) and lines[number - 1].strip())


def _by_line(pieces: list[_Piece], lines: list[str]) -> list[str]:
    """The step of each line, of pieces that do not overlap."""
    known: list[str | None] = [None] * len(lines)
    for step, first, last, _ in pieces:
        known[first - 1 : last] = [step] * (last - first + 1)
    # comments, from below
    for number in range(len(lines) - 2, -1, -1):
        if known[number] is None and lines[number].lstrip().startswith("#"):
            known[number] = known[number + 1]
    before = next((step for step in known if step is not None), "other")
    found = []
    for step in known:
        before = step or before
        found.append(before)
    return found


class _Reader:
    """Finds the step of every statement of a module."""

    def __init__(self, tree: ast.Module):
        self.body = tree.body
        self.local: dict[str, str | None] = {}
        self.is_trained = False

    def pieces(self) -> list[_Piece]:
        """`(step, first line, last line, statement)` of all statements, in order."""
        named = [one for one in self.body if isinstance(one, (_FUNCTION, ast.ClassDef))]
        for one in named:
            self.local[one.name] = _step_of_class(one) if isinstance(one, ast.ClassDef) else None
        for one in named:
            if isinstance(one, _FUNCTION):
                self.local[one.name] = self._of_function(one)
        pieces = self._of_body(self.body)
        self._give_to_users(pieces)
        found: list[_Piece] = []
        before = "other"
        for place, (step, first, last, statement) in enumerate(pieces):
            if step is None and place == 0 and len(pieces) > 1 and _is_text(statement):
                step = pieces[1][0]
            before = step or before
            found.append((before, first, last, statement))
        return found

    def _of_body(self, body: list[ast.stmt]) -> list[_Piece]:
        """The pieces of statements, those that hold several steps taken apart."""
        found: list[_Piece] = []
        for statement in body:
            first, last = _first_line(statement), statement.end_lineno or statement.lineno
            inner = self._parts(statement)
            if inner is None:
                step = self._of_statement(statement)
                self.is_trained |= step == "train" and not isinstance(statement, _FUNCTION)
                call = _sklearn_call(statement)
                if call is not None and call.lineno != last:
                    found += _of_sklearn(call, statement, last)
                else:
                    found.append((step, first, last, statement))
                continue
            head = "other" if _is_main(statement) else inner[0][0]
            if _is_text(inner[0][3]):
                text = inner.pop(0)
                head = inner[0][0]
                found.append((head, first, text[2], None))
            elif inner[0][1] > first:
                found.append((head, first, inner[0][1] - 1, None))
            found += inner
        return found

    def _parts(self, statement: ast.stmt) -> list[_Piece] | None:
        """The pieces inside a statement that is no step itself; None where it is a whole."""
        if _is_main(statement):
            return self._settled(self._of_body(statement.body))  # type: ignore[attr-defined]
        if isinstance(statement, ast.With) or (
            isinstance(statement, _FUNCTION) and self.local.get(statement.name) in (None, "define")
        ):
            inner = self._settled(self._of_body(statement.body))
            steps = {piece[0] for piece in inner if piece[0] not in (None, "other")}
            is_bare = _is_text(inner[0][3]) and len(inner) == 1
            if {"compile", "train"} & steps and steps & {"define", "load"} and not is_bare:
                return inner
        return None

    def _settled(self, pieces: list[_Piece]) -> list[_Piece]:
        """Pieces of a body with what says nothing given to what uses it, or is before it."""
        self._give_to_users(pieces)
        found: list[_Piece] = []
        for step, first, last, statement in pieces:
            if step is None and found and not _is_text(found[-1][3]):
                step = found[-1][0]
            found.append((step, first, last, statement))
        return found

    # -- one statement -----------------------------------------------------------------------------

    def _of_statement(self, statement: ast.stmt) -> str | None:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            return "load"
        if isinstance(statement, (_FUNCTION, ast.ClassDef)):
            return self.local.get(statement.name)
        if isinstance(statement, ast.Try) and all(
            isinstance(one, (ast.Import, ast.ImportFrom)) for one in statement.body
        ):
            return "load"
        return self._of_calls(statement)

    def _of_calls(self, statement: ast.AST) -> str | None:
        """The step that the functions that are called in a statement belong to."""
        names = [_dotted(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)]
        names = [name for name in names if name]
        if isinstance(statement, ast.Expr) or _is_block(statement):
            for step, pattern in _METHODS_ALONE:
                if any(re.fullmatch(pattern, name) for name in names):
                    return step
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Tuple) and any(map(_reads_data, value.elts)):
            return "load"
        found: dict[str, int] = {}
        for name in names:
            if name in self.local:
                called = self.local[name]
                rank = _RANKS.get(called or "")
            else:
                called, rank = _of_call(name)
            if called is not None and rank is not None:
                found[called] = min(rank, found.get(called, rank))
        if found:
            return min(found, key=lambda step: found[step])
        if any(name.split(".")[0] in ("plt", "ax", "sns") for name in names):
            return "evaluate" if self.is_trained else None
        if isinstance(statement, ast.Assign) and any(map(_reads_data, ast.walk(statement.value))):
            return "load"
        if any(re.search(r"\bsave\w*$", name) for name in names):
            return "other"
        return None

    def _of_function(self, function: Any) -> str | None:
        name = function.name.lstrip("_")
        draws = any(_dotted(node).startswith("plt.") for node in ast.walk(function))
        if draws and not re.match(_FUNCTIONS[0][1], name):
            return "evaluate"
        for step, pattern in _FUNCTIONS:
            if re.match(pattern, name):
                return step
        if function.name == "main":
            return None
        return self._of_calls(function)

    # -- what says nothing itself ------------------------------------------------------------------

    def _give_to_users(self, pieces: list[_Piece]) -> None:
        """Gives definitions and constants without a step that of the first that uses them."""
        for place in range(len(pieces) - 1, -1, -1):
            step, first, last, statement = pieces[place]
            defined = _defined(statement) if step is None else set()
            if not defined:
                continue
            for user, _, _, other in pieces[place + 1 :]:
                if user not in (None, "other") and _names(other) & defined:
                    pieces[place] = (user, first, last, statement)
                    for name in defined & set(self.local):
                        self.local[name] = user
                    break


_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_BLOCKS = (ast.For, ast.While, ast.With, ast.If, *_FUNCTION)


def _is_block(node: ast.AST) -> bool:
    return isinstance(node, _BLOCKS)


# The place of a step's first pattern: how much a call of a function of the program's own decides.
_RANKS: dict[str, int] = {}
for _place, (_step, _pattern) in enumerate(_CALLS):
    _RANKS.setdefault(_step, _place)


def _of_call(name: str) -> tuple[str | None, int | None]:
    last = name.rpartition(".")[2]
    for rank, (step, pattern) in enumerate(_CALLS):
        if re.fullmatch(pattern, name) or re.fullmatch(pattern, last):
            return step, rank
    if re.match(r"(train|fit)_", last):
        return "train", _RANKS["train"]
    if re.match(r"(evaluate|test|predict)_", last):
        return "evaluate", _RANKS["evaluate"]
    return None, None


def _step_of_class(cls: ast.ClassDef) -> str:
    bases = " ".join(_dotted(base) or "" for base in cls.bases)
    methods = {one.name for one in cls.body if isinstance(one, _FUNCTION)}
    if re.search(r"Dataset|Sequence|DataModule|Sampler", bases):
        return "load"
    if re.search(r"Callback", bases):
        return "train"
    if re.search(r"Loss|Metric|Schedule|LRScheduler|Optimizer|optim\.", bases):
        return "compile"
    if "step" in methods or "update_step" in methods:
        return "compile"
    if re.search(r"(Loss|Optimizer|SGD|Adam\w*|RMSprop)$", cls.name):
        return "compile"
    return "define"


def _is_main(statement: ast.AST) -> bool:
    """Whether a statement is `if __name__ == "__main__":`."""
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def _is_text(statement: Any) -> bool:
    """Whether a statement is a docstring."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(one.lineno for one in decorators)])


def _dotted(node: ast.AST) -> str:
    """The name of what is called: "keras.layers.Dense", ".fit" of what is no name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def _reads_data(node: ast.AST) -> bool:
    """Whether an expression is `np.load(...)` or `data["x"]`."""
    if isinstance(node, ast.Call):
        return bool(re.fullmatch(r"(np|numpy)\.load\w*|.*load_data|.*read_\w+", _dotted(node.func)))
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Constant):
        return False
    return isinstance(node.slice.value, str)


def _names(node: ast.AST | None) -> set[str]:
    if node is None:
        return set()
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _defined(statement: ast.AST | None) -> set[str]:
    """The names that a statement gives a value."""
    if isinstance(statement, (*_FUNCTION, ast.ClassDef)):
        return {statement.name}
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return set()
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    found = {
        one.id
        for target in targets
        for one in ast.walk(target)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    # what is changed belongs to what made it
    is_changed = isinstance(statement, ast.AugAssign) or bool(_names(statement.value) & found)
    return set() if is_changed else found


def _sklearn_call(statement: ast.stmt) -> ast.Call | None:
    """The MLPClassifier or MLPRegressor that a statement makes."""
    value = getattr(statement, "value", None)
    if isinstance(statement, (ast.Return, ast.Assign)) and isinstance(value, ast.Call):
        name = _dotted(value.func).rpartition(".")[2]
        return value if re.fullmatch("MLP(Classifier|Regressor)", name) else None
    return None


def _of_sklearn(call: ast.Call, statement: ast.stmt, last: int) -> list[_Piece]:
    """The network and how it is trained, which are arguments of one class, each in its line."""
    found: list[_Piece] = [("define", statement.lineno, call.lineno, statement)]
    for keyword in call.keywords:
        end = keyword.value.end_lineno or keyword.value.lineno
        if keyword.lineno > found[-1][2]:
            step = "compile" if keyword.arg in _TRAINED else "define"
            found.append((step, keyword.lineno, end, None))
    if last > found[-1][2]:
        found.append((found[-1][0], found[-1][2] + 1, last, None))
    return found
