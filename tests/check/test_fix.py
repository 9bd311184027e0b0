"""Changes written into a program: only what is meant, layout and comments kept."""

import textwrap

import pytest

from cornu.check import Diagnostic, Edit
from cornu.check.fix import apply_edits, fix_files
from cornu.core.places import Place

pytest.importorskip("libcst")


def fixed(text: str, *edits: tuple[int, str, str]) -> tuple[str, int]:
    made = [Edit(Place("program.py", line), old, new) for line, old, new in edits]
    result, done = apply_edits(textwrap.dedent(text).lstrip(), made)
    return result, len(done)


def test_an_argument_is_replaced_whatever_its_quotes_and_the_comment_stays():
    text = """
        m.compile(loss='mse',   # the loss="mse" of the book
                  optimizer="adam")
    """
    result, done = fixed(text, (1, 'loss="mse"', 'loss="binary_crossentropy"'))
    assert done == 1
    assert result == (
        'm.compile(loss="binary_crossentropy",   # the loss="mse" of the book\n'
        '          optimizer="adam")\n'
    )


def test_a_layer_is_taken_out_of_a_list_with_its_line():
    text = """
        model = nn.Sequential(
            nn.Linear(3, 4),  # in
            nn.Linear(4, 2),  # logits
            nn.Softmax(dim = 1),  # out
        )
    """
    result, done = fixed(text, (4, "nn.Softmax(dim=1)", ""))
    assert done == 1
    assert result == (
        "model = nn.Sequential(\n    nn.Linear(3, 4),  # in\n    nn.Linear(4, 2),  # logits\n)\n"
    )


@pytest.mark.parametrize(
    ("text", "old", "expected"),
    [
        ("f([a(1), b(2)])\n", "b(2)", "f([a(1)])\n"),
        ("f([a(1), b(2)])\n", "a(1)", "f([b(2)])\n"),
        ("Dense(3, activation='relu')\n", "activation='relu'", "Dense(3)\n"),
        ("Dense(activation='relu')\n", "activation='relu'", "Dense()\n"),
        ("a(); b()\n", "a()", "b()\n"),
    ],
)
def test_what_is_taken_out(text, old, expected):
    assert fixed(text, (1, old, "")) == (expected, 1)


def test_an_argument_on_a_later_line_of_the_call_is_found():
    text = """
        Dense(10,
              activation="softmax")
    """
    assert fixed(text, (1, 'activation="softmax"', "")) == ("Dense(10)\n", 1)


def test_lines_count_in_the_program_as_it_was():
    text = """
        a(1)
        b(2)
        c(3)
    """
    result, done = fixed(text, (1, "a(1)", ""), (3, "c(3)", "c(4)"))
    assert (result, done) == ("b(2)\nc(4)\n", 2)


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        ("m.add(layers.Dense(10))\n", "Dense(10)", "Dense(10, name='a')",
         "m.add(layers.Dense(10, name='a'))\n"),
        ("c('adam', 'mse')  # mse\n", "mse", "mae", "c('adam', 'mae')  # mse\n"),
        ("Dense(1, activation='tanh')\n", ", activation='tanh'", "", "Dense(1)\n"),
        ("nn.NLLLoss()\n", "NLLLoss", "CrossEntropyLoss", "nn.CrossEntropyLoss()\n"),
        ("f('#1', 2)\n", "2", "3", "f('#1', 3)\n"),
    ],
)  # fmt: skip
def test_a_part_of_a_piece_is_replaced_as_text(text, old, new, expected):
    assert fixed(text, (1, old, new)) == (expected, 1)


def test_what_would_not_be_python_is_left_out():
    assert fixed("f(1)\n", (1, "1)", "1")) == ("f(1)\n", 0)


def test_what_is_not_there_or_there_twice_is_left_alone():
    text = "f(x, x)\n"
    assert fixed(text, (1, "x", "y")) == (text, 0)
    assert fixed(text, (1, "z", "y")) == (text, 0)


def test_files_are_written_and_the_mended_findings_told(tmp_path):
    program = tmp_path / "program.py"
    program.write_bytes(b"x = f(1)\r\ny = g(2)\r\n")
    certain = Diagnostic(
        "C101", "a", "error", "m", edit=Edit(Place(str(program), 2), "g(2)", "g(3)")
    )
    unsure = Diagnostic("C102", "b", "error", "m", place=Place(str(program), 1))
    assert fix_files([certain, unsure]) == {str(program): [certain]}
    assert program.read_bytes() == b"x = f(1)\r\ny = g(3)\r\n"
