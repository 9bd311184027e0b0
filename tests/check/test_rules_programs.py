"""C601 to C604: wrong lines of programs beside right ones that come near them."""

import textwrap

import numpy as np
import pytest

from cornu.check.checking import all_rules
from cornu.check.facts import Facts, Loss, Operation, Output, Training
from cornu.check.source import Source
from cornu.check.statistics import ArrayFacts
from cornu.core.places import Place


def program(text, width=1, final="sigmoid", framework="keras", expects="probabilities", dropout=0):
    """Facts of a network with one Dense layer, together with a program's text."""
    entrance = Operation("Input", "input", shape=(None, 4))
    dense = Operation("Dense", "dense", {"units": width}, [entrance], (None, width))
    operations = [entrance, dense]
    if dropout:
        drop = Operation("Dropout", "dropout", {"rate": dropout}, [entrance], (None, 4))
        dense.inputs = [drop]
        operations.insert(1, drop)
    if final:
        operations.append(
            Operation("activation", "dense", {"function": final}, [dense], (None, width))
        )
    kind = "binary_crossentropy" if width == 1 else "categorical_crossentropy"
    output = Output("output", operations[-1], Loss(kind, kind, expects=expects))
    source = Source("p.py", textwrap.dedent(text))
    place = next((source.place(call) for call in source.calls("fit", "backward")), None)
    return Facts(framework, operations, [output], training=Training(place=place), source=source)


def found(code, facts):
    return list(all_rules()[code].apply(facts))


# -- C601 ------------------------------------------------------------------------------------------

KERAS = """
import numpy as np
from sklearn.linear_model import LogisticRegression
model = Sequential()
model.compile(loss="binary_crossentropy", optimizer="sgd")
model.fit(x_train, y_train, epochs=5)
other = LogisticRegression()
{line}
"""


@pytest.mark.parametrize(
    "line",
    [
        "Y_test_hat = np.argmax(model.predict(X_test), axis=1)",
        "y = np.argmax(model.predict(x), axis=-1)",
        "y = np.argmax(model.predict(x), 1)",
        "y = model.predict(x).argmax(axis=1)",
        "p = model.predict(x)\ny = np.argmax(p, axis=1)",
        "p = model.predict(x)\ny = p.argmax(axis=-1)",
        "p = np.array(model.predict(x))\ny = np.argmax(p, axis=1)",
        "p = model.predict(x)\ny = [np.argmax(row) for row in p]",
        "p = model.predict(x)\nfor row in p:\n    print(np.argmax(row))",
        "p = model.predict(x)\nprint(np.argmax(p[0]))",
        "y = tf.argmax(model(x), axis=1)",
        "def test(model, x):\n    p = model.predict(x)\n    return np.argmax(p, axis=1)",
    ],
)
def test_argmax_over_one_column(line):
    (one,) = found("C601", program(KERAS.format(line=line)))
    assert one.severity == "error"
    assert "> 0.5" in one.fix
    assert one.place.line > 7


@pytest.mark.parametrize(
    "line",
    [
        "y = (model.predict(x) > 0.5).astype('int32')",
        "y = np.argmax(y_test, axis=1)",
        "y = np.argmax(other.predict_proba(x), axis=1)",
        "y = np.argmax(pretrained.predict(x), axis=1)",
        "p = model.predict(x)\np = other.predict_proba(x)\ny = np.argmax(p, axis=1)",
        "best = np.argmax(model.predict(x))",
        "best = np.argmax(model.predict(x), axis=0)",
        "p = np.hstack([1 - model.predict(x), model.predict(x)])\ny = np.argmax(p, axis=1)",
        "p = model.predict(x)\nprint(p.max(), np.max(p, axis=1))",
        "y = model.predict_classes(x)",
        "def of(p):\n    return np.argmax(p, axis=1)",
    ],
)
def test_argmax_over_something_else(line):
    assert not found("C601", program(KERAS.format(line=line)))


def test_argmax_over_several_columns_is_right():
    line = "y = np.argmax(model.predict(x), axis=1)"
    assert not found("C601", program(KERAS.format(line=line), 3, "softmax"))


def test_softmax_over_one_unit_has_another_cause():
    line = "y = np.argmax(model.predict(x), axis=1)"
    assert not found("C601", program(KERAS.format(line=line), 1, "softmax"))


def test_the_edit_of_the_line_as_printed():
    line = "Y_test_hat = np.argmax(model.predict(X_test), axis=1)"
    (one,) = found("C601", program(KERAS.format(line=line)))
    assert one.edit.old == "np.argmax(model.predict(X_test), axis=1)"
    assert one.edit.new == '(model.predict(X_test) > 0.5).astype("int32").ravel()'
    assert line.replace(one.edit.old, one.edit.new).startswith("Y_test_hat = (model")


TORCH = """
import torch
import torch.optim as optim
net = Net()
optimizer = optim.Adam(net.parameters())
for x, y in loader:
    optimizer.zero_grad()
    loss = criterion(net(x), y)
    loss.backward()
    optimizer.step()
{line}
"""


@pytest.mark.parametrize(
    "line",
    [
        "outputs = net(x)\n_, predicted = torch.max(outputs, 1)",
        "outputs = net(x)\n_, predicted = torch.max(outputs.data, 1)",
        "predicted = net(x).argmax(1)",
        "predicted = net(x).argmax(dim=1, keepdim=True)",
        "predicted = torch.argmax(torch.sigmoid(net(x)), dim=1)",
        "predicted = net(x).data.max(1, keepdim=True)[1]",
        "with torch.no_grad():\n    p = net(x).cpu().numpy()\n    y = np.argmax(p, axis=1)",
        "def test(model):\n    out = model(x)\n    pred = out.max(1).indices",
    ],
)
def test_argmax_over_one_column_in_pytorch(line):
    facts = program(TORCH.format(line=line), final=None, framework="torch", expects="logits")
    (one,) = found("C601", facts)
    assert "> 0)" in one.fix
    probabilities = program(TORCH.format(line=line), framework="torch")
    assert "> 0.5" in found("C601", probabilities)[0].fix


@pytest.mark.parametrize(
    "line",
    [
        "predicted = (net(x) > 0).long()",
        "predicted = torch.round(torch.sigmoid(net(x)))",
        "largest, _ = torch.max(net(x), 1)",
        "largest = torch.max(net(x))",
        "out = net(x)\nout = torch.cat([-out, out], dim=1)\nb = out.argmax(1)",
    ],
)
def test_what_is_right_in_pytorch(line):
    facts = program(TORCH.format(line=line), final=None, framework="torch", expects="logits")
    assert not found("C601", facts)


# -- C602 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "y = np.round(model.predict(x))",
        "p = model.predict(x)\ny = (p > 0.5).astype('int32')",
        "p = model.predict(x)\nprint(accuracy_score(y_test, p.round()))",
        "y = np.rint(model.predict(x)).astype(int)",
    ],
)
def test_a_softmax_is_rounded(line):
    (one,) = found("C602", program(KERAS.format(line=line), 3, "softmax"))
    assert one.severity == "warning"
    assert "argmax" in one.fix


@pytest.mark.parametrize(
    "line",
    [
        "y = np.argmax(model.predict(x), axis=1)",
        "print(np.round(model.predict(x), 2))",
        "print(np.round(model.predict(x)))",
        "p = model.predict(x)\ny = p[:, 1] > 0.5",
        "p = model.predict(x)\nsure = p.max(axis=1) > 0.5",
        "p = model.predict(x)\ny = np.round(p)\nz = np.argmax(y, axis=1)",
        "p = model.predict(x)\nmask = p > 0.5\nprint(p[mask])",
    ],
)
def test_a_softmax_is_not_rounded(line):
    assert not found("C602", program(KERAS.format(line=line), 3, "softmax"))


def test_rounding_a_sigmoid_is_right():
    line = "y = np.round(model.predict(x))"
    assert not found("C602", program(KERAS.format(line=line), 1, "sigmoid"))
    several = program(KERAS.format(line=line), 5, "sigmoid")
    assert not found("C602", several)
    several = program(KERAS.format(line=line), 5, "softmax")
    several.outputs[0].labels = ArrayFacts(np.array([[1, 1, 0, 0, 0], [0, 0, 0, 0, 1]]))
    assert not found("C602", several)


# -- C603 ------------------------------------------------------------------------------------------

TEST_LOOP = """
{before}
with torch.no_grad():
    for x, y in test_loader:
        correct += (net(x).argmax(1) == y).sum().item()
"""


def evaluated(text, **arguments):
    arguments = {"dropout": 0.5, **arguments}
    return program(TORCH.format(line=text), 3, None, "torch", "logits", **arguments)


def test_measured_in_training_mode():
    (one,) = found("C603", evaluated(TEST_LOOP.format(before="")))
    assert "'dropout'" in one.message
    assert one.place.line == 15
    in_function = """
    def test(model, loader):
        for x, y in loader:
            correct += (model(x).argmax(1) == y).sum()
    """
    assert found("C603", evaluated(textwrap.dedent(in_function)))


@pytest.mark.parametrize(
    "text",
    [
        TEST_LOOP.format(before="net.eval()"),
        TEST_LOOP.format(before="net.train(False)"),
        # samples of a generator, as every tutorial on GANs makes them
        "with torch.no_grad():\n    fake = net(noise).detach().cpu()",
        # a target network, or an average of weights
        "with torch.no_grad():\n    for p in net.parameters():\n        p *= 0.9",
    ],
)
def test_measured_in_evaluation_mode(text):
    assert not found("C603", evaluated(text))


def test_training_mode_matters_only_with_layers_that_act_differently():
    assert not found("C603", evaluated(TEST_LOOP.format(before=""), dropout=0))


FLOW = """
test = generator.flow_from_directory("test", batch_size=32{shuffle})
model.fit(train)
p = model.predict({data})
print(confusion_matrix(test.classes, p.argmax(axis=1)))
"""


def test_shuffled_predictions():
    (one,) = found("C603", program(FLOW.format(shuffle="", data="test"), 3, "softmax"))
    assert one.place.line == 2
    assert "shuffle=False" in one.fix
    quiet = FLOW.format(shuffle=", shuffle=False", data="test")
    assert not found("C603", program(quiet, 3, "softmax"))
    assert not found("C603", program(FLOW.format(shuffle="", data="x_test"), 3, "softmax"))


def test_labels_of_a_shuffling_data_set():
    text = """
    data = tf.keras.utils.image_dataset_from_directory("test"{shuffle})
    model.fit(train)
    p = model.predict(data)
    y = np.concatenate([y for x, y in data])
    """
    assert found("C603", program(text.format(shuffle=""), 3, "softmax"))
    assert not found("C603", program(text.format(shuffle=", shuffle=False"), 3, "softmax"))


# -- C604 ------------------------------------------------------------------------------------------


def loop(*lines, before=(), after=()):
    text = ["import torch.optim as optim", "optimizer = optim.SGD(net.parameters(), 0.1)"]
    text += ["for epoch in range(9):", *(f"    {line}" for line in before)]
    text += ["    for x, y in loader:", *(f"        {line}" for line in lines)]
    text += [f"    {line}" for line in after]
    return program("\n".join(text), 3, None, "torch", "logits")


LOSS, BACK = "loss = criterion(net(x), y)", "loss.backward()"
ZERO, STEP = "optimizer.zero_grad()", "optimizer.step()"


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (loop(ZERO, LOSS, BACK), "no optimizer step"),
        (loop(LOSS, BACK, STEP), "nothing clears"),
        (loop(LOSS, BACK, ZERO, STEP), "throws"),
        (loop(LOSS, BACK, STEP, before=[ZERO]), "outside"),
        (loop(ZERO, LOSS, BACK, after=[STEP]), "outside"),
        (loop(ZERO, LOSS, BACK, "scheduler.step()"), "no optimizer step"),
    ],
)
def test_steps_in_a_wrong_order(facts, word):
    (one,) = found("C604", facts)
    assert word in one.message
    assert one.severity == "error"


@pytest.mark.parametrize(
    "facts",
    [
        loop(ZERO, LOSS, BACK, STEP),
        loop(LOSS, ZERO, BACK, STEP),
        loop(LOSS, BACK, STEP, ZERO),
        loop("net.zero_grad()", LOSS, BACK, STEP),
        # gradients of several batches on purpose
        loop(LOSS, BACK, "if i % 4 == 0:", f"    {STEP}", f"    {ZERO}"),
        loop(LOSS, BACK, before=[ZERO], after=[STEP]),
        # a function of the program's own does the rest
        loop(LOSS, BACK, "update_weights()"),
        loop(LOSS, BACK, "average_gradients(optimizer)"),
        # steps by hand
        loop(
            LOSS,
            BACK,
            "for p in net.parameters():",
            "    p.data -= 0.1 * p.grad",
            "    p.grad = None",
        ),
    ],
)
def test_steps_in_a_right_order(facts):
    assert not found("C604", facts)


def test_what_was_observed_is_not_told_twice():
    facts = loop(LOSS, BACK, STEP)
    facts.training.gradients_cleared = False
    assert not found("C604", facts)
    facts = loop(LOSS, BACK, ZERO, STEP)
    facts.training.gradients_at_step = False
    assert not found("C604", facts)
    facts = loop(ZERO, LOSS, BACK)
    facts.training.steps_taken = False
    assert not found("C604", facts)


def test_places_are_in_the_program():
    (one,) = found("C604", loop(LOSS, BACK, ZERO, STEP))
    assert one.place == Place("p.py", 7)


def text_alone(*lines):
    """Facts of a program that was not seen to train."""
    text = "import torch\n" + "\n".join(lines) + "\n"
    return Facts("torch", source=Source("program.py", text))


WITH_ADAM = "optimizer = torch.optim.Adam(net.parameters())"
STEPS = ("for x, y in data:", "    optimizer.zero_grad()", "    loss = criterion(net(x), y)")


def test_steps_without_backward():
    (one,) = found("C604", text_alone(WITH_ADAM, *STEPS, "    optimizer.step()"))
    assert "backward() is called nowhere" in one.message
    assert one.place.line == 6


@pytest.mark.parametrize(
    "lines",
    [
        (WITH_ADAM, *STEPS, "    loss.backward()", "    optimizer.step()"),
        (WITH_ADAM, *STEPS, "    fabric.backward(loss)", "    optimizer.step()"),
        (
            WITH_ADAM,
            *STEPS,
            "    fill_in(net, torch.autograd.grad(loss, w))",
            "    optimizer.step()",
        ),
        (WITH_ADAM, *STEPS, "    learn(loss, optimizer)", "    optimizer.step()"),
        ("optimizer = make(net)", *STEPS, "    optimizer.step()"),
        (WITH_ADAM, "optimizer.step()"),
        (WITH_ADAM, "for i in range(9):", "    env.step(i)"),
    ],
)
def test_steps_that_something_else_may_give_gradients(lines):
    assert not found("C604", text_alone(*lines))


BY_HAND = ("for x, y in data:", "    loss = ((w * x + b - y) ** 2).mean()", "    loss.backward()")


@pytest.mark.parametrize(
    "change",
    [
        "w.data = w.data - 0.1 * w.grad.data",
        "w.data -= 0.1 * w.grad",
        "w -= rate * w.grad",
        "w.data.sub_(rate * w.grad.data)",
    ],
)
def test_weights_changed_by_hand(change):
    (one,) = found("C604", text_alone(*BY_HAND, f"    {change}"))
    assert "w.grad.zero_()" in one.fix
    for cleared in ("w.grad.zero_()", "w.grad = None", "w.grad.data.zero_()", "net.zero_grad()"):
        assert not found("C604", text_alone(*BY_HAND, f"    {change}", f"    {cleared}"))


def test_weights_made_anew_have_no_gradient_to_clear():
    anew = "    w = (w - 0.1 * w.grad).detach().requires_grad_()"
    assert not found("C604", text_alone(*BY_HAND, anew))
    assert not found("C604", text_alone(*BY_HAND, "    history += [w.grad.norm()]"))
