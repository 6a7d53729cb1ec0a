"""The text and the picture of a graph, on graphs that torch made: node names, leaves, arrows and layout."""

import itertools
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

import minigrad
from minigrad.draw import draw, graph_text

from .twins import leaf


def classifier_loss():
    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    return functional.cross_entropy(model(torch.ones(5, 64)), torch.zeros(5, dtype=torch.long))


def standardised():
    """A node with three uses, one of them two layers away: an arrow has to pass a layer."""
    x = leaf(torch, 4, 3).exp()
    return (x - x.mean()) / x.std()


def recurrent():
    cell = torch.nn.RNNCell(3, 4)
    state = torch.zeros(1, 4)
    for _ in range(4):
        state = cell(torch.ones(1, 3), state)
    return state.sum()


def test_text_of_a_classifier():
    assert graph_text(classifier_loss()) == (
        "NllLossBackward0 ()\n"
        "LogSoftmaxBackward0 (5, 10)\n"
        "AddmmBackward0 (5, 10)\n"
        "├── AccumulateGrad (10,)\n"
        "├── ReluBackward0 (5, 32)\n"
        "│   AddmmBackward0 (5, 32)\n"
        "│   ├── AccumulateGrad (32,)\n"
        "│   └── TBackward0 (64, 32)\n"
        "│       AccumulateGrad (32, 64)\n"
        "└── TBackward0 (32, 10)\n"
        "    AccumulateGrad (10, 32)"
    )


def test_text_writes_a_shared_node_once():
    assert graph_text(standardised()) == (
        "DivBackward0 (4, 3)\n"
        "├── SubBackward0 (4, 3)\n"
        "│   ├── ExpBackward0 (4, 3) #1\n"
        "│   │   AccumulateGrad (4, 3)\n"
        "│   └── MeanBackward0 ()\n"
        "│       ExpBackward0 (4, 3) #1 (see above)\n"
        "└── StdBackward0 ()\n"
        "    ExpBackward0 (4, 3) #1 (see above)"
    )


def test_text_numbers_shared_leaves():
    x, y = leaf(torch, 2), leaf(torch, 2)
    assert graph_text(x * y + x * y) == (
        "AddBackward0 (2,)\n"
        "├── MulBackward0 (2,)\n"
        "│   ├── AccumulateGrad (2,) #1\n"
        "│   └── AccumulateGrad (2,) #2\n"
        "└── MulBackward0 (2,)\n"
        "    ├── AccumulateGrad (2,) #1\n"
        "    └── AccumulateGrad (2,) #2"
    )


def test_inputs_without_gradient_and_scalars():
    assert graph_text(leaf(torch) * torch.ones(3)) == "MulBackward0 (3,)\nAccumulateGrad ()"


def test_text_of_a_custom_function():
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

    assert graph_text(Twice.apply(leaf(torch, 3))) == "TwiceBackward (3,)\nAccumulateGrad (3,)"


def test_a_node_of_several_results_shows_all_shapes():
    assert graph_text(leaf(torch, 5, 2).split(3)[1]) == "SplitBackward0 (3, 2) (2, 2)\nAccumulateGrad (5, 2)"


@pytest.mark.parametrize("framework", [torch, minigrad])
def test_names_of_parameters(framework):
    model = framework.nn.Sequential(framework.nn.Linear(3, 2), framework.nn.Tanh())
    x = leaf(framework, 4, 3)
    params = dict(model.named_parameters())
    transposed = "TBackward0 (3, 2)\n    " if framework is torch else ""
    assert graph_text(model(x), params=params) == (
        "TanhBackward0 (4, 2)\n"
        "AddmmBackward0 (4, 2)\n"
        "├── AccumulateGrad 0.bias (2,)\n"
        "├── AccumulateGrad (4, 3)\n"
        f"└── {transposed}AccumulateGrad 0.weight (2, 3)"
    )
    labels = {box[4] for box in rectangles(draw(model(x), params=params))}
    assert {"AccumulateGrad\n0.bias (2,)", "AccumulateGrad\n(4, 3)", "TanhBackward0\n(4, 2)"} < labels
    for show in (graph_text, draw):
        with pytest.raises(TypeError, match=rf"{show.__name__}: params maps names to tensors, .* got generator"):
            show(model(x), params=model.named_parameters())


def test_text_of_a_long_chain_stops_at_the_limit():
    y = leaf(torch, 1)
    for _ in range(20_000):
        y = y + 1
    lines = graph_text(y, limit=5).splitlines()
    assert lines == 5 * ["AddBackward0 (1,)"] + ["... (the first 5 lines of a graph of 20001 nodes)"]
    assert graph_text(leaf(torch, 1).exp(), limit=2) == "ExpBackward0 (1,)\nAccumulateGrad (1,)"


class FreshLeaves:
    """A torch node in a graph where a leaf's node is another object each time it is asked for."""

    def __init__(self, node):
        self.name, self._input_metadata = node.name, node._input_metadata
        if hasattr(node, "variable"):
            self.variable = node.variable
        sources = [source for source, _ in node.next_functions]
        self.sources = [source if hasattr(source, "variable") else FreshLeaves(source) for source in sources]

    @property
    def next_functions(self):
        return tuple((FreshLeaves(source) if hasattr(source, "variable") else source, 0) for source in self.sources)


@pytest.mark.parametrize("show", [graph_text, lambda tensor: sorted(connections(draw(tensor)))], ids=["text", "draw"])
def test_leaves_are_told_apart_by_their_tensors(show):
    x, y = leaf(torch, 2), leaf(torch, 2)
    product = x * y * x
    assert show(SimpleNamespace(grad_fn=FreshLeaves(product.grad_fn))) == show(product)


@pytest.mark.parametrize("show", [graph_text, lambda tensor: sorted(connections(draw(tensor)))], ids=["text", "draw"])
@pytest.mark.parametrize(
    "program",
    [
        lambda x, w: ((x.exp() @ w) ** 2).sum(),
        lambda x, w: (x - x.mean()) / x.sum(),
        lambda x, w: x * w[:, :1].t() + x[0],
        lambda x, w: (x @ w).log_softmax(1),
    ],
)
def test_minigrad_shows_the_graph_that_torch_shows(show, program):
    ours, theirs = (
        program(framework.ones(4, 3, requires_grad=True), framework.ones(3, 2, requires_grad=True))
        for framework in (minigrad, torch)
    )
    assert show(ours) == show(theirs)


@pytest.mark.parametrize("show", [graph_text, draw])
def test_a_tensor_without_graph(show):
    with pytest.raises(ValueError, match=f"{show.__name__}: the tensor has no grad_fn"):
        show(leaf(torch, 2))


def rectangles(figure):
    """Each box as (left, bottom, right, top), with its label."""
    (axes,) = figure.axes
    boxes = [patch for patch in axes.patches if hasattr(patch, "get_width")]
    assert len(boxes) == len(axes.texts)
    return [
        ((x := box.get_x()), (y := box.get_y()), x + box.get_width(), y + box.get_height(), text.get_text())
        for box, text in zip(boxes, axes.texts, strict=True)
    ]


def curves(figure):
    """Each arrow as its vertices."""
    return [patch._path_original for patch in figure.axes[0].patches if not hasattr(patch, "get_width")]


def edges_of(tensor):
    """Walk the graph in the plainest way: each (label of the input, label of its consumer), and all labels."""

    def label(node):
        (result,) = node._input_metadata
        return f"{node.name().removeprefix('torch::autograd::')}\n{tuple(result.shape)}"

    nodes, edges = [tensor.grad_fn], []
    for node in nodes:
        for source, _ in node.next_functions:
            if source is not None:
                edges.append((label(source), label(node)))
                if source not in nodes:
                    nodes.append(source)
    return sorted(edges), sorted(map(label, nodes))


def connections(figure):
    """Each arrow as (label where it starts, label where it ends, x of its end): it leaves a bottom and enters a top."""
    boxes = rectangles(figure)

    def touched(point, side):
        (found,) = (box for box in boxes if box[0] <= point[0] <= box[2] and abs(box[side] - point[1]) < 1e-9)
        return found[4]

    ends = [(arrow.vertices[0], arrow.vertices[-1]) for arrow in curves(figure)]
    return [(touched(start, 1), touched(end, 3), end[0]) for start, end in ends]


def check_layout(tensor):
    figure = draw(tensor)
    boxes = rectangles(figure)
    edges, labels = edges_of(tensor)
    assert sorted(box[4] for box in boxes) == labels
    assert sorted((start, end) for start, end, _ in connections(figure)) == edges
    for (l1, b1, r1, t1, _), (l2, b2, r2, t2, _) in itertools.combinations(boxes, 2):
        assert r1 < l2 or r2 < l1 or t1 < b2 or t2 < b1, "two boxes overlap"
    for arrow in curves(figure):
        for i in range(0, len(arrow.vertices) - 1, 3):
            curve = arrow.vertices[i : i + 4]  # a cubic curve stays between the extremes of its four points
            (x0, y0), (x1, y1) = curve.min(axis=0), curve.max(axis=0)
            assert y0 == curve[-1][1] < curve[0][1] == y1, "an arrow does not point downwards"
            for left, bottom, right, top, _ in boxes:
                clear = x1 < left or right < x0 or y1 <= bottom + 1e-9 or top - 1e-9 <= y0
                assert clear, "an arrow crosses a box"
    left, right = figure.axes[0].get_xlim()
    bottom, top = figure.axes[0].get_ylim()
    assert all(left < box[0] and box[2] < right and bottom < box[1] and box[3] < top for box in boxes)


@pytest.mark.parametrize("make", [classifier_loss, standardised, recurrent, lambda: leaf(torch, 3) ** 2])
def test_layout(make):
    check_layout(make())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100), st.sampled_from("+*e")), min_size=1, max_size=14))
def test_layout_of_any_graph(steps):
    tensors = [leaf(torch, 2), leaf(torch, 1)]
    for i, j, operation in steps:
        a, b = tensors[i % len(tensors)], tensors[j % len(tensors)]
        tensors.append(a + b if operation == "+" else a * b if operation == "*" else a.exp())
    check_layout(tensors[-1])


def test_arrows_of_a_tree_do_not_cross():
    def same_layer(one, other):
        return one is not other and abs(one[0][1] - other[0][1]) < 1e-9

    arrows = [(curve.vertices[0], curve.vertices[-1]) for curve in curves(draw(classifier_loss()))]
    neighbours = [(one, other) for one, other in itertools.combinations(arrows, 2) if same_layer(one, other)]
    assert len(neighbours) > 3
    assert all((one[0][0] < other[0][0]) == (one[1][0] < other[1][0]) for one, other in neighbours)


def test_arguments_enter_from_left_to_right():
    x, y = leaf(torch, 2), leaf(torch, 3, 1)
    entries = [(x, start) for start, end, x in connections(draw(x.exp() - y.sin())) if end.startswith("SubBackward0")]
    assert [start.split()[0] for _, start in sorted(entries)] == ["ExpBackward0", "SinBackward0"]


def test_text_fits_its_box():
    figure = draw(recurrent())
    figure.draw_without_rendering()
    axes = figure.axes[0]
    for text, (left, bottom, right, top, _) in zip(axes.texts, rectangles(figure), strict=True):
        extent = text.get_window_extent().transformed(axes.transData.inverted())
        assert left < extent.x0
        assert extent.x1 < right
        assert bottom < extent.y0
        assert extent.y1 < top


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_saving(tmp_path, ending, start):
    path = tmp_path / f"graph.{ending}"
    draw(standardised(), path)
    assert path.read_bytes().startswith(start)


def test_too_many_nodes():
    with pytest.raises(ValueError, match="the graph has 8 nodes, the limit is 7; use graph_text or raise limit"):
        draw(leaf(torch, 1).exp().exp().exp().exp().exp().exp().exp(), limit=7)
    draw(leaf(torch, 1).exp().exp().exp().exp().exp().exp().exp(), limit=8)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"draw needs matplotlib: pip install matplotlib"):
        draw(leaf(torch, 1).exp())


def test_matplotlib_is_imported_only_when_needed():
    code = "import sys, minigrad.draw; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
