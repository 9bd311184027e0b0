"""What of torchvision PyTorch programs use most: its data sets, transformations and networks."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.check import torch_vision_models, torch_vision_names
from cornu.check.torch_vision_images import pictures, to_picture
from cornu.datasets import cifar10, cifar100, fashion_mnist, mnist

_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker"]
_CLOTHES += ["Bag", "Ankle boot"]
_THINGS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
_HUNDRED = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile
cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp
lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree
orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum
rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train
trout tulip turtle wardrobe whale willow_tree wolf woman worm
""".split()  # noqa: SIM905
_IMAGES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def contents(pretrained: Callable[[Any], None]) -> dict[str, dict[str, Any]]:
    """The modules of torchvision and what is in them.

    Args:
        pretrained: called with each network that a program asks for with trained weights.
    """
    transforms = torch_vision_names.names()
    functional = torch_vision_names.functions()
    datasets = _datasets()
    found: dict[str, dict[str, Any]] = {
        "torchvision": {"__version__": "0.20.0+stand.in"},
        "torchvision.transforms": transforms,
        "torchvision.transforms.transforms": transforms,
        "torchvision.transforms.functional": functional,
        "torchvision.transforms.v2": transforms,
        "torchvision.transforms.v2.functional": functional,
        "torchvision.datasets": datasets,
        "torchvision.utils": {"make_grid": make_grid, "save_image": lambda *a, **k: None},
    }
    for name in ("mnist", "cifar", "folder"):
        found[f"torchvision.datasets.{name}"] = datasets
    return found | torch_vision_models.contents(pretrained)


def make_grid(tensor: Any, nrow: int = 8, padding: int = 2, *args: Any, **kwargs: Any) -> Any:
    """Images side by side in one."""
    import torch
    from torch.nn import functional

    images = torch.stack(list(tensor)) if isinstance(tensor, (list, tuple)) else tensor
    images = images.reshape(-1, *images.shape[-3:]) if images.ndim > 2 else images[None, None]
    images = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
    across = min(nrow, len(images))
    down = math.ceil(len(images) / across)
    images = functional.pad(images, (padding,) * 4)
    rest = images.new_zeros(down * across - len(images), *images.shape[1:])
    grid = torch.cat([images, rest]).reshape(down, across, *images.shape[1:])
    return torch.cat([torch.cat(list(row), -1) for row in grid], -2)


# -- data sets -----------------------------------------------------------------------------------


def _datasets() -> dict[str, Any]:
    """What is in torchvision.datasets; each data set is read once."""
    from torch.utils.data import Dataset

    read: dict[Callable, Any] = {}

    class VisionDataset(Dataset):
        """A data set with a transformation of its rows and of their labels."""

        def __init__(self, root=None, transforms=None, transform=None, target_transform=None):
            self.root, self.transforms = root, transforms
            self.transform, self.target_transform = transform, target_transform

        def _transformed(self, image: Any, label: Any) -> tuple:
            if self.transforms is not None:
                return self.transforms(image, label)
            if self.transform is not None:
                image = self.transform(image)
            return image, self.target_transform(label) if self.target_transform else label

    class InMemory(VisionDataset):
        """A data set that is read as a whole."""

        load: Any
        data: Any
        classes: list[str] = []

        def __init__(
            self, root=None, train=True, transform=None, target_transform=None, download=False
        ):
            super().__init__(root, None, transform, target_transform)
            self.train = train
            if self.load not in read:
                read[self.load] = self.load()
            images, labels = read[self.load][0 if train else 1]
            self._keep(images.copy(), labels.astype(np.int64).reshape(-1))

        @property
        def class_to_idx(self) -> dict[str, int]:
            """The number of each class."""
            return {name: number for number, name in enumerate(self.classes)}

        def __len__(self) -> int:
            return len(self.data)

    class MNIST(InMemory):
        """Handwritten digits."""

        load: Any = staticmethod(mnist.load_data)
        classes = [f"{number} - {name}" for number, name in enumerate(_DIGITS)]

        def _keep(self, images: Any, labels: Any) -> None:
            import torch

            self.data, self.targets = torch.from_numpy(images), torch.from_numpy(labels)

        def __getitem__(self, index):
            return self._transformed(to_picture(self.data[index]), int(self.targets[index]))

        # what they were called at first
        train_data = test_data = property(lambda self: self.data)
        train_labels = test_labels = property(lambda self: self.targets)

    class FashionMNIST(MNIST):
        """Pictures of clothes."""

        load = staticmethod(fashion_mnist.load_data)
        classes = _CLOTHES

    class CIFAR10(InMemory):
        """Small photographs."""

        load = staticmethod(cifar10.load_data)
        classes = _THINGS

        def _keep(self, images: Any, labels: Any) -> None:
            if images.shape[-1] != 3:
                images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
            self.data, self.targets = images, labels.tolist()

        def __getitem__(self, index):
            picture, image = pictures(), self.data[index]
            image = image if picture is None else picture.fromarray(image)
            return self._transformed(image, self.targets[index])

    class CIFAR100(CIFAR10):
        """Small photographs of a hundred things."""

        load = staticmethod(cifar100.load_data)
        classes = _HUNDRED

    class DatasetFolder(VisionDataset):
        """Files in a folder for each class."""

        def __init__(
            self, root, loader, extensions=None, transform=None, target_transform=None, **kwargs
        ):
            super().__init__(root, None, transform, target_transform)
            self.loader, self.extensions = loader, extensions
            self.classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
            if not self.classes:
                raise FileNotFoundError(f"Couldn't find any class folder in {root}.")
            self.class_to_idx = {name: number for number, name in enumerate(self.classes)}
            is_valid = kwargs.get("is_valid_file") or self._is_valid
            self.samples = [
                (os.path.join(folder, file), number)
                for name, number in self.class_to_idx.items()
                for folder, _, files in sorted(os.walk(os.path.join(root, name)))
                for file in sorted(files)
                if is_valid(os.path.join(folder, file))
            ]
            if not self.samples:
                raise FileNotFoundError(f"Found no valid file in the folders of {root}.")
            self.targets = [number for _, number in self.samples]

        def _is_valid(self, path: str) -> bool:
            return self.extensions is None or path.lower().endswith(tuple(self.extensions))

        def __len__(self) -> int:
            return len(self.samples)

        def __getitem__(self, index):
            path, label = self.samples[index]
            return self._transformed(self.loader(path), label)

    class ImageFolder(DatasetFolder):
        """Images in a folder for each class."""

        def __init__(self, root, transform=None, target_transform=None, loader=None, **kwargs):
            if pictures() is None:
                raise ImportError("torchvision's ImageFolder needs Pillow; pip install pillow")
            loader = loader or _read_picture
            super().__init__(root, loader, _IMAGES, transform, target_transform, **kwargs)
            self.imgs = self.samples

    own = [VisionDataset, MNIST, FashionMNIST, CIFAR10, CIFAR100, DatasetFolder, ImageFolder]
    for cls in own:
        cls.__module__, cls.__qualname__ = "torchvision.datasets", cls.__name__
    return {cls.__name__: cls for cls in own}


def _read_picture(path: str) -> Any:
    with open(path, "rb") as file:
        return pictures().open(file).convert("RGB")
