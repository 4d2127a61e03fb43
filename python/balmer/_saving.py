"""Models on disk: text with data and no code, written so that a kill at any moment leaves a whole file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import warnings
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from balmer._results import SearchRecord
from balmer._uncertainty import Uncertainty
from balmer.expression import Expression, _rebuild
from balmer.losses import Loss
from balmer.selection import Front, FrontRow
from balmer.templates import TemplateExpressionSpec

__all__ = ["CHECKPOINT", "Saving", "model_text", "write_atomically"]

CHECKPOINT = "checkpoint.json"
_FORMAT = "balmer-model"
_VERSION = 1

_RECORDS: dict[str, Any] = {
    "row": FrontRow,
    "record": SearchRecord,
    "template": TemplateExpressionSpec,
    "uncertainty": Uncertainty,
}

_Model = TypeVar("_Model", bound="Saving")


class _NotStorableError(TypeError):
    """A value that no file can hold without code, such as a function."""


def _encoded(value: Any) -> Any:
    """Return a value as JSON has it; kinds that JSON lacks become an object with one key, the kind."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return _encoded(value.item())
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_encoded(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_encoded(key), _encoded(item)] for key, item in value.items()]}
    if isinstance(value, np.ndarray):
        return {"array": {"dtype": value.dtype.str, "values": _encoded(value.tolist())}}
    if isinstance(value, Expression):
        return {"expression": _encoded(list(value.__reduce__()[1]))}
    for kind, cls in _RECORDS.items():
        if isinstance(value, cls):
            return {kind: {f.name: _encoded(getattr(value, f.name)) for f in dataclasses.fields(value)}}
    if isinstance(value, Front):
        kind = "linear_front" if value.loss_scale == "linear" else "front"
        return {kind: [_encoded(row) for row in value]}
    if isinstance(value, Loss):
        return {"loss": [value.text, list(value._operators)]}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise _NotStorableError(f"a file cannot hold {value!r}")


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tuple":
        return tuple(_decoded(content))
    if kind == "dict":
        return {_key(_decoded(key)): _decoded(item) for key, item in content}
    if kind == "array":
        return np.array(_decoded(content["values"]), dtype=np.dtype(content["dtype"]))
    if kind == "expression":
        return _rebuild(*_decoded(content))
    if kind in _RECORDS:
        known = {f.name for f in dataclasses.fields(_RECORDS[kind])}
        return _RECORDS[kind](**{name: _decoded(item) for name, item in content.items() if name in known})
    if kind in ("front", "linear_front"):
        return Front.of_rows(_decoded(content), "linear" if kind == "linear_front" else "log")
    if kind == "loss":
        return Loss(*content)
    raise ValueError(f"unknown kind {kind!r}")


def _key(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key


def _storable(values: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return what a file can hold of `values`, and the names of the rest."""
    stored, left_out = {}, []
    for name, value in values.items():
        try:
            stored[name] = _encoded(value)
        except _NotStorableError:  # noqa: PERF203
            left_out.append(name)
    return stored, left_out


def model_text(model: Any, **changed: Any) -> str:
    """Return the text of a model: parameters and fitted attributes, some of them `changed`."""
    from balmer import __version__

    params, left_out = _storable(model.get_params(deep=False))
    attributes = {name: value for name, value in vars(model).items() if name.endswith("_") and name[0] != "_"}
    fitted, _ = _storable({**attributes, **changed})
    content = json.dumps({"params": params, "left_out": left_out, "fitted": fitted}, separators=(",", ":"))
    checksum = hashlib.sha256(content.encode()).hexdigest()
    head = json.dumps({"format": _FORMAT, "version": _VERSION, "balmer": __version__, "sha256": checksum})
    return f"{head}\n{content}\n"


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that at any moment either it or its backup ``<name>.bak`` is whole."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        path.replace(path.with_name(path.name + ".bak"))
    fresh.replace(path)


def _read(path: Path) -> dict[str, Any]:
    """Return the content of a file.

    Raises
    ------
    ValueError
        If it is cut off, damaged, or not a model.
    """
    head_text, _, content = path.read_text(encoding="utf-8").partition("\n")
    try:
        head = json.loads(head_text)
        assert head["format"] == _FORMAT
    except (ValueError, KeyError, TypeError, AssertionError):
        raise ValueError(f"{path} is not a model that balmer saved, or its first line is damaged") from None
    if head["version"] != _VERSION:
        raise ValueError(
            f"{path} has format {head['version']}; this version of balmer reads format {_VERSION}"
        )
    content = content.removesuffix("\n")
    if hashlib.sha256(content.encode()).hexdigest() != head["sha256"]:
        raise ValueError(f"{path} is cut off or damaged: its checksum does not fit")
    loaded: dict[str, Any] = json.loads(content)
    return loaded


def _read_or_backup(path: Path) -> dict[str, Any]:
    backup = path.with_name(path.name + ".bak")
    try:
        return _read(path)
    except (ValueError, FileNotFoundError) as error:
        if not backup.exists():
            if isinstance(error, FileNotFoundError):
                raise FileNotFoundError(f"there is no file {path}, and no backup {backup.name}") from None
            raise ValueError(f"{error}; there is no backup {backup.name}") from None
        try:
            content = _read(backup)
        except ValueError as second:
            raise ValueError(f"{error}; the backup is no better: {second}") from None
        warnings.warn(f"{error}; the backup {backup.name} is used", RuntimeWarning, stacklevel=3)
        return content


class Saving:
    """The part of an estimator that goes to disk and comes back."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model, fitted or not, to a file that `load` reads.

        The file is text (JSON) and holds no code. Parameters that are functions are left out; give them to
        `load` again. What was at `path` becomes ``<path>.bak``.

        Parameters
        ----------
        path : str or path
        """
        write_atomically(Path(path), model_text(self))

    @classmethod
    def load(cls: type[_Model], path: str | os.PathLike[str], **params: Any) -> _Model:
        """Read a model that `save` or a checkpoint wrote. No code of the file is run.

        Parameters
        ----------
        path : str or path
            The file, or the folder of a run, which holds ``checkpoint.json``.
        **params
            Parameters that shall be others than those in the file, and functions, which it cannot hold.

        Returns
        -------
        model : SymbolicRegressor
            With the front as far as it was found. `resume` brings an interrupted fit to its end.

        Raises
        ------
        ValueError
            If the file is cut off or damaged and there is no good backup beside it.

        Warns
        -----
        RuntimeWarning
            If the backup is used; if functions are missing.
        """
        place = Path(path)
        content = _read_or_backup(place / CHECKPOINT if place.is_dir() else place)
        try:
            stored = {name: _decoded(value) for name, value in content["params"].items()}
            fitted = {name: _decoded(value) for name, value in content["fitted"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{place} holds something that this version of balmer does not know: {error}"
            ) from None
        missing = [name for name in content["left_out"] if name not in params]
        if missing:
            warnings.warn(
                f"{place} holds no functions: give {', '.join(missing)} to load if they are still needed",
                RuntimeWarning,
                stacklevel=2,
            )
        model = cls(**{**stored, **params})
        vars(model).update(fitted)
        return model

    @classmethod
    def from_file(cls: type[_Model], *, run_directory: str | os.PathLike[str], **params: Any) -> _Model:
        """Read the checkpoint in the folder of a run: `load` under the name that PySR gives it."""
        return cls.load(Path(run_directory), **params)
