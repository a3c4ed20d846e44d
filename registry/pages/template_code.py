"""Code made of a template for values as our views make them: objects, and dictionaries.

Jinja's own asks at each step what it has before it; ours knows. A member of a dictionary is found
by its name, no function wants the context, and what a macro has written is not escaped again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, find_undeclared
from jinja2.runtime import Macro
from markupsafe import Markup, escape


class CodeWriter(CodeGenerator):
    """Writes the code of one template."""

    _own: Mapping[str, Sequence[str]] = {}
    _named = ""
    _written: nodes.Node | None = None
    _constants: Mapping[Markup, str] = {}

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        """Note the macros of the template first."""
        self._own = {
            macro.name: [arg.name for arg in macro.args]
            for macro in node.body
            if isinstance(macro, nodes.Macro) and not find_undeclared(macro.body, ("caller",))
        }
        self._constants = defaultdict(lambda: f"c_{len(self._constants)}")
        super().visit_Template(node, frame)
        self.writeline("escaped = environment.escaped")
        for markup, name in self._constants.items():
            self.writeline(f"{name} = {markup!r}")

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:  # noqa: N802
        """Make marked up text once, not each time that it is written."""
        if isinstance(node.value, Markup):
            self.write(self._constants[node.value])
        else:
            super().visit_Const(node, frame)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802
        """Look a member up once."""
        name = self.temporary_identifier()
        self.write(f"({name}[{node.attr!r}] if isinstance(({name} := ")
        self.visit(node.node, frame)
        self.write(f"), dict) else {name}.{node.attr})")

    def visit_Call(  # noqa: N802
        self,
        node: nodes.Call,
        frame: Frame,
        forward_caller: bool = False,  # noqa: FBT001, FBT002  Jinja's
    ) -> None:
        """Call what is called, a macro past all that Jinja does before it."""
        macro = None if forward_caller else self._macro(node)
        if macro is not None:
            written = node is self._written
            self.write("" if written else "Markup(")
            self._call_macro(macro, node, frame)
            self.write("" if written else ")")
            return
        if isinstance(node.node, nodes.Getattr):
            self.visit(node.node.node, frame)
            self.write(f".{node.node.attr}(")
        else:
            self.visit(node.node, frame)
            self.write("(")
        for arg in chain(node.args, node.kwargs):
            self.visit(arg, frame)
            self.write(", ")
        self.write("caller=caller)" if forward_caller else ")")

    def _macro(self, node: nodes.Node) -> Sequence[str] | None:
        """Give the arguments of the macro that is called, if it can be called as it is."""
        if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name):
            return None
        name = node.node.name
        macro = self.environment.globals.get(name)
        if isinstance(macro, Macro) and not macro.caller:
            return macro.arguments
        return self._own.get(name)

    def _call_macro(self, arguments: Sequence[str], node: nodes.Call, frame: Frame) -> None:
        given = dict(zip(arguments, node.args, strict=False))
        given |= {one.key: one.value for one in node.kwargs}
        self.visit(node.node, frame)
        self.write("._func(")
        for name in arguments:
            if name in given:
                self.visit(given[name], frame)
            else:
                self.write("missing")
            self.write(", ")
        self.write(")")

    def _output_child_pre(self, node: nodes.Expr, *_: Any) -> None:
        # A child is written in whole before the next one begins, and none stands in another.
        self._written = node
        if self._macro(node) is None:
            self._named = self.temporary_identifier()
            self.write(f"({self._named} if type({self._named} := ")

    def _output_child_post(self, node: nodes.Expr, *_: Any) -> None:
        if self._macro(node) is None:
            name = self._named
            self.write(f") is Markup else escaped[{name}] if type({name}) is str")
            self.write(f" else escape({name}))")


class Escaped(dict[str, str]):
    """Texts as they are escaped: what pages repeat is worked out once."""

    _MOST = 4096

    def __missing__(self, text: str) -> str:
        """Escape a text."""
        if len(self) == self._MOST:
            self.clear()
        made = self[text] = str(escape(text))
        return made
