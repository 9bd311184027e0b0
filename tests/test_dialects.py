"""Programs written for Keras run as they are: the names they import, and how they are run."""

import sys
import textwrap

import numpy as np
import pytest

import cornu
from cornu import dialects
from cornu.dialects import tensorflow_names

pytestmark = pytest.mark.usefixtures("own_keras_names")


@pytest.fixture
def program(tmp_path, capsys):
    """Runs source text as a program; returns its exit status, output and errors."""

    def run(source: str, *arguments: str, name: str = "program.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(source))
        status = dialects.run_program(path, arguments)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.mark.parametrize(
    "line",
    [
        "import keras; found = keras.layers.Dense",
        "import keras.layers; found = keras.layers.Dense",
        "import keras.layers as L; found = L.Dense",
        "from keras import layers; found = layers.Dense",
        "from keras.layers import Dense as found",
        "from tensorflow import keras; found = keras.layers.Dense",
        "import tensorflow as tf; found = tf.keras.layers.Dense",
        "import tensorflow.keras; found = tensorflow.keras.layers.Dense",
        "import tensorflow.keras as k; found = k.layers.Dense",
        "from tensorflow.keras import layers; found = layers.Dense",
        "from tensorflow.keras.layers import Dense as found",
        "import tensorflow.keras.layers as L; found = L.Dense",
    ],
)
def test_every_spelling_is_cornu(line):
    dialects.install()
    names: dict = {}
    exec(line, names)
    assert names["found"] is cornu.layers.Dense


def test_all_public_modules_are_there():
    dialects.install()
    for name in (
        *("activations", "callbacks", "constraints", "datasets", "initializers", "layers"),
        *("losses", "metrics", "models", "optimizers", "optimizers.schedules", "regularizers"),
        *("utils", "backend", "datasets.mnist"),
    ):
        for prefix in ("keras", "tensorflow.keras"):
            module = __import__(f"{prefix}.{name}", fromlist=["x"])
            assert module.__name__ == f"cornu.{name}"


def test_importing_under_another_name_leaves_the_module_as_it_is():
    spec = cornu.layers.__spec__
    dialects.install()
    import keras.layers

    assert keras.layers is cornu.layers
    assert cornu.layers.__spec__ is spec
    assert cornu.layers.__name__ == "cornu.layers"


def test_uninstall_gives_the_names_back():
    dialects.install()
    import keras
    import tensorflow  # noqa: F401

    assert keras is cornu
    dialects.uninstall()
    assert not any(name.split(".")[0] in ("keras", "tensorflow") for name in sys.modules)
    assert "cornu" in sys.modules
    dialects.uninstall()


def test_install_twice():
    dialects.install()
    import keras  # noqa: F401

    dialects.install()
    dialects.uninstall()
    assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("cornu")]


def test_install_after_the_real_one(monkeypatch):
    real = type(sys)("keras")
    real.__file__ = "site-packages/keras/__init__.py"
    monkeypatch.setitem(sys.modules, "keras", real)
    with pytest.raises(RuntimeError, match=r"keras is imported already.*must come before"):
        dialects.install()


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("import tensorflow as tf; tf.io.read_file('x')", "tensorflow.io"),
        ("import tensorflow as tf; tf.config.nonsense", "tensorflow.config.nonsense"),
        ("from tensorflow import io", "tensorflow.io"),
        ("import tensorflow.compat.v3 as tf", "tensorflow.compat.v3"),
        ("from tensorflow.python.ops import nn", "tensorflow.python.ops"),
        ("import keras.nonsense", "keras.nonsense"),
        ("from tensorflow.keras.nonsense import x", "tensorflow.keras.nonsense"),
    ],
)
def test_what_is_not_there_is_named(line, named):
    dialects.install()
    with pytest.raises((ImportError, AttributeError), match=f"^{named}: .*Cornu"):
        exec(line, {})


def test_a_misspelt_module():
    dialects.install()
    with pytest.raises(ModuleNotFoundError, match=r"Did you mean keras\.layers\?"):
        import keras.layer  # noqa: F401


def test_other_packages_are_left_alone():
    dialects.install()
    with pytest.raises(ModuleNotFoundError, match="No module named 'tensorflow_of_another'"):
        import tensorflow_of_another  # noqa: F401
    with pytest.raises(ModuleNotFoundError, match="No module named 'keras_of_another'"):
        import keras_of_another  # noqa: F401


def test_seeds():
    dialects.install()
    import tensorflow as tf
    from tensorflow.random import set_seed

    tf.random.set_seed(7)
    first = cornu.layers.Dense(3)(np.ones((1, 2), "float32"))
    set_seed(7)
    assert np.array_equal(first, cornu.layers.Dense(3)(np.ones((1, 2), "float32")))


def test_devices(monkeypatch):
    class Device:
        def __init__(self, platform):
            self.platform = platform

    monkeypatch.setattr(tensorflow_names.jax, "devices", lambda: [Device("cpu")])
    assert tensorflow_names.gpu_device_name() == ""
    assert tensorflow_names.list_physical_devices("GPU") == []
    assert repr(tensorflow_names.list_physical_devices()) == (
        "[PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')]"
    )
    monkeypatch.setattr(tensorflow_names.jax, "devices", lambda: [Device("cuda"), Device("cuda")])
    assert tensorflow_names.gpu_device_name() == "/device:GPU:0"
    assert [device.name for device in tensorflow_names.list_physical_devices()] == [
        "/physical_device:CPU:0",
        "/physical_device:GPU:0",
        "/physical_device:GPU:1",
    ]
    assert len(tensorflow_names.list_physical_devices("GPU")) == 2


def test_tensors():
    dialects.install()
    import tensorflow as tf

    assert tf.constant([1, 2], dtype=tf.float32).dtype == "float32"
    assert tf.constant([[1.0, 2.0]]).shape == (1, 2)
    assert np.array_equal(tf.constant(3, shape=(2, 2)), [[3, 3], [3, 3]])
    assert np.array_equal(tf.constant([1, 2, 3, 4], shape=(2, 2)), [[1, 2], [3, 4]])
    assert np.array_equal(tf.convert_to_tensor(np.arange(3)), [0, 1, 2])
    with pytest.raises(TypeError, match="hold numbers"):
        tf.constant("text")


def test_program_trains(program):
    status, printed, errors = program(
        """
        import numpy as np
        import tensorflow as tf
        from keras.layers import Dense
        from keras.models import Sequential

        model = Sequential()
        model.add(Dense(4, input_dim=2, activation="relu"))
        model.add(tf.keras.layers.Dense(1, activation="sigmoid"))
        model.compile(loss="binary_crossentropy", optimizer="sgd", metrics=["accuracy"])
        x = np.random.rand(40, 2)
        history = model.fit(x, x[:, 0] > 0.5, epochs=2, verbose=0)
        print(sorted(history.history))
        """
    )
    assert (status, printed, errors) == (0, "['accuracy', 'loss']\n", "")


def test_program_surroundings(program, tmp_path):
    (tmp_path / "sibling.py").write_text("from keras.layers import Dense\n")
    status, printed, _ = program(
        """
        import sys
        from sibling import Dense
        import keras

        class Own:
            pass

        print(__name__, __file__, sys.argv[1:])
        print(Dense is keras.layers.Dense, sys.modules["__main__"].Own is Own)
        """,
        "--epochs",
        "3",
    )
    sys.modules.pop("sibling")
    assert status == 0
    assert printed.splitlines() == [
        f"__main__ {tmp_path / 'program.py'} ['--epochs', '3']",
        "True True",
    ]


def test_nothing_is_left_behind(program):
    before = sys.argv, sys.path[:], sys.modules["__main__"]
    program("import sys; sys.path.append('x'); sys.argv.append('y')")
    assert (sys.argv, sys.path, sys.modules["__main__"]) == before


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        ("sys.exit()", 0, ""),
        ("sys.exit(0)", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no data')", 1, "no data\n"),
        ("raise SystemExit(True)", 1, ""),
    ],
)
def test_exit_status(program, end, status, said):
    assert program(f"import sys\n{end}\n") == (status, "", said)


def test_threads_are_waited_for(program):
    status, printed, _ = program(
        """
        import threading, time

        def work():
            time.sleep(0.05)
            print("done")

        threading.Thread(target=work).start()
        """
    )
    assert (status, printed) == (0, "done\n")


def test_no_such_file():
    with pytest.raises(FileNotFoundError, match=r"there is no file 'nowhere\.py'"):
        dialects.run_program("nowhere.py")


def test_own_errors_keep_the_programs_lines_only(program, tmp_path):
    status, _, errors = program(
        """
        def outer():
            raise KeyError("mine")

        outer()
        """
    )
    assert status == 1
    assert errors.splitlines()[0] == "Traceback (most recent call last):"
    assert errors.count("File ") == errors.count(f'File "{tmp_path / "program.py"}"') == 2
    assert errors.endswith("KeyError: 'mine'\n")


def test_errors_of_cornu_are_a_sentence(program, tmp_path):
    status, _, errors = program("import keras\nkeras.layers.Dense(units=-3)\n")
    assert status == 1
    assert errors.count("File ") == errors.count(str(tmp_path)) == 1
    assert errors.endswith("ValueError: Dense(units=-3): units must be a positive integer\n")


def test_errors_inside_cornu_can_be_seen_whole(program, monkeypatch):
    source = "import keras\nkeras.layers.Dense(units=-3)\n"
    monkeypatch.setenv("CORNU_TRACEBACK", "full")
    _, _, errors = program(source)
    assert "core.py" in errors
    assert "run_program" not in errors


def test_an_error_that_nobody_foresaw_says_what_is_left_out(program, monkeypatch, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "machinery.py").write_text("def fail():\n    return {}['nothing']\n")
    monkeypatch.syspath_prepend(str(inside))
    module = sys.modules["cornu.dialects.program"]
    monkeypatch.setattr(module, "_MACHINERY", (*module._MACHINERY, f"{inside}/"))
    _, _, errors = program("import machinery\nmachinery.fail()\n")
    sys.modules.pop("machinery")
    assert errors.count("File ") == 1
    assert "CORNU_TRACEBACK=full" in errors


def test_causes_from_the_machinery_are_left_out(program, monkeypatch, tmp_path):
    monkeypatch.setenv("CORNU_DATA", str(tmp_path))
    monkeypatch.setenv("CORNU_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(
        "cornu.datasets.places.download", lambda *_, **__: _fail(OSError("no connection"))
    )
    status, _, errors = program("import keras\nkeras.datasets.mnist.load_data()\n")
    assert status == 1
    assert errors.count("Traceback") == 1
    assert "FileNotFoundError: mnist" in errors


def _fail(error):
    raise error


def test_chained_errors_of_the_program_stay(program):
    _, _, errors = program(
        """
        try:
            1 / 0
        except ZeroDivisionError as error:
            raise ValueError("no") from error
        """
    )
    assert "ZeroDivisionError" in errors
    assert "direct cause" in errors


def test_syntax_errors(program, tmp_path):
    status, _, errors = program("x = = 1\n")
    assert status == 1
    assert errors.startswith(f'  File "{tmp_path / "program.py"}", line 1')
    assert errors.endswith("SyntaxError: invalid syntax\n")


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("from keras.layers import Dence", "keras.layers has no Dence; did you mean 'Dense'?"),
        ("import keras; keras.layers.Dence", "keras.layers has no Dence; did you mean 'Dense'?"),
        ("import keras; keras.Sequentiel", "keras has no Sequentiel; did you mean 'Sequential'?"),
        ("from keras.layers import LSTM", "keras.layers has no LSTM: Keras 3 has it, Cornu does"),
        ("import tensorflow as tf; tf.constant(1).numpy()", "np.asarray(tensor)"),
    ],
)
def test_missing_names_come_with_advice(program, line, advice):
    status, _, errors = program(line)
    assert status == 1
    assert advice in errors


def test_source_encoding(tmp_path, capsys):
    path = tmp_path / "latin.py"
    path.write_bytes("# -*- coding: latin-1 -*-\nprint(len('\xe9'))\n".encode("latin-1"))
    assert dialects.run_program(path) == 0
    assert capsys.readouterr().out == "1\n"
