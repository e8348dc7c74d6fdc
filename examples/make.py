"""Makes all sample deliveries: `python -m examples.make samples` writes them, each beside its manifest.

Honduras delivers no file but a database: here it gets its manifest only, and `inm_hnd.fill_hnd` fills a database that
whoever runs it provides. How a sample looks inside is the business of its own module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from examples import dgme_slv, ine_gtm, inm_hnd, kobo_civ, kobo_eth
from examples.manifest import Manifest

MANIFEST = "manifest.json"
_FILES: dict[str, Callable[[Path], Manifest]] = {
    kobo_eth.SOURCE: kobo_eth.make_eth,
    kobo_civ.SOURCE: kobo_civ.make_civ,
    ine_gtm.SOURCE: ine_gtm.make_gtm,
    dgme_slv.SOURCE: dgme_slv.make_slv,
}
DATABASES: dict[str, Callable[[str], None]] = {inm_hnd.SOURCE: inm_hnd.fill_hnd}
"""Source -> what fills its database, given the SQLAlchemy URL of an empty one."""


@dataclass(frozen=True)
class SampleDelivery:
    """One delivery as its supplier would send it; `files` is empty where the supplier opens a database instead."""

    source: str
    files: tuple[Path, ...]
    manifest_path: Path


def make_samples(folder: Path) -> list[SampleDelivery]:
    """Writes every sample into `folder/<iso3>/<source>/`; the same bytes every time."""
    samples = []
    for source, make in _FILES.items():
        place = folder / source
        place.mkdir(parents=True, exist_ok=True)
        samples.append(_written(make(place), place))
    place = folder / inm_hnd.SOURCE
    place.mkdir(parents=True, exist_ok=True)
    samples.append(_written(inm_hnd.expect_hnd(), place))
    return samples


def _written(manifest: Manifest, place: Path) -> SampleDelivery:
    files = tuple(place / name for name in manifest.files)
    return SampleDelivery(manifest.source, files, manifest.write(place / MANIFEST))


if __name__ == "__main__":
    make_samples(Path(sys.argv[1] if len(sys.argv) > 1 else "samples"))
