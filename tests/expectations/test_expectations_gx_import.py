"""What Great Expectations imports and nobody uses is imported when somebody does."""

import gc
import subprocess
import sys

import pytest

from expectations import gx_import

LIKE_GX = """
import importlib.util
import sys
from expectations import gx_import
gx_import.load()
from expectations import suites
import great_expectations as gx
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as unused
assert not {"altair.vegalite", "scipy.stats._stats_py"} & sys.modules.keys()
assert not {"altair", "scipy.stats"} & sys.modules.keys()
assert not set(gx_import._KINDS) & sys.modules.keys()
import altair, scipy.stats
assert altair.Chart is unused.alt.Chart
assert scipy.stats.entropy is unused.stats.entropy
from great_expectations.datasource import fluent
assert issubclass(fluent.PandasDatasource, fluent.Datasource)
assert sys.modules[gx_import._SOURCES + ".pandas_datasource"].PandasDatasource is fluent.PandasDatasource
assert issubclass(fluent.SparkS3Datasource, fluent.Datasource)
assert not hasattr(fluent, "NoSuchDatasource")
assert all(spec is not None for spec in map(importlib.util.find_spec, gx_import._KINDS))
"""


def test_what_stands_for_a_module_has_what_the_module_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with gx_import._later("colorsys"):
        import colorsys as stand_in
    assert "colorsys" not in sys.modules
    import colorsys

    assert stand_in is not colorsys
    assert stand_in.rgb_to_hls is colorsys.rgb_to_hls


def test_a_module_that_was_imported_before_is_left_as_it_is() -> None:
    with gx_import._later("gc"):
        assert sys.modules["gc"] is gc


@pytest.mark.slow
def test_great_expectations_is_imported_without_what_it_hardly_uses_and_can_use_it() -> None:
    done = subprocess.run([sys.executable, "-c", LIKE_GX], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
