"""Imports that are made on first use: a module does what it did before, and imports less when it starts."""

from __future__ import annotations

import importlib.util
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import BuildError
from podpac_lambda_widgets.packaging.imports import DEFERRED, defer_imports, rewrite_module

#: A package with a module in it, as source.
FAR = {
    "far/__init__.py": (
        "VALUE = 1\nNAMES = [2, 3]\nclass Error(Exception): pass\ndef mark(f): f.marked = True; return f\n"
    ),
    "far/inner.py": "VALUE = 4\n",
    "farther.py": "VALUE = 5\n",
}
DEFER = ("far",)


@pytest.fixture(autouse=True, scope="module")
def _far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The package can be imported."""
    folder = tmp_path_factory.mktemp("far")
    for name, source in FAR.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(source)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("far", "farther")]:
        del sys.modules[name]


def load(source: str) -> ModuleType:
    """Run a module's source, with nothing of the package imported before."""
    _forget()
    module = ModuleType("module")
    sys.modules["module"] = module
    try:
        exec(compile(source, "module", "exec", dont_inherit=True), module.__dict__)
    finally:
        del sys.modules["module"]
    return module


def both(source: str) -> tuple[ModuleType, ModuleType, bool]:
    """The module as it is and rewritten, and whether the second imported the package at its start."""
    source = textwrap.dedent(source)
    plain = load(source)
    rewritten = load(rewrite_module(source, DEFER))
    return plain, rewritten, "far" in sys.modules


def names_of(module: ModuleType) -> list[str]:
    """What one sees in a module but its own two answers to being asked."""
    return [name for name in dir(module) if name not in ("__getattr__", "__dir__", "__builtins__")]


IN_FUNCTIONS = {
    "a function": "import far\ndef f(): return far.VALUE",
    "a module of the package": "import far.inner\ndef f(): return far.inner.VALUE + far.VALUE",
    "two imports of one name": "import far\nimport far.inner\ndef f(): return far.inner.VALUE",
    "another name": "import far.inner as i\ndef f(): return i.VALUE",
    "a module from the package": "from far import inner\ndef f(): return inner.VALUE",
    "a value from the package": "from far import VALUE as v, NAMES\ndef f(): return v, NAMES",
    "beside another import": "import json, far\ndef f(): return json.dumps(far.VALUE)",
    "behind a docstring and a future": (
        '"""Text."""\nfrom __future__ import division\nimport far\ndef f(): return far.VALUE'
    ),
    "an effect of another import": "import far\nfrom far import inner\ndef f(): return far.inner.VALUE",
    "in front of the import": "def f(): return far.VALUE\nimport far",
    "a lambda": "import far\nf = lambda: far.VALUE",
    "a nested function": "import far\ndef f():\n def g(): return far.VALUE\n return g()",
    "a default of a nested function": "import far\ndef f():\n def g(a=far.VALUE): return a\n return g()",
    "a decorator of a nested function": "import far\ndef f():\n @far.mark\n def g(): pass\n return g.marked",
    "an annotation of a nested function": "import far\ndef f():\n def g(a: far.VALUE): pass\n return g.__annotations__",
    "a method": "import far\nclass A:\n def g(self): return far.VALUE\ndef f(): return A().g()",
    "a class in a function": "import far\ndef f():\n class A(far.Error): value = far.VALUE\n return A.value",
    "a class with a __getattr__": (
        "import far\nclass A:\n def __getattr__(self, name): return far.VALUE\ndef f(): return A().x"
    ),
    "a list": "import far\ndef f(): return [far.VALUE + n for n in far.NAMES if n > far.VALUE]",
    "a set, a dict, a generator": (
        "import far\n"
        "def f(): return {far.VALUE}, {n: far.VALUE for n in (1, 2)}, sum(far.VALUE for n in (1, 2))"
    ),
    "a generator function": "import far\ndef g():\n yield far.VALUE\n yield from far.NAMES\ndef f(): return list(g())",
    "a formatted text": "import far\ndef f(): return f'{far.VALUE!r:>{far.VALUE}} far'",
    "what is caught": "import far\ndef f():\n try: raise far.Error\n except far.Error: return far.VALUE",
    "blocks": "import far\ndef f():\n for n in far.NAMES:\n  while n:\n   if far: return far.VALUE",
    "a guard": "import far\ndef f():\n match 1:\n  case n if far.VALUE == n: return 'one'",
    "an attribute and a keyword of that name": (
        "import far\ndef g(**a): return a\nclass A: pass\ndef f():\n A.far = far.VALUE\n"
        " return g(far=A.far)"
    ),
    "an assignment to its attribute": "import far\ndef f():\n far.VALUE2 = 7\n return far.VALUE2",
    "a coroutine": (
        "import far\nasync def g(): return far.VALUE\ndef f():\n try: g().send(None)\n"
        " except StopIteration as stop: return stop.value"
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("source", IN_FUNCTIONS.values(), ids=IN_FUNCTIONS.keys())
def test_a_name_that_functions_use_is_imported_when_one_runs(source: str) -> None:
    plain, rewritten, early = both(source)
    assert not early
    assert names_of(rewritten) == names_of(plain)
    assert "far" not in sys.modules
    expected = plain.f()
    assert repr(rewritten.f()) == repr(expected)
    assert repr(rewritten.f()) == repr(expected), "the second time, too"
    assert "far" in sys.modules


WHILE_IMPORTED = {
    "a decorator": "import far\n@far.mark\ndef f(): return f.marked",
    "a default argument": "import far\ndef f(a=far.VALUE): return a",
    "an annotation": "import far\ndef f(a: far.VALUE = 1): return f.__annotations__",
    "a base class": "import far\nclass A(far.Error): pass\ndef f(): return A.__bases__[0].__name__",
    "a class body": "import far\nclass A:\n value = [far.VALUE for _ in (1, 2)]\ndef f(): return A.value",
    "a list": "import far\nvalues = [far.VALUE for _ in (1, 2)]\ndef f(): return values",
    "a statement": "import far\nvalue = far.VALUE\ndef f(): return value, far.VALUE",
}


@pytest.mark.parametrize("source", WHILE_IMPORTED.values(), ids=WHILE_IMPORTED.keys())
def test_a_name_that_is_used_at_the_start_is_imported_then(source: str) -> None:
    plain, rewritten, early = both(source)
    assert early
    assert names_of(rewritten) == names_of(plain)
    assert repr(rewritten.f()) == repr(plain.f())


LEFT_ALONE = {
    "tried": "try:\n import far\nexcept ImportError:\n far = None\ndef f(): return far",
    "tried, with nothing instead": "try:\n import far\nexcept ImportError:\n pass\ndef f(): return far",
    "tried again elsewhere": "import far\ntry:\n import far.inner\nexcept ImportError:\n pass\ndef f(): return far",
    "conditional": "if True:\n import far\ndef f(): return far",
    "in a function": "def f():\n import far\n return far",
    "also in a function": "import far\ndef f():\n import far\n return far",
    "also in a function, from elsewhere": "import far\ndef f():\n from farther import VALUE as far\n return far",
    "assigned": "import far\nfar = 1\ndef f(): return far",
    "assigned by a function": "import far\ndef f():\n global far\n far = 1\n return far",
    "declared global": "import far\ndef f():\n global far\n return far",
    "deleted": "import far\nx = far\ndel far\ndef f(): return x",
    "counted up": "from far import VALUE\nVALUE += 1\ndef f(): return VALUE",
    "a parameter": "import far\ndef f(far=1): return far",
    "a parameter of a lambda": "import far\nf = lambda far=1: far",
    "a variable of a function": "import far\ndef f():\n far = 1\n def g(): return far\n return g()",
    "a variable of a loop": "import far\ndef f():\n for far in (1, 2): pass\n return far",
    "a variable of a list": "import far\ndef f(): return [far for far in (1, 2)]",
    "a variable in an expression": "import far\ndef f(): return (far := 1)",
    "a variable in a list of the module": "import far\nx = [far := 1 for _ in (1, 2)]\ndef f(): return far",
    "what is caught": "import far\ndef f():\n try: raise ValueError\n except ValueError as far: return str(far)",
    "what is opened": "import far, io\ndef f():\n with io.StringIO('x') as far: return far.read()",
    "what is matched": "import far\ndef f():\n match 1:\n  case far: return far",
    "a name in a class": "import far\nclass A: far = far\ndef f(): return A.far.VALUE",
    "a function": "import far\ndef far(): return 1\ndef f(): return far()",
    "a class": "import far\nclass far: VALUE = 1\ndef f(): return far.VALUE",
    "a pattern": "import far\ndef f():\n match 1:\n  case far.VALUE: return 'one'",
    "annotations as text": (
        "from __future__ import annotations\nimport far\ndef f(a: far.VALUE = 1): return f.__annotations__"
    ),
    "a class that answers for itself": (
        "import far\nclass A:\n def __getattr__(self, name): return 1\n x = far\ndef f(): return A.x"
    ),
    "all names": "from far import *\ndef f(): return VALUE",
    "beside all names": "import far\nfrom farther import *\ndef f(): return far",
    "another package": "import farther\ndef f(): return farther.VALUE",
}  # fmt: skip


@pytest.mark.parametrize("source", LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_a_name_that_is_bound_by_something_else_too_is_left_alone(source: str) -> None:
    load(source).f()
    assert rewrite_module(source, DEFER) == source


#: Keeps its import, for it binds the name twice; what the others load into the package is then seen later, or never.
KEPT = "try: import far\nexcept ImportError: far = None"
LOADING = {"import far.inner", "from far import inner", "import far.inner as value"}

SNIPPETS = (
    "import far",
    "import far.inner",
    "from far import inner",
    "from far import VALUE",
    "from far import VALUE as value",
    "import far.inner as value",
    "import farther, far",
    "inner = 3",
    "def VALUE(): return 8",
    "class value: pass",
    KEPT,
    "if True: from far import NAMES",
    "def f{n}(): return far.VALUE",
    "def f{n}(): return far.inner.VALUE, inner",
    "def f{n}(VALUE=2): return VALUE, [inner for _ in (1, 2)]",
    "def f{n}(): return VALUE, value",
    "def f{n}():\n value = 1\n return [VALUE for value in (value, 2)], (lambda: inner)()",
    "def f{n}():\n global inner\n inner = 9\n return inner",
    "def f{n}():\n class A:\n  VALUE = VALUE\n return A.VALUE",
    "def f{n}():\n import farther as value\n return value.VALUE",
    "def f{n}():\n try: return NAMES\n except NameError: return far",
    "class A{n}:\n @staticmethod\n def f(): return VALUE, inner\nf{n} = A{n}.f",
    "f{n} = lambda inner=4: (inner, value)",
)


def describe(value: object) -> str:
    """Without where it lies."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


def run(module: ModuleType) -> list[str]:
    """What each function answers, then each name; an error answers with its type."""
    answers = []
    for name in sorted(name for name in vars(module) if name.startswith("f") and name[1:].isdigit()):
        try:
            answers.append(f"{name}: {describe(getattr(module, name)())}")
        except (NameError, AttributeError, TypeError) as error:
            answers.append(f"{name}: {type(error).__name__}")
    values = {name: getattr(module, name) for name in names_of(module) if not name.startswith("__")}
    answers += [f"{name}: {value}" for name, value in values.items() if not callable(value)]
    return answers


@given(st.lists(st.sampled_from(SNIPPETS), max_size=8))
def test_a_module_does_what_it_did_before_whatever_it_says(snippets: list[str]) -> None:
    assume(KEPT not in snippets or LOADING.isdisjoint(snippets))
    source = "\n".join(snippet.replace("{n}", str(n)) for n, snippet in enumerate(snippets))
    plain = run(load(source))
    changed = rewrite_module(source, DEFER)
    assert run(load(changed)) == plain
    assert rewrite_module(changed, DEFER) == changed


def test_a_name_that_was_set_from_outside_is_the_one_that_is_used() -> None:
    _, module, _ = both("import far\ndef f(): return far.VALUE")
    vars(module)["far"] = ModuleType("other")
    vars(module)["far"].VALUE = 6
    assert module.f() == 6


def test_what_is_not_there_fails_when_it_is_used_and_each_time() -> None:
    module = load(rewrite_module("import far.missing\ndef f(): return far.missing", DEFER))
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match=r"far\.missing"):
            module.f()


def test_a_name_that_the_module_never_had_is_missing_in_the_same_words() -> None:
    plain, module, _ = both("import far\ndef f(): return far.VALUE")
    told = []
    for each in (plain, module):
        with pytest.raises(AttributeError) as missing:
            _ = each.nothing
        told.append(str(missing.value))
    assert told[0] == told[1]


@pytest.mark.parametrize("own", ["def __getattr__(name): raise AttributeError", "__dir__ = list"])
def test_a_module_that_answers_for_itself_stops_the_build(tmp_path: Path, own: str) -> None:
    source = f"import far\n{own}\ndef f(): return far"
    with pytest.raises(ValueError, match="of its own"):
        rewrite_module(source, DEFER)
    (tmp_path / "podpac").mkdir()
    (tmp_path / "podpac" / "a.py").write_text(source)
    with pytest.raises(BuildError, match=r"podpac/a\.py"):
        defer_imports(tmp_path, DEFER)
    assert (tmp_path / "podpac" / "a.py").read_text() == source


def test_only_what_has_something_to_defer_is_written(tmp_path: Path) -> None:
    files = {
        "podpac/a.py": "import far  # why\ndef f(): return far",
        "podpac/b.py": "x = 1  # why",
        "c.py": "import far",
    }
    for name, source in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    linked = tmp_path / "cache.py"
    linked.hardlink_to(tmp_path / "podpac" / "a.py")
    defer_imports(tmp_path, DEFER)
    changed = {name for name, source in files.items() if (tmp_path / name).read_text() != source}
    assert changed == {"podpac/a.py"}
    assert linked.read_text() == files["podpac/a.py"], "what is linked to elsewhere is replaced, not changed"


def test_every_import_that_is_deferred_has_its_reason_and_is_there() -> None:
    assert all(reason.endswith(".") for reason in DEFERRED.values())
    # Found, not imported: podpac leaves stand-ins for what is not installed in sys.modules, where other tests trip.
    found = importlib.util.find_spec("podpac")
    assert found is not None
    assert found.origin is not None
    sources = [path.read_text(encoding="utf-8") for path in Path(found.origin).parent.rglob("*.py")]
    # Our own patches make one of them.
    for name in DEFERRED.keys() - {"podpac.core.registry"}:
        last = name.rpartition(".")[2]
        assert any(rewrite_module(source, (name,)) != source for source in sources if last in source), name
