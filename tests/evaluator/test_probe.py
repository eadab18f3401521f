"""The probe agrees with scikit-learn, and warns of doubtful metrics."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report
from sklearn.preprocessing import StandardScaler
from tests.messages import numbers, says

from experiments.evaluator.probe import Probe
from experiments.evaluator.protocol.scored_rows import fit_and_score_rows
from experiments.types import Findings

UNTRAINED, TRAINED = SimpleNamespace(trained=False), SimpleNamespace(trained=True)


def probe(**settings) -> Probe:
    defaults = {
        "name": "probe",
        "protocol": "held_out",
        "C": 0.1,
        "class_weight": "none",
        "components": None,
        "max_iter": 1000,
        "tolerance": 1e-4,
        "seed": 42,
    }
    return Probe(**(defaults | settings))


def evaluate(ctx, data, encoder=UNTRAINED, **settings):
    samples, embeddings = data
    return probe(**settings).evaluate(ctx=ctx, samples=samples, encoder=encoder, embeddings=embeddings)


def scikit_learn_report(
    data, protocol: str, weight: str | None, components: int | None
) -> tuple[dict, float]:
    """Return scikit-learn's report on the scored rows, and its training accuracy."""
    samples, embeddings = data
    train, scored = fit_and_score_rows(samples, UNTRAINED, protocol, 42)
    scaler_rows = train.rows if protocol == "held_out" else np.arange(len(samples))
    features = StandardScaler().fit(embeddings[scaler_rows]).transform(embeddings)
    if components:
        features = PCA(components).fit(features[scaler_rows]).transform(features)
    model = LogisticRegression(C=0.1, class_weight=weight, max_iter=1000)
    model.fit(features[train.rows], samples.labels[train.rows])
    rows = scored[0].rows
    report = classification_report(
        samples.labels[rows], model.predict(features[rows]), output_dict=True, zero_division=0
    )
    return report, model.score(features[train.rows], samples.labels[train.rows])


@pytest.mark.parametrize("protocol", ["held_out", "published"])
@pytest.mark.parametrize(("weight", "components"), [("none", None), ("balanced", None), ("none", 3)])
def test_metrics_agree_with_scikit_learn(ctx, blobs, protocol, weight, components):
    data = blobs(noise=2.5)
    findings = evaluate(ctx, data, protocol=protocol, class_weight=weight, components=components)
    report, trained = scikit_learn_report(data, protocol, None if weight == "none" else weight, components)
    assert 0.3 < report["accuracy"] < 0.95, "the data must be neither easy nor hopeless"
    assert findings.metrics["probe_train_accuracy"] == pytest.approx(trained)
    assert findings.metrics["probe_accuracy"] == pytest.approx(report["accuracy"])
    assert findings.metrics["probe_gap"] == pytest.approx(trained - report["accuracy"])
    for average in ("macro", "weighted"):
        for ours, theirs in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            expected = report[f"{average} avg"][theirs]
            assert findings.metrics[f"probe_{average}_{ours}"] == pytest.approx(expected)
    per_class = findings.tables["probe_classes"].set_index("class")
    for label in range(6):
        assert per_class["accuracy"][f"class{label}"] == pytest.approx(report[str(label)]["recall"])
        assert per_class["n"][f"class{label}"] == report[str(label)]["support"]
    assert findings.metrics["probe_class_mean"] == pytest.approx(report["macro avg"]["recall"])


def test_held_out_does_not_fit_on_scored_rows(ctx, blobs):
    samples, embeddings = blobs(noise=2.5)
    changed_embeddings = embeddings.copy()
    others = samples.rows("validation")
    changed_embeddings[others] = 1e3
    relabelled = samples.labels.copy()
    relabelled[others] = 0
    changed = replace(samples, labels=relabelled), changed_embeddings
    for metric in ("probe_train_accuracy", "probe_iterations"):
        value = evaluate(ctx, (samples, embeddings)).metrics[metric]
        assert evaluate(ctx, changed).metrics[metric] == value
        assert evaluate(ctx, changed, protocol="published").metrics[metric] != value


def test_permuted_labels_score_at_chance(ctx, blobs):
    samples, embeddings = blobs((200, 200, 200, 200))
    shuffled = replace(samples, labels=np.random.default_rng(0).permutation(samples.labels))
    assert evaluate(ctx, (samples, embeddings)).metrics["probe_accuracy"] > 0.9
    assert evaluate(ctx, (shuffled, embeddings)).metrics["probe_accuracy"] == pytest.approx(0.25, abs=0.1)


def test_held_out_scores_validation_and_test_rows_separately(ctx, blobs):
    data = blobs(noise=2.5, test=True)
    metrics = evaluate(ctx, data).metrics
    assert "probe_gap_test" in metrics
    both = (metrics["probe_accuracy_validation"] + metrics["probe_accuracy_test"]) / 2
    assert metrics["probe_accuracy"] == pytest.approx(both)
    assert "probe_accuracy_validation" not in evaluate(ctx, data, protocol="published").metrics


def test_published_warns_that_the_backbone_was_trained_on_scored_rows(ctx, blobs):
    data = blobs()
    findings = evaluate(ctx, data, TRAINED, protocol="published")
    assert 0.5 < findings.metrics["probe_trained_on"] < 1
    count = round(findings.metrics["probe_trained_on"] * findings.metrics["probe_scored"])
    assert str(count) in numbers(findings.warnings[0])
    assert str(count) in numbers(findings.tables["probe_rows"]["about"].iloc[-1])
    for unaffected in (evaluate(ctx, data, TRAINED), evaluate(ctx, data, UNTRAINED, protocol="published")):
        assert unaffected.metrics["probe_trained_on"] == 0
        assert not unaffected.warnings


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_a_fit_that_does_not_converge_has_a_saved_warning(ctx, blobs, tmp_path):
    findings = evaluate(ctx, blobs(), max_iter=1)
    assert (findings.metrics["probe_converged"], findings.metrics["probe_iterations"]) == (0, 1)
    says(findings.warnings[0], key="evaluator.probe", use="1 iterations")
    findings.save(tmp_path)
    assert Findings.load(tmp_path).warnings == findings.warnings
    converged = evaluate(ctx, blobs())
    assert converged.metrics["probe_converged"] == 1
    assert not converged.warnings


def test_the_scored_rows_are_counted(ctx, blobs):
    data = blobs()
    assert evaluate(ctx, data).metrics["probe_scored"] == len(data[0].rows("validation", "test"))


def test_two_probes_have_different_metric_names(ctx, blobs):
    names = [set(evaluate(ctx, blobs(), name=name).metrics) for name in ("probe", "probe_c1")]
    assert not names[0] & names[1]
    assert names[1] <= set(probe(name="probe_c1").METRICS)


def test_a_class_without_scored_rows_has_no_accuracy(ctx, blobs):
    findings = evaluate(ctx, blobs((40, 40, 1)))
    classes = findings.tables["probe_classes"].set_index("class")
    assert (classes["fitted"]["class2"], classes["n"]["class2"]) == (1, 0)
    assert np.isnan(classes["accuracy"]["class2"])
    assert "class2" not in set(findings.tables["probe_worst"]["class"])
    assert np.isfinite(list(findings.metrics.values())).all()


def test_tables_of_the_best_and_the_worst_classes_are_sorted(ctx, blobs):
    findings = evaluate(ctx, blobs((20,) * 25, noise=4))
    best, worst = findings.tables["probe_best"]["accuracy"], findings.tables["probe_worst"]["accuracy"]
    assert len(best) == len(worst) == 10
    assert best.is_monotonic_decreasing
    assert worst.is_monotonic_increasing
    assert best.iloc[-1] >= worst.iloc[-1]


def test_an_equal_fit_is_reused(ctx, blobs):
    evaluate(ctx, blobs())
    evaluate(ctx, blobs(), name="other")
    assert len(ctx.store.computed) == 1
    evaluate(ctx, blobs(), C=1.0)
    evaluate(ctx, blobs(), protocol="published")
    assert len(ctx.store.computed) == 3


@pytest.mark.parametrize(
    ("settings", "key", "use"),
    [
        ({"C": 0}, "evaluator.probe.C=0", "0.1"),
        ({"C": -1.0}, "evaluator.probe.C=-1.0", "0.1"),
        ({"C": float("nan")}, "evaluator.probe.C=nan", "0.1"),
        ({"class_weight": "even"}, "evaluator.probe.class_weight=even", "none or balanced"),
        ({"components": 0}, "evaluator.probe.components=0", "1 or more, or null"),
        ({"max_iter": 0}, "evaluator.probe.max_iter=0", "1 or more"),
        ({"tolerance": 0.0}, "evaluator.probe.tolerance=0.0", "1e-4"),
        ({"name": "probe_c1", "C": 0}, "evaluator.probe_c1.C=0", "0.1"),
    ],
)
def test_invalid_settings_are_refused(settings, key, use):
    with pytest.raises(ValueError) as error:
        probe(**settings)
    says(error, key=key, use=use)


def test_too_many_components_are_refused(ctx, blobs):
    with pytest.raises(ValueError) as error:
        evaluate(ctx, blobs(), components=9)
    says(error, key="evaluator.probe.components=9", use="evaluator.probe.components<=8")


def test_equal_rows_score_the_largest_class(ctx, blobs):
    samples, embeddings = blobs()
    metrics = evaluate(ctx, (samples, np.ones_like(embeddings))).metrics
    assert metrics["probe_accuracy"] == pytest.approx(8 / 32)
