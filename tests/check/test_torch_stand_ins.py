"""Packages that PyTorch programs import beside PyTorch, where they are not installed."""

import importlib.machinery
import os
import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import cornu.datasets  # noqa: E402
from cornu.check import torch_vision  # noqa: E402
from cornu.check.programs import check_program  # noqa: E402
from cornu.check.read_torch import read_torch_program  # noqa: E402
from cornu.check.torch_stand_ins import missing_packages  # noqa: E402

HIDDEN = ("torchvision", "tqdm", "torchmetrics", "torchsummary", "torchinfo", "tensorboard")
HIDDEN += ("wandb", "matplotlib", "mpl_toolkits", "seaborn", "tensorboardX")


class Hiding:
    """A finder that does not find some packages."""

    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *args):
        return None if name.split(".")[0] in HIDDEN else self.finder.find_spec(name, *args)


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch):
    """As if none of the packages were installed."""
    finders = [
        Hiding(one) if one is importlib.machinery.PathFinder else one for one in sys.meta_path
    ]
    monkeypatch.setattr(sys, "meta_path", finders)
    for name in list(sys.modules):
        if name.split(".")[0] in HIDDEN or name.startswith("torch.utils.tensorboard"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(torch.utils, "tensorboard", raising=False)


@pytest.fixture
def digits(monkeypatch):
    """A data set in the place of MNIST, so that a test does not need the files."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(600) % 10).astype(np.uint8)
    images = rng.integers(0, 60, (600, 28, 28), np.uint8)
    for label in range(10):
        images[labels == label, 2 * label : 2 * label + 3] = 255
    train, test = (images[:500], labels[:500]), (images[500:], labels[500:])
    monkeypatch.setattr(cornu.datasets.mnist, "load_data", lambda: (train, test))
    return train


@pytest.fixture
def read(tmp_path):
    def run(text):
        path = tmp_path / "program.py"
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return read_torch_program(path)

    return run


# -- programs ------------------------------------------------------------------------------------

WHOLE = """
import matplotlib.pyplot as plt
import torch
import torch.nn as nn
import torchvision
import torchvision.transforms as transforms
import wandb
from torch.utils.data import DataLoader, random_split
from torch.utils.tensorboard import SummaryWriter
from torchmetrics import Accuracy
from torchsummary import summary
from torchvision import datasets
from tqdm.auto import tqdm, trange

run = wandb.init(project="digits", config={"lr": 1e-3})
writer = SummaryWriter("runs/first")
transform = transforms.Compose(
    [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
)
train = datasets.MNIST(root="./data", train=True, download=True, transform=transform)
train, held_out = random_split(train, [400, 100])
loader = DataLoader(train, batch_size=50, shuffle=True, num_workers=2)
images, labels = next(iter(loader))
grid = torchvision.utils.make_grid(images[:8])
assert grid.shape[0] == 3
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 4))
left.imshow(grid.permute(1, 2, 0).numpy())
plt.show()
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
summary(model, (1, 28, 28))
wandb.watch(model)
accuracy = Accuracy(task="multiclass", num_classes=10)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=wandb.config.lr)
for epoch in trange(5, desc="epochs"):
    bar = tqdm(loader, total=len(loader), leave=False)
    for step, (x, y) in enumerate(bar):
        optimizer.zero_grad()
        output = model(x)
        loss = criterion(output, y)
        loss.backward()
        optimizer.step()
        accuracy(output, y)
        bar.set_postfix(loss=loss.item(), accuracy=accuracy.compute().item())
        writer.add_scalar("loss", loss.item(), step)
        wandb.log({"loss": loss.item()})
raise RuntimeError("not reached")
"""


def test_whole_program(read, digits):
    reading = read(WHOLE)
    assert reading.error is None
    assert reading.reached_training
    (facts,) = reading.facts
    assert facts.training.epochs == 5
    assert facts.training.rows == 400
    assert facts.optimizer.learning_rate == pytest.approx(1e-3)
    (data,) = facts.inputs
    # as the network gets them: 0 and 255 became these
    assert data.array.min() == pytest.approx((0 - 0.1307) / 0.3081, abs=1e-4)
    assert data.array.max() == pytest.approx((1 - 0.1307) / 0.3081, abs=1e-4)
    assert facts.outputs[0].labels.classes == 10


def test_nothing_is_left(read, digits):
    before = sys.meta_path[:]
    read(WHOLE)
    assert sys.meta_path == before
    left = {one.split(".")[0] for one in sys.modules} & set(HIDDEN)
    assert left == set()
    assert "torch.utils.tensorboard" not in sys.modules
    assert not hasattr(torch.utils, "tensorboard")
    with pytest.raises(ModuleNotFoundError):
        import tqdm  # noqa: F401


def test_raw_pixels_are_told(tmp_path, digits):
    """What is said of the data is said of what the transformation gives."""
    text = """
    import torch
    from torch import nn
    from torchvision import datasets, transforms

    train = datasets.MNIST("data", transform={transform})
    loader = torch.utils.data.DataLoader(train, batch_size=50, shuffle=True)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for epoch in range(10):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
    """
    path = tmp_path / "program.py"
    for transform, told in (
        ("transforms.Lambda(lambda i: transforms.functional.pil_to_tensor(i).float())", True),
        ("transforms.ToTensor()", False),
    ):
        path.write_text(textwrap.dedent(text.format(transform=transform)))
        found, reading = check_program(path, framework="torch")
        assert reading.reached_training
        assert ("C501" in {one.code for one in found}) is told


def test_what_is_there_is_used(tmp_path, read, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "HIDDEN", ())
    (tmp_path / "tqdm.py").write_text("of_the_program = True\n")
    try:
        reading = read("import tqdm\nassert tqdm.of_the_program\nimport tqdm.auto\n")
    finally:
        sys.modules.pop("tqdm", None)
    assert isinstance(reading.error, ModuleNotFoundError)
    assert "tqdm.auto" in str(reading.error)


def test_what_has_no_stand_in(tmp_path):
    """A program that needs more was not run, which is no fault of it."""
    path = tmp_path / "program.py"
    for line in (
        "from torchvision.datasets import CelebA",
        "import torchvision; torchvision.models.densenet121()",
        "import torchvision.ops",
        "from torchmetrics import F1Score",
        "from torchvision import models; models.resnet18(replace_stride_with_dilation=[0, 1, 1])",
    ):
        path.write_text(f"import torch\n{line}\n")
        found, reading = check_program(path, framework="torch")
        assert isinstance(reading.error, ImportError), line
        assert [one.code for one in found] == ["C002"], line


def test_data_set_that_cannot_be_loaded(read, monkeypatch):
    def nowhere():
        raise FileNotFoundError("cifar10: not found on this machine")

    monkeypatch.setattr(cornu.datasets.cifar10, "load_data", nowhere)
    reading = read("from torchvision import datasets\ndatasets.CIFAR10('data', download=True)\n")
    assert isinstance(reading.error, FileNotFoundError)
    assert "cifar10" in str(reading.error)


def test_article_with_real_data(tmp_path, data_folder, monkeypatch):
    if not (data_folder / "mnist").is_dir():
        pytest.skip("CORNU_DATA has no MNIST")
    beside = Path(__file__).parents[3] / "shared" / "articles"
    folder = Path(os.environ.get("CORNU_ARTICLES", beside))
    page = folder / "keras-vs-pytorch-mnist.md"
    if not page.is_file():
        pytest.skip("the article is not here")
    blocks = re.findall(
        r"^\*\*PyTorch:\*\*\n```(?:python|py)\n(.*?)^```\s*$", page.read_text(), re.M | re.S
    )
    path = tmp_path / "program.py"
    path.write_text("batch_size = 100\n" + "\n".join(blocks))
    monkeypatch.chdir(tmp_path)
    found, reading = check_program(path, framework="torch")
    assert reading.reached_training
    lines = path.read_text().splitlines()
    told = {(one.code, lines[one.place.line - 1].strip()) for one in found if one.place}
    assert ("C101", "x = F.softmax(self.fc3(x), dim=1)") in told
    (data,) = reading.facts[0].inputs
    assert 0 <= data.array.min() <= data.array.max() <= 1


def test_digits(digits):
    mnist = torch_vision.contents(print)["torchvision.datasets"]["MNIST"]
    train, test = mnist("data"), mnist("data", train=False, target_transform=lambda y: -y)
    assert len(train) == 500
    assert len(test) == 100
    assert train.data.dtype == torch.uint8
    assert train.targets.dtype == torch.int64
    assert train.train_labels is train.targets
    assert train.classes[3] == "3 - three"
    image, label = train[7]
    np.testing.assert_array_equal(np.asarray(image), digits[0][7])
    assert label == digits[1][7]
    assert test[0][1] == -int(test.targets[0])
    train.data[:] = 0  # the program's own copy
    assert mnist("data").data.any()


# -- trained networks ----------------------------------------------------------------------------

TRANSFER = """
import torch
from torch import nn
from torchvision import models
{make}
for parameter in model.parameters():
    parameter.requires_grad = False
model.fc = nn.Linear(model.fc.in_features, 2)
model = model.to("cuda")
optimizer = torch.optim.SGD(model.fc.parameters(), lr=0.001, momentum=0.9)
x, y = torch.randn(8, 3, 32, 32), torch.arange(8) % 2
for epoch in range(20):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("make", "loaded"),
    [
        ("model = models.resnet18(pretrained=True)", True),
        ("model = models.resnet18(weights=models.ResNet18_Weights.DEFAULT)", True),
        ('model = models.resnet18(weights="IMAGENET1K_V1")', True),
        ("model = models.resnet18()", False),
    ],
)
def test_trained_networks(read, make, loaded):
    reading = read(TRANSFER.format(make=make))
    assert reading.error is None
    (facts,) = reading.facts
    convolution = next(facts.of_kind("Conv2D"))
    (last,) = facts.of_kind("Dense")
    assert convolution.parameter("kernel").loaded is loaded
    assert not last.parameter("kernel").loaded
    assert last.settings["units"] == 2
    # values that the stand-in begins with say nothing of the trained ones
    assert (facts.probe is None) is loaded


def test_loaded_weights(read):
    reading = read("""
        import torch
        from torch import nn
        def make():
            return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        other = make()
        kept = {name: value for name, value in other.state_dict().items() if name[0] == "0"}
        model = make()
        model.load_state_dict(kept, strict=False)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        x, y = torch.randn(32, 4), torch.arange(32) % 2
        for epoch in range(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        """)
    first, last = reading.facts[0].of_kind("Dense")
    assert first.parameter("kernel").loaded
    assert first.parameter("bias").loaded
    assert not last.parameter("kernel").loaded


# -- bars and logs -------------------------------------------------------------------------------


def test_bar():
    with missing_packages(print):
        from tqdm import tqdm
        from tqdm.notebook import trange

        with tqdm(total=3, desc="x") as bar:
            bar.update(2)
            bar.set_postfix_str("y")
        assert bar.n == 2
        assert list(tqdm([1, 2])) == [1, 2]
        assert len(tqdm(range(7))) == 7
        assert list(trange(2, 5, desc="z")) == [2, 3, 4]
        tqdm.write("kept back")


def test_settings_of_a_run():
    with missing_packages(print):
        import wandb

        run = wandb.init(config={"lr": 0.1})
        run.config.update({"epochs": 3}, allow_val_change=True)
        assert (wandb.config.lr, wandb.config["epochs"]) == (0.1, 3)
        with pytest.raises(AttributeError):
            _ = wandb.config.batch_size
        wandb.log({"a": 1}, step=2)
        run.finish()


def test_submodules():
    with missing_packages(print):
        import torchvision.models.alexnet
        import torchvision.transforms.functional as F
        from torchvision.datasets.mnist import MNIST
        from torchvision.models.alexnet import AlexNet

        assert torchvision.datasets.MNIST is MNIST
        assert isinstance(torchvision.models.alexnet(num_classes=2), AlexNet)
        assert F.to_tensor(np.zeros((4, 4), np.uint8)).shape == (1, 4, 4)


def test_plots():
    with missing_packages(print):
        import matplotlib
        from matplotlib import pyplot as plt
        from mpl_toolkits.mplot3d import Axes3D  # noqa: F401

        matplotlib.use("Agg")
        _, axes = plt.subplots(2, 3)
        assert axes.shape == (2, 3)
        axes[0, 1].imshow(np.eye(2))
        _, _, _ = plt.hist([1, 2])
        plt.figure(figsize=(3, 4)).add_subplot(111).set_title("x")
        with plt.style.context("ggplot"):
            plt.show()


# -- programs for a GPU --------------------------------------------------------------------------


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_types_of_tensors_on_a_gpu(read):
    before = torch.cuda.FloatTensor
    reading = read("""
        import torch
        from torch import nn
        print(torch.cuda.get_device_name(0), torch.cuda.current_device())
        Tensor = torch.cuda.FloatTensor
        model = nn.Linear(3, 1).type(Tensor)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        x = torch.rand(20, 3).type(torch.cuda.FloatTensor).to(0)
        y = Tensor(20, 1).fill_(0.5).type("torch.cuda.FloatTensor")
        with torch.cuda.device(0):
            for step in range(10):
                optimizer.zero_grad()
                nn.functional.mse_loss(model(x), y).backward()
                optimizer.step()
        """)
    assert reading.error is None
    assert reading.reached_training
    assert torch.cuda.FloatTensor is before
