"""`keras.preprocessing.image`: batches of images, changed a little at random.

Source of the behaviour: `keras.preprocessing.image` of Keras 2.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.core.dtypes import floatx
from cornu.core.image import image_data_format
from cornu.core.reporting import warn
from cornu.dialects.preprocessing.image_batches import DirectoryIterator, ImageIterator
from cornu.utils import array_to_img, img_to_array, load_img, save_img

__all__ = [
    "DirectoryIterator",
    "ImageDataGenerator",
    "ImageIterator",
    "array_to_img",
    "img_to_array",
    "load_img",
    "save_img",
]

# added to a standard deviation, so that a constant image is not divided by 0
_TINY = 1e-6


class ImageDataGenerator:
    """Makes batches of images: scaled, normalized, and turned, moved, mirrored at random.

    Args:
        featurewise_center, featurewise_std_normalization: whether to take off the mean of each
            channel over the data that `fit` was given, and divide by its standard deviation.
        samplewise_center, samplewise_std_normalization: the same for each image by its own.
        zca_whitening: not supported.
        rotation_range: degrees.
        width_shift_range, height_shift_range: a share of the size where below 1, else pixels; or
            a list of distances to choose from.
        brightness_range: pair of factors.
        shear_range: degrees.
        zoom_range: pair of factors, or the distance of both from 1.
        channel_shift_range: how much is added to the values at most.
        fill_mode: "nearest", "constant" (`cval`), "reflect" or "wrap", for what comes from outside.
        horizontal_flip, vertical_flip: whether half of the images are mirrored.
        rescale: factor of the values, before everything but `preprocessing_function`.
        preprocessing_function: from an image to an image of the same shape.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        validation_split: share of the images that are the subset "validation".
        interpolation_order: of the spline that pixels are taken from. Default 1, linear.

    Raises ValueError for arguments that do not fit or are not supported.

    >>> images = np.full((4, 8, 8, 3), 255.0)
    >>> x, y = ImageDataGenerator(rescale=1 / 255).flow(images, np.arange(4), batch_size=2)[0]
    >>> x.shape, float(x.max()), y.shape
    ((2, 8, 8, 3), 1.0, (2,))
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: tuple[float, float] | None = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
        dim_ordering: str | None = None,
    ):
        if zca_whitening:
            raise ValueError("ImageDataGenerator(zca_whitening=True): it is not supported")
        if not 0 <= validation_split < 1:
            raise ValueError(
                f"ImageDataGenerator(validation_split={validation_split}): expected a share from 0 "
                "to 1"
            )
        # a division by the deviation without the mean taken off is not offered
        self.featurewise_center = featurewise_center or featurewise_std_normalization
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_center = samplewise_center or samplewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.brightness_range = brightness_range
        if isinstance(zoom_range, (int, float)):
            zoom_range = (1 - zoom_range, 1 + zoom_range)
        self.zoom_range = tuple(zoom_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval = fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        if dim_ordering in ("tf", "th"):
            data_format = "channels_last" if dim_ordering == "tf" else "channels_first"
        self.data_format = data_format or image_data_format()
        self.validation_split = validation_split
        self.interpolation_order = interpolation_order
        self.dtype = dtype or floatx()
        self.mean: np.ndarray | None = None
        self.std: np.ndarray | None = None

    # -- batches ---------------------------------------------------------------------------------

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> ImageIterator:
        """Batches of images that are in memory.

        Args:
            x: (images, rows, columns, channels).
            y: labels (images, ...), or None for batches without.
            batch_size: images in a batch. Default 32.
            shuffle: whether each pass takes them in another order. Default True.
            sample_weight: (images,), or None.
            seed: of the order and of all changes.
            save_to_dir: accepted only as `None`.
            subset: "training" or "validation", or None for both.

        Raises ValueError where the shapes do not fit.
        """
        if save_to_dir is not None:
            raise ValueError("ImageDataGenerator.flow(save_to_dir=...): it is not supported")
        x = np.asarray(x, self.dtype)
        if x.ndim != 4:
            raise ValueError(
                "ImageDataGenerator.flow: expected images (images, rows, columns, channels), "
                f"received {x.shape}"
            )
        arrays = [None if one is None else np.asarray(one) for one in (y, sample_weight)]
        for one in arrays:
            if one is not None and len(one) != len(x):
                raise ValueError(
                    f"ImageDataGenerator.flow: {len(x)} images, {len(one)} labels or weights"
                )
        part = self.subset(len(x), subset)
        rest = [one[part] for one in arrays if one is not None]
        images = x[part]
        return ImageIterator(self, images.__getitem__, len(images), rest, batch_size, shuffle, seed)

    def flow_from_directory(
        self,
        directory: str | os.PathLike,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: list[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Batches of images in files, a folder for each class.

        Args:
            directory: the folder of the classes' folders.
            target_size, color_mode, interpolation, keep_aspect_ratio: as for `load_img`.
            classes: names of the folders in the order of their numbers. Default `None`, all by
                name.
            class_mode: labels: "categorical" one-hot, "binary" and "sparse" numbers, "input" the
                images themselves, None none.
            batch_size, shuffle, seed, subset: as for `flow`.

        Raises:
            FileNotFoundError: there is no such folder.
            ValueError: another class mode.
        """
        if save_to_dir is not None:
            raise ValueError("flow_from_directory(save_to_dir=...): it is not supported")

        def read(path: str) -> np.ndarray:
            image = load_img(path, color_mode, target_size, interpolation, keep_aspect_ratio)
            return img_to_array(image, self.data_format, self.dtype)

        return DirectoryIterator(
            self, directory, read, classes, class_mode, batch_size, shuffle, seed, subset
        )

    def flow_from_dataframe(self, *args: Any, **kwargs: Any) -> Any:
        """Not supported: raises NotImplementedError."""
        raise NotImplementedError(
            "ImageDataGenerator.flow_from_dataframe: it is not supported; read the images with "
            "load_img and img_to_array, and give them to flow"
        )

    def subset(self, count: int, name: str | None) -> slice:
        """Which of `count` images are a subset: the first ones are those for validation."""
        if name not in (None, "training", "validation"):
            raise ValueError(f"subset={name!r}: expected 'training', 'validation' or None")
        split = int(count * self.validation_split)
        return {None: slice(None), "validation": slice(split), "training": slice(split, None)}[name]

    # -- one image -------------------------------------------------------------------------------

    @property
    def _axes(self) -> tuple[int, int, int]:
        """The axes of rows, columns and channels in one image."""
        return (0, 1, 2) if self.data_format == "channels_last" else (1, 2, 0)

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Learns the mean and the standard deviation of the channels.

        Args:
            x: (images, rows, columns, channels).
            augment: whether to learn them from images changed at random, `rounds` times each.
            seed: of these changes.
        """
        x = np.array(x, self.dtype)
        if x.ndim != 4:
            raise ValueError(f"ImageDataGenerator.fit: expected four axes, received {x.shape}")
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.stack([self.random_transform(one) for _ in range(rounds) for one in x])
        rows, columns, _ = self._axes
        axes = (0, rows + 1, columns + 1)
        if self.featurewise_center:
            self.mean = x.mean(axis=axes, keepdims=True)[0]
        if self.featurewise_std_normalization:
            self.std = x.std(axis=axes, keepdims=True)[0]

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """One image, scaled and normalized."""
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x = x * self.rescale
        if self.samplewise_center:
            x = x - np.mean(x)
        if self.samplewise_std_normalization:
            x = x / (np.std(x) + _TINY)
        if self.featurewise_center:
            if self.mean is None:
                warn(
                    "ImageDataGenerator: nothing is known of the data's mean; call "
                    "fit(images) before flow",
                )
            else:
                x = x - self.mean
        if self.featurewise_std_normalization and self.std is not None:
            x = x / (self.std + _TINY)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """One image, changed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def get_random_transform(self, img_shape: tuple, seed: int | None = None) -> dict:
        """How to change an image: what `apply_transform` takes, drawn at random."""
        if seed is not None:
            np.random.seed(seed)
        rows, columns, _ = self._axes
        uniform = np.random.uniform
        low, high = self.zoom_range
        zoom = (1, 1) if low == high == 1 else uniform(low, high, 2)
        shift, brightness = self.channel_shift_range, self.brightness_range
        return {
            "theta": uniform(-self.rotation_range, self.rotation_range),
            "tx": _distance(self.height_shift_range, img_shape[rows]),
            "ty": _distance(self.width_shift_range, img_shape[columns]),
            "shear": uniform(-self.shear_range, self.shear_range),
            "zx": zoom[0],
            "zy": zoom[1],
            "flip_horizontal": bool(self.horizontal_flip and np.random.random() < 0.5),
            "flip_vertical": bool(self.vertical_flip and np.random.random() < 0.5),
            "channel_shift_intensity": uniform(-shift, shift) if shift else None,
            "brightness": None if brightness is None else uniform(*brightness),
        }

    def apply_transform(self, x: np.ndarray, transform_parameters: dict) -> np.ndarray:
        """One image, changed in a given way.

        Args:
            x: (rows, columns, channels).
            transform_parameters: `theta` and `shear` in degrees, `tx` and `ty` pixels down and to
                the right, `zx` and `zy` factors, `flip_horizontal`, `flip_vertical`,
                `channel_shift_intensity` and `brightness`.
        """
        wanted = transform_parameters
        rows, columns, channels = self._axes
        x = self._moved(np.moveaxis(x, channels, 0), wanted)
        intensity = wanted.get("channel_shift_intensity")
        if intensity is not None:
            x = np.clip(x + intensity, x.min(), x.max())
        x = np.moveaxis(x, 0, channels)
        if wanted.get("flip_horizontal"):
            x = np.flip(x, columns)
        if wanted.get("flip_vertical"):
            x = np.flip(x, rows)
        if wanted.get("brightness") is not None:
            x = self._brighter(x, wanted["brightness"])
        return x

    def _moved(self, x: np.ndarray, wanted: dict) -> np.ndarray:
        """(channels, rows, columns) turned, moved, sheared and zoomed about its middle."""
        turn, shear = (math.radians(wanted.get(name, 0)) for name in ("theta", "shear"))
        down, right = wanted.get("tx", 0), wanted.get("ty", 0)
        zoom = wanted.get("zx", 1), wanted.get("zy", 1)
        if not (turn or shear or down or right) and tuple(zoom) == (1, 1):
            return x
        from scipy import ndimage

        # in Keras' matrices columns come first where SciPy has rows; the order of the steps, from
        # the result back to the image, is: turn, move, shear, zoom
        sin, cos = math.sin(turn), math.cos(turn)
        matrix = (
            np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
            @ np.array([[1, 0, down], [0, 1, right], [0, 0, 1]])
            @ np.array([[1, -math.sin(shear), 0], [0, math.cos(shear), 0], [0, 0, 1]])
            @ np.diag([*zoom, 1.0])
        )
        middle = np.array([size / 2 - 0.5 for size in x.shape[1:]])
        offset = matrix[:2, 2] + middle - matrix[:2, :2] @ middle
        swapped = np.array([[0, 1], [1, 0]])
        linear, offset = swapped @ matrix[:2, :2] @ swapped, swapped @ offset
        return np.stack(
            [
                ndimage.affine_transform(
                    one,
                    linear,
                    offset,
                    order=self.interpolation_order,
                    mode=self.fill_mode,
                    cval=self.cval,
                )
                for one in x
            ]
        )

    def _brighter(self, x: np.ndarray, factor: float) -> np.ndarray:
        from PIL import ImageEnhance

        low, high = x.min(), x.max()
        outside = low < 0 or high > 255  # of what an 8-bit image holds
        image = array_to_img(x, self.data_format, scale=bool(outside))
        changed = img_to_array(ImageEnhance.Brightness(image).enhance(factor), self.data_format)
        return changed / 255 * (high - low) + low if outside else changed


def _distance(wanted: Any, size: int) -> float:
    """How far to move along an axis of a size."""
    if not np.any(wanted):
        return 0.0
    if np.ndim(wanted) or isinstance(wanted, (int, np.integer)):
        # one of a list of distances, or of those below a number of pixels
        found = np.random.choice(wanted) * np.random.choice([-1, 1])
    else:
        found = np.random.uniform(-wanted, wanted)
    return float(found * size if np.max(wanted) < 1 else found)
