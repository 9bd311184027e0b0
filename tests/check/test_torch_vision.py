"""What stands in for torchvision: networks, data sets, transformations."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import cornu.datasets  # noqa: E402
from cornu.check import torch_vision  # noqa: E402


@pytest.fixture
def vision():
    """The names in the modules of torchvision, and the networks asked for with trained weights."""
    trained = []
    modules = torch_vision.contents(trained.append)
    modules["trained"] = trained
    return modules


@pytest.fixture
def picture():
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
    return image.fromarray(pixels)


# -- networks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "parameters", "last"),
    [
        # numbers of torchvision's documentation
        ("resnet18", 64, 11_689_512, "fc"),
        ("resnet34", 64, 21_797_672, "fc"),
        ("resnet50", 64, 25_557_032, "fc"),
        ("mobilenet_v2", 64, 3_504_872, "classifier.1"),
        ("alexnet", 224, 61_100_840, "classifier.6"),
        ("vgg11", None, 132_863_336, "classifier.6"),
        ("vgg16", None, 138_357_544, "classifier.6"),
        ("vgg16_bn", None, 138_365_992, "classifier.6"),
    ],
)
def test_networks(vision, name, size, parameters, last):
    models = vision["torchvision.models"]
    with torch.device("meta" if size is None else "cpu"):
        model = models[name](pretrained=True)
        assert vision["trained"] == [model]
        images = torch.zeros(2, 3, size or 224, size or 224)
    assert sum(one.numel() for one in model.parameters()) == parameters
    assert isinstance(model.get_submodule(last), torch.nn.Linear)
    with torch.no_grad():
        assert model(images).shape == (2, 1000)
    with pytest.raises(ValueError, match="num_classes"):
        models[name](pretrained=True, num_classes=10)


def test_resnet_of_ones_own(vision):
    names = vision["torchvision.models.resnet"]
    model = names["ResNet"](names["BasicBlock"], [1, 1, 1, 1], num_classes=10)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    keys = model.state_dict().keys()
    assert {"layer2.0.downsample.0.weight", "layer1.0.bn2.bias", "fc.weight"} <= keys


# -- data sets -----------------------------------------------------------------------------------


def test_photographs(vision, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
    labels = np.arange(20, dtype=np.uint8)[:, None] % 10
    monkeypatch.setattr(
        cornu.datasets.cifar10, "load_data", lambda: ((images, labels), (images[:5], labels[:5]))
    )
    modules = torch_vision.contents(lambda model: None)
    data = modules["torchvision.datasets"]["CIFAR10"](
        "data", transform=modules["torchvision.transforms"]["ToTensor"]()
    )
    assert data.targets[:3] == [0, 1, 2]
    assert data.data.shape == (20, 32, 32, 3)
    assert data.class_to_idx["cat"] == 3
    image, label = data[4]
    assert label == 4
    np.testing.assert_allclose(image.numpy(), images[4].transpose(2, 0, 1) / 255, rtol=1e-6)


def test_folder_of_images(vision, tmp_path, picture):
    for name in ("dogs", "cats"):
        (tmp_path / name).mkdir()
        picture.save(tmp_path / name / "1.png")
    (tmp_path / "cats" / "notes.txt").write_text("no image")
    data = vision["torchvision.datasets"]["ImageFolder"](tmp_path)
    assert data.classes == ["cats", "dogs"]
    assert data.targets == [0, 1]
    assert [label for _, label in (data[0], data[1])] == [0, 1]
    assert data[0][0].size == (60, 40)
    with pytest.raises(FileNotFoundError):
        vision["torchvision.datasets"]["ImageFolder"](tmp_path / "nowhere")


# -- transformations -----------------------------------------------------------------------------


def test_to_tensor(vision, picture):
    to_tensor = vision["torchvision.transforms"]["ToTensor"]()
    tensor = to_tensor(picture)
    assert tensor.shape == (3, 40, 60)
    assert tensor.dtype == torch.float32
    expected = np.asarray(picture).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=1e-6)
    assert to_tensor(picture.convert("L")).shape == (1, 40, 60)
    values = to_tensor(np.full((4, 5, 3), 200.0))
    assert values.max() == 200.0  # only bytes are divided
    with pytest.raises(TypeError):
        to_tensor(tensor)


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda t: t["Resize"](20), (20, 30)),
        (lambda t: t["Resize"]((16, 24)), (16, 24)),
        (lambda t: t["CenterCrop"](50), (50, 50)),
        (lambda t: t["RandomCrop"](32, padding=4), (32, 32)),
        (lambda t: t["RandomResizedCrop"](28), (28, 28)),
        (lambda t: t["RandomHorizontalFlip"](1.0), (40, 60)),
        (lambda t: t["RandomRotation"](15), (40, 60)),
        (lambda t: t["RandomAffine"](0, translate=(0.1, 0.1), scale=(0.9, 1.1)), (40, 60)),
        (lambda t: t["ColorJitter"](0.2, 0.2, 0.2, 0.1), (40, 60)),
        (lambda t: t["RandomGrayscale"](1.0), (40, 60)),
        (lambda t: t["GaussianBlur"](3), (40, 60)),
        (lambda t: t["RandomApply"]([t["Pad"](2)], p=1.0), (44, 64)),
    ],
)
def test_shapes_and_ranges(vision, picture, make, size):
    names = vision["torchvision.transforms"]
    transform = make(names)
    made = transform(picture)
    assert made.size == size[::-1]
    assert made.mode == "RGB"
    tensor = transform(names["ToTensor"]()(picture))
    assert tensor.shape == (3, *size)
    assert tensor.dtype == torch.float32
    assert 0 <= tensor.min() <= tensor.max() <= 1


def test_flip_and_gray(vision, picture):
    names, pixels = vision["torchvision.transforms"], np.asarray(picture)
    flipped = names["RandomHorizontalFlip"](1.0)(picture)
    np.testing.assert_array_equal(np.asarray(flipped), pixels[:, ::-1])
    gray = names["Grayscale"]()(picture)
    assert np.abs(np.asarray(gray).astype(int) - np.asarray(picture.convert("L"))).max() <= 1
    assert names["Grayscale"](3)(picture).mode == "RGB"


def test_normalize(vision):
    names = vision["torchvision.transforms"]
    image = torch.full((1, 2, 2), 0.5)
    np.testing.assert_allclose(names["Normalize"]((0.5,), (0.5,))(image), 0.0)
    assert image.mean() == 0.5
    with pytest.raises(RuntimeError, match="broadcast"):
        names["Normalize"]((0.5,) * 3, (0.5,) * 3)(image)  # three means for one channel
    with pytest.raises(TypeError, match="float"):
        names["Normalize"]((0.5,), (0.5,))(torch.zeros(1, 2, 2, dtype=torch.uint8))


def test_second_version(vision, picture):
    v2 = vision["torchvision.transforms.v2"]
    prepare = v2["Compose"]([v2["ToImage"](), v2["ToDtype"](torch.float32, scale=True)])
    tensor = prepare(picture)
    assert tensor.dtype == torch.float32
    assert 0 <= tensor.min() <= tensor.max() <= 1
    assert v2["ToDtype"](torch.float32)(v2["ToImage"]()(picture)).max() > 1


def test_preparation_of_trained_networks(vision, picture):
    weights = vision["torchvision.models"]["ResNet50_Weights"]
    assert weights.DEFAULT is weights.IMAGENET1K_V2
    assert weights.DEFAULT.transforms()(picture).shape == (3, 224, 224)


def test_in_a_sequential(vision):
    names = vision["torchvision.transforms"]
    both = torch.nn.Sequential(names["CenterCrop"](4), names["RandomHorizontalFlip"]())
    assert both(torch.rand(2, 3, 8, 8)).shape == (2, 3, 4, 4)
