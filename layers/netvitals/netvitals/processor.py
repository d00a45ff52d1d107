"""Refuse to start on a processor for which the layers were not built, and name the reason."""

import importlib
import platform

_MACHINES = {"arm64": ("aarch64", "arm64"), "x86_64": ("x86_64", "AMD64")}


def require_processor() -> None:
    """Compare this machine's processor with that of the layer of dependencies, if there is such a layer.

    Raises:
        ImportError: they differ, so the compiled modules could not be loaded.
    """
    try:
        built_for = importlib.import_module("netvitals_processor").BUILT_FOR
    except ModuleNotFoundError:
        return
    if platform.machine() not in _MACHINES.get(built_for, (built_for,)):
        raise ImportError(
            f"the layers were built for {built_for}, and the function runs on {platform.machine()}: "
            "`sam build` and `sam deploy` were given different values of Architecture; it stands once in "
            "samconfig.toml, under [default.global.parameters.parameter_overrides]"
        )
