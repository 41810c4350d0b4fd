"""A name from elsewhere, or a misspelt one, is refused with what is meant."""

import pytest

import jaxopt_lite
from jaxopt_lite import schedules
from jaxopt_lite.core.counterparts import ARGUMENTS, NAMES
from jaxopt_lite.core.declarations import by_name

MEANT = {
    "adamm": "did you mean adam",
    "Adam": "did you mean adam",
    "AdamW": "did you mean adamw",
    "rms_prop": "did you mean rmsprop?",
    "sgdm": "here it is momentum",
    "MultiSteps": "here it is accumulate",
    "multi_steps": "here it is accumulate",
    "adaptive_grad_clip": "here it is adaptive_clip",
    "warmup_cosine_decay_schedule": "here it is schedules.warmup(steps, schedules.cosine(…))",
}


@pytest.mark.parametrize("name", MEANT)
def test_a_name_that_is_not_in_the_package_says_what_is_meant(name):
    with pytest.raises(AttributeError) as refused:
        getattr(jaxopt_lite, name)
    assert f"module 'jaxopt_lite' has no attribute {name!r}; {MEANT[name]}" in str(refused.value)


def test_an_import_says_so_too():
    with pytest.raises(ImportError, match="cannot import name 'Adam'"):
        from jaxopt_lite import Adam  # noqa: F401, PLC0415 - it is the test


def test_optimizers_by_name_and_schedules_say_so():
    with pytest.raises(ValueError, match=r"^there is no optimizer 'Adamm'; did you mean adam"):
        by_name("Adamm")
    with pytest.raises(AttributeError, match=r"here it is schedules\.cosine$"):
        schedules.cosine_decay_schedule  # noqa: B018 - it raises
    with pytest.raises(AttributeError, match=r"has no attribute 'xyzzy'$"):
        jaxopt_lite.xyzzy  # noqa: B018 - it raises


def test_what_is_meant_is_there():
    public = {*jaxopt_lite.__all__, *(f"schedules.{name}" for name in schedules.__all__)}
    simple = {ours for ours in NAMES.values() if ours.replace(".", "").isidentifier()}
    assert simple - public == set()
    assert {ours for ours in ARGUMENTS.values() if ours.isidentifier()} <= {
        *("lr", "beta1", "beta2", "beta3", "eps", "every", "memory", "steps", "start", "end", "peak")
    }
