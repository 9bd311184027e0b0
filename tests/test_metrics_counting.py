"""Metrics that count: thresholds, AUC, F-scores, confusion matrices."""

import jax
import numpy as np
import pytest

from cornu import metrics


def value_of(metric, *batch, **keywords):
    """The result after one batch, by way of a compiled update."""
    state = [variable.value for variable in metric.variables]
    state = jax.jit(metric.stateless_update_state)(state, *batch, **keywords)
    return np.asarray(metric.stateless_result(state))


class TestThresholds:
    @pytest.mark.parametrize("thresholds", [None, [0.1, 0.5, 0.2, 0.9], list(np.linspace(0, 1, 6))])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_counts_are_those_of_their_definition(self, thresholds, weighted):
        rng = np.random.default_rng(5)
        y, p = rng.integers(0, 2, 60), (rng.integers(0, 11, 60) / 10).astype("float32")
        w = rng.integers(1, 4, 60).astype("float32") if weighted else None
        edges = np.array([0.5] if thresholds is None else thresholds, "float32")
        positive = p[None] > edges[:, None]
        weight = np.ones(60) if w is None else w
        for name, chosen in (
            ("TruePositives", positive & (y == 1)),
            ("FalsePositives", positive & (y == 0)),
            ("TrueNegatives", ~positive & (y == 0)),
            ("FalseNegatives", ~positive & (y == 1)),
        ):
            got = value_of(getattr(metrics, name)(thresholds), y, p, w)
            expected = (chosen * weight).sum(1)
            np.testing.assert_allclose(got, expected[0] if thresholds is None else expected)

    @pytest.mark.parametrize("curve", ["ROC", "PR"])
    def test_auc_is_that_of_scikit_learn_where_thresholds_tell_all_scores_apart(self, curve):
        score = pytest.importorskip("sklearn.metrics")
        rng = np.random.default_rng(2)
        y = rng.integers(0, 2, 80)
        p = ((rng.permutation(100)[:80] + 0.5) / 100).astype("float32")
        auc = metrics.AUC(num_thresholds=101, curve=curve, summation_method="interpolation")
        got = float(value_of(auc, y, p))
        if curve == "ROC":
            assert got == pytest.approx(score.roc_auc_score(y, p), abs=1e-5)
        else:  # interpolated precision lies a little below the steps of average precision
            assert got == pytest.approx(score.average_precision_score(y, p), abs=0.02)

    def test_nan_predictions_exceed_no_threshold(self):
        y, p = np.array([1, 1]), np.array([np.nan, 0.9], "float32")
        assert value_of(metrics.TruePositives(), y, p) == 1
        assert value_of(metrics.TruePositives([0.2, 0.3]), y, p).tolist() == [1, 1]

    def test_an_update_of_auc_costs_batch_plus_thresholds(self):
        auc = metrics.AUC(num_thresholds=1000)
        state = [variable.value for variable in auc.variables]
        shapes = [
            out.aval.size
            for equation in jax.make_jaxpr(auc.stateless_update_state)(
                state, np.zeros(500), np.zeros(500, "float32")
            ).eqns
            for out in equation.outvars
        ]
        assert max(shapes) <= 4 * 1001

    def test_argument_errors(self):
        for make, words in (
            (lambda: metrics.Precision(thresholds=1.5), r"Precision.*in \[0, 1\]"),
            (lambda: metrics.Recall(thresholds=[0.5, None]), r"Recall.*received \[None\]"),
            (lambda: metrics.AUC(num_thresholds=1), "greater than 1"),
            (lambda: metrics.AUC(curve="XY"), r"curve='XY'.*ROC, PR"),
            (lambda: metrics.AUC(summation_method="x"), "minoring"),
            (lambda: metrics.AUC(num_labels=2), "multi_label=True"),
            (lambda: metrics.PrecisionAtRecall(1.1), r"recall=1.1.*\[0, 1\]"),
            (lambda: metrics.RecallAtPrecision(0.5, num_thresholds=0), "positive integer"),
            (lambda: metrics.F1Score(average="best"), "'micro'"),
            (lambda: metrics.FBetaScore(beta=0.0), "greater than 0"),
            (lambda: metrics.F1Score(threshold=2.0), r"\(0, 1\]"),
            (lambda: metrics.R2Score(class_aggregation="x"), "uniform_average"),
            (lambda: metrics.R2Score(num_regressors=-1), "0 or more"),
            (lambda: metrics.IoU(2, [2]), r"\[0, 2\)"),
        ):
            with pytest.raises(ValueError, match=words):
                make()

    def test_shape_errors(self):
        with pytest.raises(ValueError, match=r"precision: .*\(4,\).*\(4, 3\)"):
            metrics.Precision().update_state(np.ones(4), np.ones((4, 3)))
        with pytest.raises(ValueError, match=r"class_id=1\): y_pred must have the shape"):
            metrics.Recall(class_id=1).update_state(np.ones(4), np.ones(4))
        with pytest.raises(ValueError, match="top_k=9"):
            metrics.Recall(top_k=9).update_state(np.ones((4, 3)), np.ones((4, 3)))
        with pytest.raises(ValueError, match=r"f1_score: expected one-hot labels.*\(4,\)"):
            metrics.F1Score().update_state(np.ones(4), np.ones((4, 3)))
        with pytest.raises(ValueError, match=r"r2_score: .*\(4, 2\).*\(4, 1\)"):
            metrics.R2Score().update_state(np.ones((4, 2)), np.ones((4, 1)))
        with pytest.raises(ValueError, match="sparse_y_pred"):
            metrics.MeanIoU(3).update_state(np.ones(4), np.ones((4, 3)))
        with pytest.raises(ValueError, match=r"predictions of shape \(batch, labels\)"):
            metrics.AUC(multi_label=True).update_state(np.ones(4), np.ones(4))


class TestOthers:
    @pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
    def test_f1_is_that_of_scikit_learn(self, average):
        score = pytest.importorskip("sklearn.metrics")
        rng = np.random.default_rng(1)
        labels, scores = rng.integers(0, 4, 50), rng.random((50, 4))
        metric = metrics.F1Score(average=average)
        metric.build(np.eye(4)[labels], scores)
        got = value_of(metric, np.eye(4)[labels], scores)
        expected = score.f1_score(labels, scores.argmax(1), average=average)
        np.testing.assert_allclose(got, expected, atol=1e-5)

    def test_confusion_matrix_leaves_out_numbers_that_are_no_class(self):
        iou = metrics.MeanIoU(2)
        iou.update_state(np.array([0, 1, 255, -1, 1]), np.array([0, 1, 0, 1, 7]))
        np.testing.assert_array_equal(iou.total_cm.numpy(), [[1, 0], [0, 1]])

    def test_float_weights_of_an_integer_matrix_are_complained_of(self):
        with pytest.warns(UserWarning, match="pass dtype='float32'"):
            metrics.MeanIoU(2).update_state(np.array([0]), np.array([0]), np.array([0.5]))

    def test_adjusted_r2_with_too_few_values(self):
        metric = metrics.R2Score(num_regressors=5)
        metric.update_state(np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [2.0], [3.0]]))
        with pytest.warns(UserWarning, match="too few for an adjusted R2"):
            plain = float(metric.result())
        assert plain == pytest.approx(1 - 1 / (14 / 3))
        assert np.isfinite(jax.jit(metric.stateless_result)([v.value for v in metric.variables]))
