"""Templates written for one reader: what all pages in her language share is worked out once.

Before Jinja makes code of a template, its parents and includes are put into it, and whatever rests
on what is the same everywhere (wordings, addresses, the names of assets) is replaced by what it
comes to; what is left for each page is what differs. `known` names what is shared: values, and
functions of nothing but their arguments. A name that a template gives to anything itself is its
own. Not for templates that use `super()`, or includes whose name is worked out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from itertools import chain
from typing import Any, TypeGuard

from jinja2 import Environment, nodes
from jinja2.compiler import has_safe_repr
from jinja2.runtime import Macro
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from registry.pages.template_code import CodeWriter, Escaped
from registry.pages.template_trees import alike, copied, whole

LINEAR = frozenset(("_", "url", "api"))
"""Shared functions that put their arguments into a text, each as it is."""

_HOLE = re.compile("\x00(\\w+)\x00")


class UnknownError(Exception):
    """What a node comes to is not the same on all pages."""


class Compiling(Environment):
    """An environment whose templates are made ready with what is `known`."""

    def __init__(self, **options: Any) -> None:
        """Begin with nothing known."""
        super().__init__(**options)
        self.code_generator_class = CodeWriter
        self.known: dict[str, Any] = {}
        self.escaped = Escaped()

    def make_globals(self, d: MutableMapping[str, Any] | None) -> dict[str, Any]:
        """Give a template what all share, as it is: each page copies it."""
        return {**self.globals, **(d or {})}

    def learn(self, known: Mapping[str, Any]) -> None:
        """Take over what all pages share."""
        self.known |= known
        self.globals |= known

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        *rest: Any,
        **more: Any,
    ) -> str:
        tree = whole(self, source)
        own = {found.name for found in tree.find_all(nodes.Name) if found.ctx != "load"}
        own |= {found.name for found in tree.find_all(nodes.Macro)}
        known = {name: value for name, value in self.known.items() if name not in own}
        _Folding(self, known).visit(tree)
        return super()._generate(tree, name, filename, *rest, **more)


class _Folding(NodeTransformer):
    """Replaces what rests on what is known by what it comes to."""

    def __init__(self, environment: Compiling, known: Mapping[str, Any]) -> None:
        self._environment, self._known = environment, dict(known)
        self._context = nodes.EvalContext(environment)

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        node = super().generic_visit(node, *args, **kwargs)
        if isinstance(node, nodes.Expr) and not isinstance(node, nodes.Const):
            try:
                value = self._value(node)
            except UnknownError:
                node.varies = True  # type: ignore[attr-defined]
            else:
                if has_safe_repr(value):
                    return nodes.Const(value, lineno=node.lineno, environment=self._environment)
            return node
        for name in ("body", "else_"):
            if (body := getattr(node, name, None)) and isinstance(body, list):
                setattr(node, name, list(_run_together(body)))
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        flat = chain.from_iterable(map(self._spliced, node.nodes))
        node.nodes = [self.visit(child) for child in flat]
        return node

    def visit_If(self, node: nodes.If) -> nodes.Node | list[nodes.Node]:  # noqa: N802
        cases = [(node.test, node.body), *((one.test, one.body) for one in node.elif_)]
        left = []
        otherwise = node.else_
        for test, body in cases:
            try:
                value = self._value(test)
            except UnknownError:
                left.append((test, body))
                continue
            if value:
                otherwise = body
                break
        if not left:
            return self._visited(otherwise)
        (test, body), *others = left
        made = nodes.If(test, body, [nodes.If(*one, [], []) for one in others], otherwise)
        return self.generic_visit(made)

    def visit_For(self, node: nodes.For) -> nodes.Node | list[nodes.Node]:  # noqa: N802
        target = node.target
        names = list(getattr(target, "items", [target]))
        targets = [name.name for name in names if isinstance(name, nodes.Name)]
        inner = list(chain.from_iterable(one.find_all(nodes.Name) for one in node.body))
        simple = not (node.test or node.else_ or node.recursive) and not any(
            name.name == "loop" or (name.ctx != "load" and name.name in targets) for name in inner
        )
        try:
            items = self._value(node.iter) if simple else None
        except UnknownError:
            items = None
        if items is None:
            return self.generic_visit(node)
        made = []
        for item in items:
            values = [item] if isinstance(target, nodes.Name) else item
            made += self._with(dict(zip(targets, values, strict=True)), copied(node.body))
        return made

    def visit_With(self, node: nodes.With) -> nodes.Node | list[nodes.Node]:  # noqa: N802
        try:
            values = [self._value(value) for value in node.values]
        except UnknownError:
            return self.generic_visit(node)
        names = [target.name for target in node.targets if isinstance(target, nodes.Name)]
        return self._with(dict(zip(names, values, strict=True)), node.body)

    def _with(self, values: dict[str, Any], body: list[nodes.Node]) -> list[nodes.Node]:
        outside, self._known = self._known, self._known | values
        made = self._visited(body)
        self._known = outside
        return made

    def _visited(self, body: list[nodes.Node]) -> list[nodes.Node]:
        scope = nodes.Scope(body)
        self.generic_visit(scope)
        return scope.body

    def _spliced(self, child: nodes.Expr) -> Iterator[nodes.Expr]:
        """Take a text apart that is put together, as far as the same is written."""
        if isinstance(child, nodes.Concat):
            for part in child.nodes:
                yield from self._spliced(part)
            return
        name = child.node.name if isinstance(child, nodes.Call) and _is_linear(child.node) else ""
        if not isinstance(child, nodes.Call) or name not in self._known:
            yield child
            return
        holes: dict[str, nodes.Expr] = {one.key: one.value for one in child.kwargs}
        args: list[Any] = [_hole(f"{number}") for number, _ in enumerate(child.args)]
        if name == "_":
            try:
                args = [self._value(arg) for arg in child.args]
            except UnknownError:
                yield child
                return
        else:
            holes |= {f"{number}": arg for number, arg in enumerate(child.args)}
        text = self._known[name](*args, **{one.key: _hole(one.key) for one in child.kwargs})
        for number, said in enumerate(_HOLE.split(str(escape(text)))):
            if number % 2:
                yield from self._spliced(copied(holes[said]))
            elif said:
                yield nodes.TemplateData(said)

    def _value(self, node: nodes.Node) -> Any:
        if isinstance(node, nodes.Const):
            return node.value
        if hasattr(node, "varies"):
            raise UnknownError
        if isinstance(node, nodes.Name):
            value = self._known.get(node.name, UnknownError)
            # A view may say something under the name of a macro, but nothing that is called.
            if node.ctx != "load" or value is UnknownError or isinstance(value, Macro):
                raise UnknownError
            return value
        if isinstance(node, nodes.Call):
            called = node.node.name if isinstance(node.node, nodes.Name) else ""
            macro = self._known.get(called)
            function = macro if isinstance(macro, Macro) else self._value(node.node)
            args = [self._value(arg) for arg in node.args]
            return function(*args, **{one.key: self._value(one.value) for one in node.kwargs})
        try:
            return self._known_parts(node).as_const(self._context)  # type: ignore[attr-defined]
        except UnknownError:
            raise
        except Exception as error:  # what cannot be worked out now is left for later
            raise UnknownError from error

    def _known_parts(self, node: nodes.Node) -> nodes.Node:
        """Copy a node with what each of its expressions comes to."""

        def made(part: Any) -> Any:
            if isinstance(part, nodes.Expr):
                return nodes.Const(self._value(part))
            if isinstance(part, nodes.Node):
                return self._known_parts(part)
            return [made(one) for one in part] if isinstance(part, list) else part

        known = alike(node)
        for name, part in node.iter_fields():
            setattr(known, name, made(part))
        known.environment = self._environment
        return known


def _is_linear(node: nodes.Expr) -> TypeGuard[nodes.Name]:
    return isinstance(node, nodes.Name) and node.name in LINEAR


def _hole(name: str) -> Markup:
    return Markup("\x00{}\x00").format(name)


def _run_together(body: Iterable[nodes.Node]) -> Iterator[nodes.Node]:
    """Make one output of several."""
    last: nodes.Output | None = None
    for node in body:
        if isinstance(node, nodes.Output) and last is not None:
            last.nodes += node.nodes
            continue
        last = node if isinstance(node, nodes.Output) else None
        yield node
