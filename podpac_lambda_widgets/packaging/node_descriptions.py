"""What the guard must know of a node class: its attributes, and what kind of value each may have.

The same rules describe podpac's own nodes (``remote/allowlist.json``) and those of a plugin
(``podpac_lambda_nodes.json`` in an archive). The kinds are those of ``podpac_lambda_widgets.remote.attributes``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import traitlets

#: How a source is checked, by the nearest of podpac's classes: GDAL and aiohttp follow redirects that nobody can hold,
#: and Zarr takes letters from its own.
LOCATIONS = {
    "CSV": "location",
    "Dataset": "location",
    "Rasterio": "bucket_location",
    "Zarr": "zarr_location",
    "BaseFileSource": "bucket_location",
}
#: What an attribute of podpac's means, where its trait type does not say.
MEANINGS = {
    "code": "code",
    "crs": "crs",
    "custom_reduce_fn": "nothing",  # a function: a definition may name it but not set it
    "eqn": "expression",
    "header": "value",
    "interpolation": "interpolation",
    "kernel_type": "kernel_type",
    "nan_val": "value",
    "params": "parameters",
    "reduce_fn": "reduce_fn",
    "resample": "frequency",
    "source_interpolation": "interpolation",
    "units": "units",
}
#: What a trait type allows; of its base classes, the nearest that is listed.
KINDS = {
    "ArrayTrait": "array",
    "Bool": "bool",
    "CaselessStrEnum": "text",
    "Dict": "dict",
    "DimsTrait": "value",
    "Enum": "value",
    "Float": "float",
    "Int": "int",
    "InterpolationTrait": "interpolation",
    "List": "list",
    "Tuple": "list",
    "Unicode": "text",
}
#: Libraries that ask other machines. A class can reach those that are names of its module.
WEB = frozenset({
    "aiohttp", "boto3", "botocore", "fsspec", "ftplib", "http", "httpx", "owslib", "pydap", "requests", "s3fs",
    "socket", "urllib.request", "urllib3",
})  # fmt: skip
_DIMENSIONS = ("lat", "lon", "alt", "time")


@dataclass(frozen=True)
class NodeDescription:
    """One node class as the guard sees it.

    Attributes
    ----------
    attrs : dict of str to str
        Attribute name to kind.
    free_inputs : bool
        Whether any other name may be an input (``Arithmetic`` and its like).
    unsafe : bool
        Whether it runs code that its definition brings.
    asks_web : bool
        Whether it can ask other machines, so far as its module and those of its bases show.
    left_out : tuple of str
        Attributes that no kind fits; a definition may not set them.
    """

    attrs: dict[str, str]
    free_inputs: bool = False
    unsafe: bool = False
    asks_web: bool = False
    left_out: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The description as the guard reads it; a flag is there only where it is true."""
        flags = {"free_inputs": self.free_inputs, "unsafe": self.unsafe, "asks_web": self.asks_web}
        return {"attrs": dict(self.attrs), **{name: True for name, is_set in flags.items() if is_set}}


def describe_node(node: type[traitlets.HasTraits]) -> NodeDescription:
    """Describe a node class; podpac must be installed.

    Parameters
    ----------
    node : type
        A subclass of ``podpac.Node``. Its attributes are the traits tagged ``attr=True``.
    """
    from podpac.core.algorithm.generic import Generic, GenericInputs

    traits = {name: trait for name, trait in sorted(node.class_traits().items()) if trait.metadata.get("attr")}
    kinds = {name: find_kind(name, trait, node) for name, trait in traits.items()}
    return NodeDescription(
        {name: kind for name, kind in kinds.items() if kind},
        free_inputs=issubclass(node, GenericInputs),
        unsafe=issubclass(node, Generic),
        asks_web=can_ask_web(node),
        left_out=tuple(name for name, kind in kinds.items() if not kind),
    )


def find_kind(name: str, trait: traitlets.TraitType[Any, Any], node: type[traitlets.HasTraits]) -> str:
    """The kind of value that attribute `name` of `node` takes; empty if none fits."""
    from podpac.core.algorithm.coord_select import ModifyCoordinates

    if any(name in base.class_traits() for base in _podpac_classes(node)):
        if name == "source" and isinstance(trait, traitlets.Unicode):
            found = (LOCATIONS[base.__name__] for base in _podpac_classes(node) if base.__name__ in LOCATIONS)
            return next(found, "text")
        if name in MEANINGS:
            return MEANINGS[name]
        if name in _DIMENSIONS and issubclass(node, ModifyCoordinates):
            return "selection"
    return _kind_of_values(trait)


def can_ask_web(node: type) -> bool:
    """Whether the module of a class, or of one of its bases, has a library of ``WEB`` or a part of one among its names.

    What a module imports inside a function is not seen; no module of podpac's nodes imports such a library there.
    """
    modules = (sys.modules.get(base.__module__) for base in node.__mro__)
    return any(_is_of_web(value) for module in modules if module for value in list(vars(module).values()))


def _is_of_web(value: object) -> bool:
    # Asked in this way, a module that podpac imports on first use is not imported.
    if isinstance(value, ModuleType):
        name = ModuleType.__getattribute__(value, "__name__")
    else:
        name = getattr(value, "__module__", "")
    parts = name.split(".") if isinstance(name, str) else []
    return any(".".join(parts[:length]) in WEB for length in (1, 2))


def _podpac_classes(node: type) -> list[type[traitlets.HasTraits]]:
    return [
        base
        for base in node.__mro__
        if base.__module__.partition(".")[0] == "podpac" and issubclass(base, traitlets.HasTraits)
    ]


def _kind_of_values(trait: Any) -> str:
    classes = _instance_classes(trait)
    if "Node" in classes:
        return "coordinates_or_node" if "Coordinates" in classes else "node"
    if "Coordinates" in classes:
        return "coordinates"
    items = getattr(trait, "_trait", None) or getattr(trait, "_value_trait", None)
    if isinstance(trait, traitlets.List | traitlets.Tuple | traitlets.Dict) and "Node" in _instance_classes(items):
        return "nodes"
    names = (base.__name__ for base in type(trait).__mro__)
    kind = next((KINDS[name] for name in names if name in KINDS), "")
    if kind or not isinstance(trait, traitlets.Union):
        return kind
    return "value" if all(_kind_of_values(part) for part in trait.trait_types) else ""


def _instance_classes(trait: Any) -> set[str]:
    """Which of ``Node`` and ``Coordinates`` a trait, or a part of a union, holds."""
    import podpac

    found = set()
    for part in trait.trait_types if isinstance(trait, traitlets.Union) else [trait]:
        held = part.klass if isinstance(part, traitlets.Instance) else None
        if isinstance(held, type):
            found |= {base.__name__ for base in (podpac.Node, podpac.Coordinates) if issubclass(held, base)}
    return found
