"""Where things are: read from `HOMEWARD_*` in the environment or from `homeward.toml`; everything has a default.

With no configuration all of it lives under `$HOMEWARD_HOME` (default `./var`) with an embedded PostgreSQL.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from assets.workplace import Workplace

PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Homeward's settings; a name that does not exist in `homeward.toml` is an error."""

    model_config = SettingsConfigDict(env_prefix="HOMEWARD_", toml_file="homeward.toml", extra="forbid")

    home: Path = Path("var")
    warehouse_url: str | None = None
    vault_url: str | None = None
    samples: Path = Path("samples")
    corpus: Path = PROJECT.parent / "shared" / "data" / "open"
    workers: int = 2

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def environment(self) -> dict[str, str]:
        """The same settings for a child process, wherever it runs and whatever `homeward.toml` it would find there."""
        given = self.model_dump(exclude_none=True) | {"home": self.home.resolve(), "samples": self.samples.resolve()}
        return {f"HOMEWARD_{name.upper()}": str(value) for name, value in given.items()}

    def workplace(self) -> Workplace:
        """The workplace these settings describe; nothing is started or made until it is used."""
        return Workplace(self.home.resolve(), self.warehouse_url, self.vault_url, self.workers)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """This process's settings, read once."""
    return Settings()
