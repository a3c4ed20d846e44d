"""A template's tree with its parents and includes put into it, before Jinja makes code of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeGuard

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer


def whole(environment: Environment, template: nodes.Template) -> nodes.Template:
    """Put a template's parents and includes into one tree."""
    blocks: dict[str, nodes.Block] = {}
    before: list[nodes.Node] = []
    while True:
        for block in template.find_all(nodes.Block):
            blocks.setdefault(block.name, block)
        extends = template.find(nodes.Extends)
        if extends is None:
            break
        before += [node for node in template.body if isinstance(node, nodes.Assign | nodes.Macro)]
        template = _parsed(environment, extends.template)
    template.body[:0] = before
    _Joining(environment, blocks).visit(template)
    return template


def _parsed(environment: Environment, name: nodes.Expr) -> nodes.Template:
    if not isinstance(name, nodes.Const):
        raise TypeError(f"line {name.lineno}: templates are named by a word")
    tree: nodes.Template = copied(_read(environment, name.value))
    return tree


@lru_cache(maxsize=128)
def _read(environment: Environment, name: str) -> nodes.Template:
    """Read a template once for all that it is put into."""
    if environment.loader is None:
        raise TypeError("templates are read by a loader")
    source, filename, _ = environment.loader.get_source(environment, name)
    return environment._parse(source, name, filename)  # noqa: SLF001  Jinja has no other


class _Joining(NodeTransformer):
    """Puts what was included in its place, and of every block the last word."""

    def __init__(self, environment: Environment, blocks: Mapping[str, nodes.Block]) -> None:
        self._environment, self._blocks = environment, blocks

    def visit_Include(self, node: nodes.Include) -> list[nodes.Node]:  # noqa: N802
        return self._in_place(_parsed(self._environment, node.template).body)

    def visit_Block(self, node: nodes.Block) -> list[nodes.Node]:  # noqa: N802
        return self._in_place(copied(self._blocks[node.name].body))

    def visit_Output(self, node: nodes.Output) -> list[nodes.Node]:  # noqa: N802
        """Let `self.<block>()` be the block again."""
        made: list[nodes.Node] = []
        for child in node.nodes:
            called = child.node if isinstance(child, nodes.Call) else None
            if isinstance(called, nodes.Getattr) and _is_name(called.node, "self"):
                made += self._in_place(copied(self._blocks[called.attr].body))
            else:
                made.append(nodes.Output([child], lineno=node.lineno))
        return made

    def _in_place(self, body: list[nodes.Node]) -> list[nodes.Node]:
        """Join what stands in a body; where that names anything, the name ends with it."""
        scope = nodes.Scope(body)
        self.generic_visit(scope)
        named = any(isinstance(node, nodes.Assign | nodes.Macro) for node in scope.body)
        return [scope] if named else scope.body


def copied(part: Any) -> Any:
    """Copy a node with all below it."""
    if isinstance(part, list):
        return [copied(one) for one in part]
    if not isinstance(part, nodes.Node):
        return part
    made = alike(part)
    for name, one in part.iter_fields():
        if isinstance(one, nodes.Node | list):
            setattr(made, name, copied(one))
    return made


def alike(node: nodes.Node) -> nodes.Node:
    """Make another node with the same parts, as `copy` does with more ado."""
    made: nodes.Node = object.__new__(type(node))
    vars(made).update(vars(node))
    return made


def _is_name(node: nodes.Node, name: str) -> TypeGuard[nodes.Name]:
    return isinstance(node, nodes.Name) and node.name == name
