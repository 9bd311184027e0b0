"""Metrics on their own: the base class, names, shapes, and numbers known by other means."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornu import metrics
from cornu.core.variable import Variable, bind
from cornu.metrics import for_output


def spec(*shape, dtype="float32"):
    """What a trainer knows of labels or predictions; None is an unknown batch."""

    class Spec:
        pass

    made = Spec()
    made.shape, made.dtype = shape, dtype
    return made


def value_of(metric, *batch, **keywords):
    """The result after one batch, by way of a compiled update."""
    state = [variable.value for variable in metric.variables]
    state = jax.jit(metric.stateless_update_state)(state, *batch, **keywords)
    return np.asarray(metric.stateless_result(state))


class Latest(metrics.Metric):
    """A user's metric: the last prediction."""

    def __init__(self, name="latest", **kwargs):
        super().__init__(name=name, **kwargs)
        self.value = self.add_weight(name="value", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.value.assign(jnp.reshape(y_pred, -1)[-1])

    def result(self):
        return self.value.value


class TestBase:
    def test_variables_of_nested_metrics_and_of_attributes(self):
        class Group(metrics.Metric):
            def __init__(self):
                super().__init__()
                self.parts = {"a": metrics.Sum(), "more": [metrics.Mean()]}
                self.own = self.add_variable((2,), name="own")
                self.extra = Variable(np.ones(3), name="extra", trainable=False)
                self.pair = (self.extra, self.parts["a"])

        group = Group()
        assert group.name == "group"
        names = [variable.name for variable in group.variables]
        assert names == ["own", "extra", "total", "total", "count"]
        assert not any(variable.trainable for variable in group.variables)

    def test_initial_values(self):
        class Started(metrics.Metric):
            def __init__(self):
                super().__init__()
                self.ones = self.add_variable((2,), "ones", name="ones")
                self.sevens = self.add_variable((), lambda shape, dtype: np.full(shape, 7, dtype))
                self.integers = self.add_variable((), dtype="int32")

        started = Started()
        np.testing.assert_array_equal(started.ones.numpy(), [1, 1])
        assert float(started.sevens) == 7
        assert started.sevens.dtype == "float32"
        assert started.integers.dtype == "int32"
        started.reset_state()
        assert [np.sum(v.numpy()) for v in started.variables] == [0, 0, 0]

    def test_forgotten_super_is_said(self):
        class Forgot(metrics.Metric):
            def __init__(self):
                self.total = self.add_variable(())

        with pytest.raises(RuntimeError, match=r"Forgot.__init__ must call super\(\).__init__"):
            Forgot()

    def test_missing_methods_are_named(self):
        with pytest.raises(NotImplementedError, match=r"Metric does not define update_state"):
            metrics.Metric().update_state(1, 2)

    def test_call_updates_and_returns_the_result(self):
        mean = metrics.Mean()
        assert float(mean([1.0, 3.0])) == 2.0
        assert float(mean([5.0])) == 3.0

    def test_stateless_methods_leave_the_metric_alone(self):
        mean = metrics.Mean()
        mean.update_state([4.0])
        after = mean.stateless_update_state([jnp.float32(1), jnp.float32(1)], [3.0])
        assert [float(v) for v in after] == [4.0, 2.0]
        assert float(mean.stateless_result(after)) == 2.0
        assert [float(v) for v in mean.stateless_reset_state()] == [0.0, 0.0]
        assert float(mean.result()) == 4.0

    def test_stateless_methods_want_one_value_for_each_variable(self):
        with pytest.raises(ValueError, match="received 1 values for its 2 variables"):
            metrics.Mean().stateless_update_state([0.0], [1.0])
        with pytest.raises(ValueError, match="received 3 values"):
            metrics.Mean().stateless_result([0.0, 0.0, 0.0])

    @pytest.mark.parametrize(
        ("given", "computed"),
        [
            (None, "float32"),
            ("float16", "float16"),
            (np.float32, "float32"),
            ("int", "int32"),
            (float, "float32"),
            ("mixed_bfloat16", "bfloat16"),
        ],
    )
    def test_dtype(self, given, computed):
        assert metrics.Mean(dtype=given).dtype == computed
        assert metrics.Mean(dtype=given).total.dtype == computed

    def test_automatic_names(self):
        names = [metrics.Precision().name, metrics.Precision().name, metrics.MeanIoU(2).name]
        assert names == ["precision", "precision_1", "mean_io_u"]

    def test_masks_are_accepted_where_means_are_taken(self):
        assert metrics.BinaryAccuracy().accepts_mask
        assert metrics.MeanMetricWrapper(lambda y, p: p).accepts_mask
        assert not metrics.AUC().accepts_mask
        assert not Latest().accepts_mask


class TestBuild:
    """Variables whose shape depends on the data exist before a program is compiled."""

    @pytest.mark.parametrize("identifier", [metrics.F1Score, metrics.R2Score, metrics.FBetaScore])
    def test_of_our_own(self, identifier):
        metric = for_output(identifier(), spec(None, 3), spec(None, 3))
        assert {variable.shape for variable in metric.variables} <= {(3,), ()}
        count = len(metric.variables)
        value_of(metric, np.eye(3), np.eye(3) * 0.9)
        assert len(metric.variables) == count

    def test_of_auc_with_several_labels(self):
        metric = for_output(metrics.AUC(multi_label=True), spec(None, 3), spec(None, 3))
        assert [variable.shape for variable in metric.variables] == [(200, 3)] * 4
        y = np.array([[0, 1, 1], [1, 0, 0]])
        assert float(value_of(metric, y, y.astype("float32"))) == 1.0

    def test_in_the_middle_of_a_trace(self):
        metric = metrics.F1Score()

        @jax.jit
        def traced(y, p):
            metric.build(y, p)
            return y

        traced(np.eye(2), np.eye(2))
        assert all(isinstance(v.value, jax.Array) for v in metric.variables)
        metric.reset_state()

    def test_of_a_users_metric_that_waits_for_its_first_batch(self):
        class Late(metrics.Metric):
            def __init__(self):
                super().__init__(name="late")
                self.seen = self.add_variable((), name="seen")
                self.sums = None

            def update_state(self, y_true, y_pred, sample_weight=None):
                if self.sums is None:
                    self.sums = self.add_variable((y_pred.shape[-1],), name="sums")
                self.sums.assign_add(jnp.sum(y_pred, axis=0))
                self.seen.assign_add(1.0)

            def result(self):
                return jnp.max(self.sums.value) / self.seen.value

        late = for_output(Late(), spec(None, 2), spec(None, 2))
        assert [variable.name for variable in late.variables] == ["seen", "sums"]
        assert value_of(late, np.zeros((2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]])) == 6.0
        assert float(late.seen) == 0

    def test_leaves_a_users_python_state_alone(self):
        class Keeper(Latest):
            def __init__(self):
                super().__init__()
                self.batches = []
                self.calls = 0

            def update_state(self, y_true, y_pred, sample_weight=None):
                self.batches.append(y_pred)
                self.calls += 1
                super().update_state(y_true, y_pred)

        keeper = for_output(Keeper(), spec(None), spec(None, 1))
        assert keeper.batches == []
        assert keeper.calls == 0
        assert float(keeper.value) == 0


class TestMeans:
    @given(
        st.lists(st.integers(1, 6), min_size=1, max_size=4),
        st.booleans(),
        st.integers(0, 2**32 - 1),
    )
    @settings(max_examples=15, deadline=None)
    def test_batches_add_up_to_the_whole(self, sizes, weighted, seed):
        rng = np.random.default_rng(seed)
        values = rng.random(sum(sizes)).astype("float32")
        weights = rng.random(sum(sizes)).astype("float32") + 0.5
        mean = metrics.Mean()
        edges = np.cumsum([0, *sizes])
        for start, end in itertools.pairwise(edges):
            mean.update_state(values[start:end], weights[start:end] if weighted else None)
        expected = np.average(values, weights=weights if weighted else None)
        assert float(mean.result()) == pytest.approx(expected, rel=1e-5)

    def test_nothing_seen_is_zero(self):
        assert float(metrics.Mean().result()) == 0.0
        assert float(metrics.Precision().result()) == 0.0
        assert value_of(metrics.Mean(), np.ones(3), np.zeros(3)) == 0.0

    def test_mask_leaves_out(self):
        mean = metrics.MeanMetricWrapper(lambda y, p: jnp.mean((y - p) ** 2, -1))
        y, p = np.zeros((1, 3, 1)), np.array([[[1.0], [2.0], [100.0]]])
        assert value_of(mean, y, p, mask=np.array([[True, True, False]])) == 2.5

    def test_weights_that_do_not_fit(self):
        with pytest.raises(ValueError, match=r"mean: sample_weight of shape \(3,\) does not fit"):
            metrics.Mean().update_state(np.ones(4), np.ones(3))
        with pytest.raises(ValueError, match=r"auc: sample_weight of shape \(3,"):
            metrics.AUC(name="auc").update_state(np.ones((4, 1)), np.ones((4, 1)), np.ones((3, 1)))

    def test_update_has_few_operations(self):
        """An unweighted mean adds a sum and a known count, and nothing else."""
        mean = metrics.SparseCategoricalAccuracy()
        pure = bind(mean.update_state, mean.variables)
        state = [v.value for v in mean.variables]
        reduction = jax.make_jaxpr(bind(metrics.Mean.update_state.__get__(mean), mean.variables))
        equations = [e.primitive.name for e in reduction(state, np.ones(8, "float32")).eqns]
        assert equations == ["reduce_sum", "add", "add"]
        compiled = jax.jit(pure).lower(state, np.zeros(8, "int32"), np.ones((8, 3))).compile()
        assert "sort" not in compiled.as_text()


class TestAccuracy:
    @given(st.integers(0, 2**32 - 1), st.sampled_from(["int32", "uint8", "float32", "int64"]))
    @settings(max_examples=20, deadline=None)
    def test_sparse_accuracy_is_that_of_argmax(self, seed, dtype):
        rng = np.random.default_rng(seed)
        scores = rng.integers(0, 3, (20, 4)).astype("float32")  # many ties
        scores[rng.random((20, 4)) < 0.1] = np.nan
        scores[(rng.random((20, 4)) < 0.1) & ~np.isnan(scores).any(1, keepdims=True)] = np.inf
        labels = rng.integers(0, 5, 20).astype(dtype)  # 4 is no class
        expected = np.argmax(scores, -1) == labels
        got = metrics.sparse_categorical_accuracy(labels, scores)
        np.testing.assert_array_equal(got, expected.astype("float32"))

    def test_labels_that_are_no_class_are_never_right(self):
        scores = np.array([[9.0, 1.0], [1.0, 9.0], [9.0, 1.0]])
        got = metrics.sparse_categorical_accuracy(np.array([-1.0, 1.5, 2.0]), scores)
        np.testing.assert_array_equal(got, [0, 0, 0])

    def test_uint8_labels_of_many_classes(self):
        scores = np.zeros((1, 1000), "float32")
        scores[0, 200] = 1
        assert metrics.sparse_categorical_accuracy(np.array([200], "uint8"), scores)[0] == 1

    def test_one_hot_labels_for_a_sparse_accuracy(self):
        with pytest.raises(ValueError, match=r"integer labels.*\(4, 3\).*use categorical_accuracy"):
            metrics.SparseCategoricalAccuracy().update_state(np.eye(4, 3), np.ones((4, 3)))

    def test_integer_labels_for_a_categorical_accuracy(self):
        for shape in ((4,), (4, 1)):
            with pytest.raises(ValueError, match="use sparse_categorical_accuracy"):
                metrics.CategoricalAccuracy().update_state(np.ones(shape), np.ones((4, 3)))
            with pytest.raises(ValueError, match="use sparse_top_k_categorical_accuracy"):
                metrics.TopKCategoricalAccuracy().update_state(np.ones(shape), np.ones((4, 3)))

    def test_other_shapes(self):
        with pytest.raises(ValueError, match=r"binary_accuracy: .*\(4,\).*\(4, 3\)"):
            metrics.BinaryAccuracy().update_state(np.ones(4), np.ones((4, 3)))
        with pytest.raises(ValueError, match=r"sparse_top_k.*\(5,\)"):
            metrics.SparseTopKCategoricalAccuracy().update_state(np.ones(5), np.ones((4, 3)))

    def test_half_precision_predictions_meet_an_exact_threshold(self):
        predictions = jnp.array([0.3], "bfloat16")  # a little more than 0.3
        assert metrics.binary_accuracy(np.array([1]), predictions, threshold=0.3)[0] == 1


class TestLookup:
    @pytest.mark.parametrize(
        ("word", "true", "pred", "expected"),
        [
            ("accuracy", (None,), (None, 1), "BinaryAccuracy"),
            ("acc", (None, 1), (None, 4), "SparseCategoricalAccuracy"),
            ("Accuracy", (None, 4), (None, 4), "CategoricalAccuracy"),
            ("accuracy", (None, 7), (None, 7, 4), "SparseCategoricalAccuracy"),
            ("ce", (None,), (None, 1), "BinaryCrossentropy"),
            ("crossentropy", (None,), (None, 4), "SparseCategoricalCrossentropy"),
            ("crossentropy", (None, 4), (None, 4), "CategoricalCrossentropy"),
            ("mse", (None, 4), (None, 4), "MeanSquaredError"),
            ("AUC", (None, 1), (None, 1), "AUC"),
        ],
    )
    def test_of_words(self, word, true, pred, expected):
        metric = for_output(word, spec(*true), spec(*pred))
        assert (type(metric).__name__, metric.name) == (expected, word)

    def test_of_functions_and_objects(self):
        def within_a_tenth(y_true, y_pred):
            return jnp.abs(y_true - y_pred) < 0.1

        shapes = spec(None), spec(None)
        metric = for_output(within_a_tenth, *shapes)
        assert metric.name == "within_a_tenth"
        assert value_of(metric, np.array([1.0, 1.0]), np.array([1.05, 2.0])) == 0.5
        assert for_output(lambda y, p: p, *shapes).name == "lambda"
        assert for_output(metrics.mean_squared_error, *shapes).name == "mean_squared_error"
        kept = metrics.Mean(name="mine")
        assert metrics.get(kept) is kept
        latest = for_output(Latest(), *shapes)
        assert latest.name == "latest"
        assert len(latest.variables) == 1
        assert for_output(Latest, *shapes).name == "latest"

    def test_unknown(self):
        with pytest.raises(ValueError, match="did you mean 'precision'"):
            metrics.get("precison")
        with pytest.raises(TypeError, match="'MeanIoU' needs arguments"):
            metrics.get("MeanIoU")
        with pytest.raises(ValueError, match="None"):
            for_output(None, spec(None), spec(None))
        with pytest.raises(TypeError, match="cannot make a metric of 3"):
            metrics.get(3)
        with pytest.raises(ValueError, match="unknown function 'nothing'"):
            metrics.deserialize(
                {"class_name": "MeanMetricWrapper", "config": {"name": "x", "fn": "nothing"}}
            )

    def test_metric_of_another_library(self):
        class Foreign:
            def update_state(self): ...
            def __call__(self): ...

        with pytest.raises(TypeError, match="metric of another library"):
            metrics.get(Foreign())

    def test_configuration_without_a_module_is_a_metric(self):
        config = {"class_name": "CategoricalCrossentropy", "config": {"from_logits": True}}
        assert isinstance(metrics.get(config), metrics.CategoricalCrossentropy)
        config["module"] = "keras.src.metrics.probabilistic_metrics"
        assert isinstance(metrics.deserialize(config), metrics.CategoricalCrossentropy)

    def test_round_trip_of_a_users_metric(self):
        again = metrics.deserialize(metrics.serialize(Latest()), {"Latest": Latest})
        assert isinstance(again, Latest)

    def test_direction(self):
        def own(y_true, y_pred):
            return y_pred

        assert metrics.AUC()._direction == "up"
        assert metrics.KLDivergence()._direction == "down"
        assert metrics.CosineSimilarity()._direction == "up"
        assert metrics.MeanMetricWrapper(metrics.huber)._direction == "down"
        assert not hasattr(metrics.MeanMetricWrapper(own), "_direction")
