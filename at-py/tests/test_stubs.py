"""What is told of the extension, to people and to type checkers, is what is there."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import numpy as np

import asyt
from asyt import _asyt, _types

STUB = Path(asyt.__file__).with_name("_asyt.pyi")


def public(thing):
    return [name for name in vars(thing) if not name.startswith("_")]


def described():
    """Every name in the stub: `Model`, `Model.forward`, `convert`, with its node."""
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{own.name}", own) for own in node.body if isinstance(own, ast.FunctionDef))


def test_every_name_of_the_extension_has_a_stub_and_a_docstring():
    known = dict(described())
    for name in _asyt.__all__:
        thing = getattr(_asyt, name)
        own = [(name, thing)] + [(f"{name}.{part}", getattr(thing, part)) for part in (public(thing) if isinstance(thing, type) else [])]
        for full, part in own:
            assert full in known, f"{full} has no stub"
            assert (part.__doc__ or "").strip(), f"{full} has no docstring"


def test_no_stub_leaves_open_what_it_takes_and_gives():
    assert "Any" not in {node.id for node in ast.walk(ast.parse(STUB.read_text())) if isinstance(node, ast.Name)}
    for name, node in described():
        if isinstance(node, ast.FunctionDef):
            given = [argument for argument in node.args.posonlyargs + node.args.args if argument.arg not in ("self", "cls")]
            assert node.returns is not None and all(argument.annotation for argument in given), f"{name} leaves a type open"


def test_every_public_word_of_the_package_has_a_docstring():
    for name in asyt.__all__:
        thing = getattr(asyt, name)
        assert (thing.__doc__ or "").strip(), f"asyt.{name} has no docstring"
        for part in (public(thing) if isinstance(thing, type) else []):
            own = getattr(thing, part)
            assert not (callable(own) or isinstance(own, property)) or (own.__doc__ or "").strip(), f"asyt.{name}.{part}"


def test_stubs_name_what_there_is_with_its_parameters():
    pytest.importorskip("mypy", reason="mypy is not installed")
    checked = subprocess.run([sys.executable, "-m", "mypy.stubtest", "asyt._asyt"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def known(work):
    """The words that an error says are known."""
    with pytest.raises(asyt.UsageError) as refused:
        work()
    return set(re.findall(r"[\w-]+", re.split("known(?: conventions)?: ", str(refused.value))[1]))


def test_literals_are_the_words_that_the_program_knows():
    phases = asyt.Phases(np.zeros(16), 4)
    assert known(lambda: asyt.train(method="nonsense")) == set(get_args(_types.Method))
    assert known(lambda: asyt.decompose(np.eye(4), layout="nonsense")) == set(get_args(_types.Layout))
    assert known(lambda: asyt.convert(phases, "nonsense")) == set(get_args(_types.Convention))
    assert known(lambda: asyt.Chip("mesh:4", precision="nonsense")) == set(get_args(_types.Precision))


def test_results_and_facts_have_the_keys_that_their_types_say():
    run = asyt.train("bank:in-12-out", data="iris", method=["at", "spsa"], epochs=1, progress=False)
    for result in run.results:
        assert set(result) >= _types.Result.__required_keys__ and set(result) <= set(_types.Result.__annotations__) | _types.Result.__required_keys__
        assert set(result["accesses"]) == set(_types.Accesses.__required_keys__)
    assert set(asyt.Chip("mesh:4").facts) == set(_types.Facts.__annotations__)
