"""The graph behind a tensor, for people: `graph_text` as lines, `draw` as a picture.

Both take tensors of minigrad and of torch. They walk from `tensor.grad_fn` along `next_functions`, and ask each node for its
`name()`, for the shape of what it gave, and where a leaf's gradient is accumulated for `variable`, the leaf. The picture needs
matplotlib, which is imported when `draw` is called.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, TypeAlias

__all__ = ["draw", "graph_text"]

Node: TypeAlias = Any  # of either framework; it has `name()`, `next_functions`, and where a gradient is accumulated `variable`


def graph_text(tensor: Any, limit: int = 1000, params: Mapping[str, Any] | None = None) -> str:
    """Return the nodes behind a tensor, its own first and inputs below the nodes that use them.

    Each node has a line: its name, and the shape of its result. A node with one input has it on the next line; several inputs
    branch off. A node that is used more than once carries a number, and what it was computed from is written the first time only.
    Inputs that need no gradient have no node.

    Parameters
    ----------
    tensor
        A tensor that was computed from tensors that require a gradient.
    limit
        Most lines to write; a last line says when there would be more.
    params
        Names of leaves, as in ``dict(model.named_parameters())``, to be written beside their shapes.

    Raises
    ------
    ValueError
        If no graph stands behind the tensor.
    TypeError
        If `params` is no mapping.

    Examples
    --------
    >>> import minigrad as mg
    >>> x, w = mg.ones(4, 3, requires_grad=True), mg.ones(3, 2, requires_grad=True)
    >>> y = x.exp() @ w
    >>> print(graph_text((y * y).sum(), params={"weight": w}))
    SumBackward0 ()
    MulBackward0 (4, 2)
    ├── MmBackward0 (4, 2) #1
    │   ├── ExpBackward0 (4, 3)
    │   │   AccumulateGrad (4, 3)
    │   └── AccumulateGrad weight (3, 2)
    └── MmBackward0 (4, 2) #1 (see above)
    """
    graph, names = _graph(tensor, "graph_text"), _names(params, "graph_text")
    uses = Counter(source for inputs in graph.values() for source in inputs)
    numbers: dict[Node, int] = {}
    written: set[Node] = set()
    lines: list[str] = []
    stack = [(next(iter(graph)), "", "")]
    while stack:
        if len(lines) == limit:
            lines.append(f"... (the first {limit} lines of a graph of {len(graph)} nodes)")
            break
        node, branch, indent = stack.pop()
        inputs = graph[node]
        mark = f" #{numbers.setdefault(node, len(numbers) + 1)}" if uses[node] > 1 else ""
        if node in written and inputs:
            mark += " (see above)"
            inputs = []
        written.add(node)
        lines.append(branch + " ".join(_label(node, names)) + mark)
        forks = [("├── ", "│   ")] * (len(inputs) - 1) + [("└── ", "    ")] if len(inputs) > 1 else [("", "")]
        stack += [(source, indent + fork, indent + below) for source, (fork, below) in zip(inputs, forks, strict=False)][::-1]
    return "\n".join(lines)


def draw(
    tensor: Any, path: str | os.PathLike[str] | None = None, limit: int = 500, params: Mapping[str, Any] | None = None
) -> Any:
    """Draw the graph behind a tensor: a box per node, arrows from inputs to outputs, the tensor's own node lowest.

    Each box says the shape of the node's result. Leaves that accumulate a gradient are blue. Arrows enter a box in the order of
    the arguments.

    Parameters
    ----------
    tensor
        A tensor that was computed from tensors that require a gradient.
    path
        Where to save the picture; the ending chooses the format (.png, .svg, .pdf).
    limit
        Most nodes to draw.
    params
        Names of leaves, as in ``dict(model.named_parameters())``, to be written beside their shapes.

    Returns
    -------
    matplotlib.figure.Figure
        The picture, one unit of its axes an inch. It belongs to no window: pyplot is not involved.

    Raises
    ------
    ValueError
        If no graph stands behind the tensor, or one of more than `limit` nodes.
    TypeError
        If `params` is no mapping.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    The layout is that of Sugiyama, Tagawa and Toda (1981): a node's layer is its longest path to the output, arrows
    that pass a layer get a place of their own in it, and each place moves towards the mean of its neighbours.
    """
    graph, names = _graph(tensor, "draw"), _names(params, "draw")
    if len(graph) > limit:
        raise ValueError(f"draw: the graph has {len(graph)} nodes, the limit is {limit}; use graph_text or raise limit")
    try:
        from matplotlib.figure import Figure
        from matplotlib.patches import FancyArrowPatch, Rectangle
        from matplotlib.path import Path
    except ImportError as error:
        raise ImportError("draw needs matplotlib: pip install matplotlib") from error

    layers = _layers(graph, names)
    _arrange(layers)
    places = list(itertools.chain(*layers))
    left = min(place.x - place.width / 2 for place in places) - _GAP
    right = max(place.x + place.width / 2 for place in places) + _GAP
    bottom, top = -_HEIGHT, (len(layers) - 1) * _STEP + _HEIGHT
    figure = Figure(figsize=(right - left, top - bottom))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()
    for place in (place for place in places if place.lines):
        corner = (place.x - place.width / 2, place.y - _HEIGHT / 2)
        fill, thickness = "#d9edf7" if place.leaf else "#eeeeee", 1.8 if place.layer == 0 else 0.8
        axes.add_patch(Rectangle(corner, place.width, _HEIGHT, facecolor=fill, edgecolor="#444444", linewidth=thickness))
        axes.text(place.x, place.y, "\n".join(place.lines), ha="center", va="center", size=_FONT, family="monospace")
        for port, source in place.inputs:
            vertices = _wire(place, port, source)
            wire = Path(vertices, [Path.MOVETO] + [Path.CURVE4] * (len(vertices) - 1))
            axes.add_patch(FancyArrowPatch(path=wire, arrowstyle="-|>", mutation_scale=9, color="#666666"))
    if path is not None:
        figure.savefig(path)
    return figure


def _names(params: Mapping[str, Any] | None, caller: str) -> dict[int, str]:
    """The name of each tensor, by its identity."""
    if params is not None and not isinstance(params, Mapping):
        raise TypeError(f"{caller}: params maps names to tensors, as dict(model.named_parameters()) does, "
                        f"got {type(params).__name__}")
    return {id(tensor): name for name, tensor in (params or {}).items()}


def _label(node: Node, names: dict[int, str]) -> list[str]:
    """Return a node's name, and the shape of what it gave; for a leaf its own name, too, if it has one in `names`."""
    name = node.name().rsplit("::", 1)[-1]  # torch writes torch::autograd::AccumulateGrad
    variable = getattr(node, "variable", None)
    if variable is not None:
        shape = str(tuple(variable.shape))
        return [name, f"{names[id(variable)]} {shape}" if id(variable) in names else shape]
    if hasattr(node, "shape"):
        return [name, str(tuple(node.shape))]
    # torch calls it the backward pass's input. There is one for each result; whoever imitates a node may have none.
    shapes = [str(tuple(result.shape)) for result in getattr(node, "_input_metadata", ())]
    return [name, " ".join(shapes)] if shapes else [name]


def _graph(tensor: Any, caller: str) -> dict[Node, list[Node]]:
    """Return all nodes behind a tensor with their inputs, each node before its inputs.

    Without recursion, which long graphs would exhaust. Leaves are told apart by their tensors, because the node of a
    leaf may be made anew whenever it is asked for.
    """
    if tensor.grad_fn is None:
        raise ValueError(f"{caller}: the tensor has no grad_fn, so no graph stands behind it; compute it, outside no_grad, from "
                         "tensors with requires_grad=True")
    inputs: dict[Node, list[Node]] = {}
    known: dict[int, Node] = {}
    finished: list[Node] = []
    stack = [(tensor.grad_fn, False)]
    while stack:
        node, inputs_finished = stack.pop()
        if inputs_finished:
            finished.append(node)
        elif node not in inputs:
            sources = [source for source, _ in node.next_functions if source is not None]
            inputs[node] = [known.setdefault(id(getattr(source, "variable", source)), source) for source in sources]
            stack.append((node, True))
            stack += [(source, False) for source in inputs[node]]
    return {node: inputs[node] for node in reversed(finished)}


# The layout, in inches.
_FONT = 9  # points
_LETTER = 0.61 * _FONT / 72  # width of a letter of matplotlib's monospaced font
_HEIGHT = 0.42  # of a box
_STEP = 0.85  # from layer to layer
_GAP = 0.25  # between neighbours, and around the picture


@dataclass(eq=False)
class _Place:
    """A place in a layer: the box of a node, or (without lines) the bend of an arrow that passes the layer."""

    layer: int
    lines: list[str] = field(default_factory=list)
    leaf: bool = False
    x: float = 0.0
    # Where an arrow enters, measured from the middle, and the place it comes from; and the same for arrows that leave.
    inputs: list[tuple[float, _Place]] = field(default_factory=list)
    outputs: list[tuple[float, _Place]] = field(default_factory=list)

    @property
    def y(self) -> float:
        return self.layer * _STEP

    @property
    def width(self) -> float:
        return (max(map(len, self.lines)) + 2) * _LETTER if self.lines else 0.0


def _layers(graph: dict[Node, list[Node]], names: dict[int, str]) -> list[list[_Place]]:
    """Give each node a place in the layer just above the highest of its consumers, and connect the places."""
    depth = dict.fromkeys(graph, 0)
    for node, inputs in graph.items():
        for source in inputs:
            depth[source] = max(depth[source], depth[node] + 1)
    places = {node: _Place(depth[node], _label(node, names), hasattr(node, "variable")) for node in graph}
    layers: list[list[_Place]] = [[] for _ in range(max(depth.values()) + 1)]
    for node, place in places.items():
        layers[place.layer].append(place)
        for argument, source in enumerate(graph[node], start=1):
            port, below = place.width * (argument / (len(graph[node]) + 1) - 0.5), place
            for layer in range(place.layer + 1, depth[source]):
                bend = _Place(layer)
                layers[layer].append(bend)
                _connect(below, port, bend)
                port, below = 0.0, bend
            _connect(below, port, places[source])
    return layers


def _connect(place: _Place, port: float, source: _Place) -> None:
    place.inputs.append((port, source))
    source.outputs.append((port, place))


def _arrange(layers: list[list[_Place]]) -> None:
    """Choose order and x in each layer, so that arrows are short and seldom cross."""
    for _ in range(8):
        for layer in layers[1:]:
            _settle(layer, [fmean([place.x + port for port, place in p.outputs]) for p in layer])
        for layer in reversed(layers[:-1]):
            _settle(layer, [fmean([source.x for _, source in p.inputs] or [p.x]) for p in layer])


def _settle(layer: list[_Place], wishes: list[float]) -> None:
    """Put places in the order of their wishes and as near to them as they fit, in the sense of least squares.

    With the widths subtracted, "no overlap" means "not decreasing", and pooling adjacent violators is the exact answer.
    """
    order = sorted(range(len(layer)), key=wishes.__getitem__)
    layer[:] = [layer[i] for i in order]
    offsets = [0.0]
    for one, other in itertools.pairwise(layer):
        offsets.append(offsets[-1] + one.width / 2 + _GAP + other.width / 2)
    pools: list[list[float]] = []
    for wish, offset in zip(sorted(wishes), offsets, strict=True):
        pools.append([wish - offset])
        while len(pools) > 1 and fmean(pools[-2]) > fmean(pools[-1]):
            violator = pools.pop()
            pools[-1] += violator
    shifts = [fmean(pool) for pool in pools for _ in pool]
    for place, shift, offset in zip(layer, shifts, offsets, strict=True):
        place.x = shift + offset


def _wire(place: _Place, port: float, source: _Place) -> list[tuple[float, float]]:
    """Return the vertices of the cubic curves from the box where an arrow starts, through its bends, into `place`."""
    points = [(place.x + port, place.y + _HEIGHT / 2)]
    while not source.lines:
        points += [(source.x, source.y - _HEIGHT / 2), (source.x, source.y + _HEIGHT / 2)]
        source = source.inputs[0][1]
    points = [*points, (source.x, source.y - _HEIGHT / 2)][::-1]
    vertices = points[:1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        vertices += [(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2), (x1, y1)]
    return vertices
