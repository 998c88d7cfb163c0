"""The node form: a pipeline put together of podpac's nodes. What it edits is the text of the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import InvalidPipelineError, InvalidValueError
from podpac_lambda_widgets.model.node_specs import (
    INPUTS,
    AttributeSpec,
    NodeSpec,
    find_spec,
    is_offered,
    node_specs,
    unavailable_nodes,
)
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.model.pipeline_edits import (
    add_node,
    connect_node,
    listed,
    node_of,
    nodes_of,
    remove_node,
    rename_node,
    set_attribute,
)
from podpac_lambda_widgets.remote.policy import Policy
from podpac_lambda_widgets.remote.shapes import references
from podpac_lambda_widgets.widgets import node_fields
from podpac_lambda_widgets.widgets.fields import problem_of
from podpac_lambda_widgets.widgets.node_fields import PREFIX

if TYPE_CHECKING:
    from podpac_lambda_widgets.widgets.pipeline_form import PipelineForm

#: Fields of the form that are not attributes of a node.
KIND, NAME = f"{PREFIX}kind", f"{PREFIX}name"


class NodeEditor:
    """Edits the nodes of the pipeline that the Run form holds.

    Parameters
    ----------
    form : PipelineForm
        Shows the fields, by :attr:`PipelineForm.node_form` and its fields of the prefix ``node:``.
    read : callable
        The pipeline that the text stands for.
    write : callable
        Takes the new text.
    """

    def __init__(self, form: PipelineForm, read: Callable[[], Pipeline], write: Callable[[str], None]) -> None:
        self._form, self._read, self._write = form, read, write
        #: What the function takes; the form sets it when it knows more.
        self.policy = Policy()
        self._selected = ""
        self._controls: dict[str, tuple[AttributeSpec, str]] = {}
        self._writing = False

    @property
    def selected(self) -> str:
        """The name of the node whose fields are shown; empty where there is none."""
        return self._selected

    # What a person does

    def add(self, path: str) -> str:
        """Add a node at the end, fed by the one that was the output, and return its name.

        Parameters
        ----------
        path : str
            Its class, such as ``core.algorithm.stats.Mean`` or ``Mean``.

        Raises
        ------
        InvalidPipelineError
            The function takes no such node.
        """
        found = [spec for spec in node_specs().values() if path in (spec.path, spec.name)]
        if not found or not is_offered(found[0], self.policy):
            raise InvalidPipelineError(f"There is no node {path!r} that this function takes", field=KIND)
        definition, self._selected = add_node(self._definition(or_empty=True), found[0])
        self._put(definition)
        return self._selected

    def remove(self, name: str) -> None:
        """Take a node out of the pipeline, and out of the inputs of the others."""
        self._put(remove_node(self._definition(), name))

    def rename(self, name: str, new: str) -> None:
        """Call a node by another name, in the inputs of the others too."""
        definition = rename_node(self._definition(), name, new.strip())
        self._selected = new.strip()
        self._put(definition)

    def select(self, name: str) -> None:
        """Show the fields of a node."""
        node_of(self._definition(), name)
        self._selected = name
        self.show()

    def set(self, attribute: str, value: object) -> None:
        """Give an attribute of the selected node a value, or take it away with None.

        Parameters
        ----------
        attribute : str
            Its name; for an input, the value is the name of the node. Of several inputs ``sources.0`` is the first, and
            ``inputs.A`` the one that an equation calls A.

        Raises
        ------
        InvalidPipelineError
            The node has no such attribute, or the guard refuses the value.
        """
        definition = self._definition()
        spec = find_spec(node_of(definition, self._selected))
        found = spec.attribute(attribute.partition(".")[0]) if spec else None
        if spec is None or found is None or found.kind in INPUTS:
            self._put(connect_node(definition, self._selected, attribute, str(value or "")))
            return
        changed = set_attribute(definition, self._selected, attribute, value)
        # An equation and its parameters are right together only, and typed one after the other: what is wrong with them
        # is marked, not refused.
        if found.kind not in ("expression", "parameters"):
            node_fields.check(spec, found, changed[self._selected], self.policy)
        self._put(changed)

    # What the page sends

    def enter(self, field: str, typed: object) -> None:
        """Do what typing into one of these fields does."""
        if field == KIND:
            self.add(str(typed)) if typed else None
            return
        try:
            if field == NAME:
                self.rename(self._selected, str(typed))
                return
            name = field.removeprefix(PREFIX)
            attribute, control = self._controls[field]
            self.set(name, (typed or None) if attribute.kind in INPUTS else node_fields.read(attribute, control, typed))
        except InvalidValueError as error:
            self._form.mark_problem(field, error, typed)

    # What there is to see

    def show(self) -> None:
        """Bring the fields into step with the text."""
        if self._writing:
            return
        try:
            definition = self._definition()
        except InvalidValueError:
            empty = not self._form.evaluation.pipeline.strip()
            self._show_nodes(
                {}, "Begin with a node." if empty else "What is in the field Pipeline is none: correct it."
            )
            return
        nodes = nodes_of(definition)
        if self._selected not in nodes:
            self._selected = next(reversed(nodes))
        self._show_nodes(nodes, "")

    def _show_nodes(self, nodes: Mapping[str, Any], said: str) -> None:
        spec = find_spec(nodes[self._selected]) if nodes else None
        first, more = node_fields.describe(spec, nodes[self._selected]) if spec else ([], [])
        self._show_fields(spec, nodes, [*first, *more])
        if nodes and spec is None:
            said = "This node is a plugin's, or unknown here: edit it in the JSON."
        self._form.node_form = {
            "nodes": [_row(name, node, list(nodes)[-1]) for name, node in nodes.items()],
            "selected": self._selected if nodes else "",
            "help": spec.help if spec else "",
            "said": said,
            "fields": first,
            "more": more,
            "unavailable": self._unavailable(),
        }

    def _show_fields(self, spec: NodeSpec | None, nodes: Mapping[str, Any], described: list[dict[str, Any]]) -> None:
        self._controls = {}
        self._form.drop_fields(PREFIX, {each["name"] for each in described} | {KIND, NAME})
        self._form.set_field(KIND, value="", error="", choices=self._kinds())
        self._form.set_field(NAME, value=self._selected, error="")
        if spec is None:
            return
        node = nodes[self._selected]
        for each in described:
            name, _, part = each["name"].removeprefix(PREFIX).partition(".")
            attribute = spec.attribute(name)
            assert attribute is not None  # it was described by this spec
            self._controls[each["name"]] = (attribute, each["kind"])
            self._form.clear_problem(each["name"])
            if attribute.kind in INPUTS:
                state = self._input_state(spec, attribute, part, nodes)
            else:
                state = self._attribute_state(spec, attribute, each["kind"], node)
            self._form.set_field(each["name"], **{"error": "", **state})

    def _input_state(
        self, spec: NodeSpec, attribute: AttributeSpec, part: str, nodes: Mapping[str, Any]
    ) -> dict[str, Any]:
        inputs = nodes[self._selected].get("inputs", {})
        held = listed(inputs.get(part if spec.rule.free_inputs else attribute.name))
        place = int(part) if part.isdecimal() else 0
        others = [[name, name] for name in nodes if name != self._selected]
        return {
            "value": held[place] if place < len(held) else "",
            "choices": [["", "(choose a node)" if attribute.required and not part else "(none)"], *others],
            "warning": "Needed." if attribute.required and not inputs else "",
        }

    def _attribute_state(
        self, spec: NodeSpec, attribute: AttributeSpec, control: str, node: Mapping[str, Any]
    ) -> dict[str, Any]:
        state: dict[str, Any] = {
            "value": node_fields.show(attribute, control, node),
            "choices": node_fields.offered(attribute, control) if control in ("select", "checks") else [],
            "warning": "Needed." if attribute.required and attribute.name not in node.get("attrs", {}) else "",
        }
        try:
            node_fields.check(spec, attribute, node, self.policy)
        except InvalidPipelineError as error:
            return {**state, "error": problem_of(error, attribute.name)}
        return state

    def _kinds(self) -> list[list[str]]:
        # By their names: a page is saved with its notebook, and paths are long.
        offered = sorted(spec.name for spec in node_specs().values() if is_offered(spec, self.policy))
        return [["", "(choose)"], *([name, name] for name in offered)]

    def _unavailable(self) -> str:
        refused = [spec.name for spec in node_specs().values() if not is_offered(spec, self.policy)]
        return ", ".join(sorted([*refused, *unavailable_nodes()]))

    # The text

    def _definition(self, *, or_empty: bool = False) -> Mapping[str, Any]:
        if or_empty and not self._form.evaluation.pipeline.strip():
            return {}
        return self._read().definition

    def _put(self, definition: Mapping[str, Any]) -> None:
        # The last node is the output.
        kept = {name: node for name, node in definition.items() if name != "podpac_output_node"}
        self._writing = True
        try:
            self._write(Pipeline(kept).json if nodes_of(kept) else "")
        finally:
            self._writing = False
        self.show()


def _row(name: str, node: Mapping[str, Any], output: str) -> dict[str, Any]:
    sources = [str(each) for each in references(node)] if isinstance(node.get("inputs", {}), Mapping) else []
    kind = str(node.get("node", "")).rpartition(".")[2]
    return {"name": name, "kind": kind, "sources": ", ".join(sources), "output": name == output}
