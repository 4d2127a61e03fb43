"""What a user sees: pictures, notebooks, loggers; and how sure the model is."""

from __future__ import annotations

import csv
import html.parser
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import balmer
from balmer.callbacks import (
    Callback,
    CSVLogger,
    ProgressRow,
    SearchProgress,
    TensorBoardLogger,
    pareto_volume,
)

RNG = np.random.default_rng(12)
X = RNG.normal(size=(60, 2))
Y = 1.5 * np.sin(X[:, 0]) + X[:, 1] ** 2 + 0.1 * RNG.normal(size=60)


def small(**params):
    defaults = {"niterations": 4, "populations": 4, "ncycles_per_iteration": 50, "seeding": False}
    return balmer.SymbolicRegressor(**{"random_state": 0, "verbosity": 0, **defaults, **params})


@pytest.fixture(scope="module")
def model():
    return small(unary_operators=["sin"]).fit(X, Y)


# ---- pictures ---------------------------------------------------------------------------------------------


@pytest.fixture
def figure():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    made, axes = pyplot.subplots()
    yield axes
    made.canvas.draw()  # warnings are errors
    pyplot.close("all")


def test_the_front_is_drawn(model, figure):
    assert model.plot_pareto(ax=figure) is figure
    assert len(figure.collections[0].get_offsets()) == len(model.equations_)
    marked = figure.collections[1].get_offsets()[0]
    assert marked[0] == model.get_best().complexity
    assert marked[1] == pytest.approx(model.get_best().loss)
    assert figure.get_yscale() == "log"


def test_the_fit_and_its_residuals_are_drawn(model, figure):
    model.plot_fit(X, Y, ax=figure)
    points = figure.collections[0].get_offsets()
    np.testing.assert_allclose(points[:, 1], model.predict(X))
    axes = model.plot_residuals(X, Y)
    np.testing.assert_allclose(axes.collections[0].get_offsets()[:, 1], Y - model.predict(X))


def test_one_column_is_drawn_as_a_curve(figure):
    one = small().fit(X[:, :1], Y)
    one.plot_fit(X[:, :1], Y, ax=figure, index=0)
    line = figure.lines[0].get_xdata()
    assert (np.diff(line) >= 0).all()


def test_the_tree_is_drawn(model, figure):
    guess = small(
        unary_operators=["sin"], niterations=0, guesses=["sin(x0 * 2.5) + x1"], model_selection="accuracy"
    )
    guess.fit(X, Y).plot_tree(-1, ax=figure)
    texts = [text.get_text() for text in figure.texts]
    assert sorted(t for t in texts if not t[0].isdigit() and t[0] != "-") == ["*", "+", "sin", "x0", "x1"]
    assert len(figure.lines) == len(texts) - 1
    places = {text.get_text(): text.xy for text in figure.texts}
    assert places["+"][1] > places["sin"][1] > places["*"][1] > places["x0"][1]


def test_pictures_of_more_than_one_target(figure):
    both = small().fit(X, np.column_stack([Y, 2 * Y]))
    both.plot_pareto(ax=figure, target=1)
    assert len(figure.collections[0].get_offsets()) == len(both.equations_[1])
    both.plot_fit(X, np.column_stack([Y, 2 * Y]), target=1)


# ---- notebooks --------------------------------------------------------------------------------------------


class Tags(html.parser.HTMLParser):
    """Counts tags, and sees that they close."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_notebook_shows_the_front(model):
    text = model._repr_mimebundle_()["text/html"]
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    rows = [attributes for tag, attributes in tags.seen if tag == "tr"]
    assert len(rows) == 1 + len(model.equations_)
    assert sum(row.get("class") == "chosen" for row in rows) == 1
    assert sum(tag == "circle" for tag, _ in tags.seen) == len(model.equations_)
    assert text.count("$\\displaystyle") == len(model.equations_)
    assert "sk-top-container" in small()._repr_mimebundle_()["text/html"]  # before fit: scikit-learn's


def test_names_of_columns_cannot_break_the_page():
    frame = pd.DataFrame(X, columns=["<script>alert(1)</script>", "b&c"])
    text = small().fit(frame, Y)._repr_mimebundle_()["text/html"]
    assert "<script" not in text


# ---- who is told ------------------------------------------------------------------------------------------


class Recorder(Callback):
    def __init__(self, stop_at=10**9):
        self.calls = []
        self.stop_at = stop_at

    def on_fit_start(self, model):
        self.calls.append("start")

    def on_progress(self, progress):
        self.calls.append(progress)
        return progress.iteration < self.stop_at

    def on_fit_end(self, model):
        self.calls.append(model.stop_reason_)


def test_callbacks_see_every_iteration():
    recorder = Recorder()
    small(callbacks=[recorder]).fit(X, np.column_stack([Y, -Y]))
    assert recorder.calls[0] == "start"
    assert recorder.calls[-1] == "iterations"
    states = recorder.calls[1:-1]
    assert [(s.target, s.iteration) for s in states] == [(t, i) for t in (0, 1) for i in (1, 2, 3, 4)]
    last = states[3]
    assert last.iterations == 4
    assert last.evaluations > states[0].evaluations > 0
    row = last.front[-1]
    assert np.mean((row.expression(X) - Y) ** 2) == pytest.approx(row.loss, rel=1e-6)


def test_a_callback_that_says_no_ends_the_search():
    recorder = Recorder(stop_at=2)
    fitted = small(callbacks=[recorder]).fit(X, Y)
    assert fitted.stop_reason_ == "early_stop"
    assert not fitted.interrupted_
    assert recorder.calls[-2].iteration == 2
    same = small(niterations=2).fit(X, Y)  # stopped, but finished: its constants are fitted
    assert fitted.equations_.equation.tolist() == same.equations_.equation.tolist()


def test_an_error_in_a_callback_goes_to_the_caller():
    class BoomError(Exception):
        pass

    class Boom(Callback):
        def on_progress(self, progress):
            raise BoomError

    with pytest.raises(BoomError):
        small(callbacks=[Boom()]).fit(X, Y)
    with pytest.raises(TypeError, match=r"callbacks holds <function.*Callback"):
        small(callbacks=[lambda progress: None]).fit(X, Y)


def test_csv(tmp_path):
    small(callbacks=[CSVLogger(tmp_path / "log.csv", interval=2)]).fit(X, Y)
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["iteration"] for row in rows} == {"2", "4"}
    last = rows[-1]
    values = balmer.parse(last["equation"], ["x0", "x1"])(X)
    assert np.mean((values - Y) ** 2) == pytest.approx(float(last["loss"]), rel=1e-9)
    for kind in (CSVLogger, TensorBoardLogger):
        with pytest.raises(ValueError, match="interval is 0"):
            kind(tmp_path, interval=0)


def test_tensorboard(tmp_path, monkeypatch):
    written = []

    class Writer:
        def __init__(self, folder):
            written.append(("open", folder))

        def add_scalar(self, name, value, step):
            written.append((name, step))

        def add_text(self, name, value, step):
            written.append((name, value))

        def close(self):
            written.append(("close", None))

    monkeypatch.setattr("balmer.callbacks._summary_writer", lambda: Writer)
    small(callbacks=[TensorBoardLogger(tmp_path)]).fit(X, np.column_stack([Y, -Y]))
    assert written[0] == ("open", str(tmp_path))
    assert written[-1] == ("close", None)
    names = {name for name, _ in written}
    assert "search/data/output2/summaries/pareto_volume" in names
    assert "search/data/output1/equations/complexity=1/equation" in names


def test_the_volume_of_a_front():
    def front(*points):
        return SearchProgress(0, 1, 1, 0, 0, tuple(ProgressRow(c, loss, None) for c, loss in points))

    # A triangle in decimal logarithms: from (0, 1) over (1, 0) to (1, 1), closed at complexity 10.
    assert pareto_volume(front((1, 10.0), (10, 1.0)), 9) == pytest.approx(0.5)
    better = pareto_volume(front((1, 10.0), (3, 0.1), (10, 0.01)), 29)
    assert better > pareto_volume(front((1, 10.0), (3, 1.0), (10, 0.1)), 29)
    assert pareto_volume(front((1, 1.0)), 30) == 0
    assert pareto_volume(front((1, 1.0), (3, -1.0)), 30) == 0


@pytest.mark.skipif(os.name != "posix", reason="opens a pseudo-terminal")
@pytest.mark.slow
def test_a_terminal_shows_the_growing_front():
    import pty

    script = (
        "import numpy as np, balmer; rng = np.random.default_rng(0); X = rng.normal(size=(100, 2));"
        "balmer.SymbolicRegressor(random_state=0, n_jobs=1, seeding=False, niterations=10**6,"
        " timeout_in_seconds=2).fit(X, np.sin(X[:, 0]) + rng.normal(size=100))"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.DEVNULL, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = b""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        shown += piece
    assert process.wait(timeout=60) == 0
    os.close(ours)
    text = shown.decode()
    assert "complexity" in text
    assert "formulas a second. Ctrl-C stops and keeps the front." in text
    assert "x0" in text


# ---- how sure ---------------------------------------------------------------------------------------------


def test_standard_deviations_are_those_of_linear_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 1))
    y = 2.0 * x[:, 0] + 1 + 0.3 * rng.normal(size=40)
    fitted = small(niterations=0, guesses=["1.1 * x0 + 0.9"], model_selection="accuracy").fit(x, y)
    points = np.linspace(-3, 3, 7)[:, None]
    predicted, deviation = fitted.predict(points, return_std=True)
    design = np.column_stack([x[:, 0], np.ones(40)])
    solution, squares, *_ = np.linalg.lstsq(design, y, rcond=None)
    noise = squares[0] / 38
    covariance = noise * np.linalg.inv(design.T @ design)
    at = np.column_stack([points[:, 0], np.ones(7)])
    np.testing.assert_allclose(predicted, at @ solution, rtol=1e-9)
    np.testing.assert_allclose(deviation, np.sqrt(noise + np.sum(at @ covariance * at, axis=1)), rtol=1e-7)
    np.testing.assert_array_equal(fitted.predict(points), predicted)


def test_intervals_cover_new_data():
    rng = np.random.default_rng(1)
    x, new = rng.uniform(0, 3, size=(200, 2)), rng.uniform(0, 3, size=(2000, 2))

    def truth(X):
        return 2 * np.exp(-0.7 * X[:, 0]) + X[:, 1]

    fitted = small(
        niterations=0,
        unary_operators=["exp"],
        guesses=["1.8 * exp(-0.5 * x0) + x1"],
        model_selection="accuracy",
    ).fit(x, truth(x) + 0.2 * rng.normal(size=200))
    predicted, deviation = fitted.predict(new, return_std=True)
    inside = np.abs(truth(new) + 0.2 * rng.normal(size=2000) - predicted) < 1.96 * deviation
    assert 0.93 < inside.mean() < 0.97


def test_a_weight_counts_as_often_as_it_says():
    weights = RNG.integers(1, 4, 60)
    once = small(niterations=0, guesses=["x0 + 0.5"]).fit(X, Y, sample_weight=weights)
    often = small(niterations=0, guesses=["x0 + 0.5"]).fit(X.repeat(weights, axis=0), Y.repeat(weights))
    np.testing.assert_allclose(
        once.predict(X, -1, return_std=True)[1], often.predict(X, -1, return_std=True)[1], rtol=1e-9
    )


def test_uncertainty_of_more_targets_and_of_other_losses(tmp_path):
    both = small().fit(X, np.column_stack([Y, -Y]))
    assert both.predict(X, return_std=True)[1].shape == (60, 2)
    both.save(tmp_path / "m")
    np.testing.assert_array_equal(
        balmer.SymbolicRegressor.load(tmp_path / "m").predict(X, return_std=True)[1],
        both.predict(X, return_std=True)[1],
    )
    with pytest.raises(ValueError, match="there are no uncertainties"):
        small(elementwise_loss="L1DistLoss").fit(X, Y).predict(X, return_std=True)


def test_refit_keeps_the_formulas():
    fitted = small(unary_operators=["sin"], named_constants={"g": 9.81}, niterations=8).fit(X, Y)
    before = {row.complexity for row in fitted.fronts_[0]}
    fitted.refit(X, 3 * Y + 1)
    for row in fitted.fronts_[0]:
        assert row.complexity in before
        assert np.mean((row.expression(X) - 3 * Y - 1) ** 2) == pytest.approx(row.loss, rel=1e-9)
    assert np.isfinite(fitted.fronts_[0][0].dl)
    assert fitted.predict(X, return_std=True)[1].shape == (60,)
    with pytest.raises(ValueError, match="2 names, but X has 1 columns"):
        fitted.refit(X[:, :1], Y)
    both = small().fit(X, np.column_stack([Y, -Y]))
    assert both.refit(X, np.column_stack([Y, 2 * Y])).predict(X).shape == (60, 2)
