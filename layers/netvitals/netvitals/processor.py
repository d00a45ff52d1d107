"""Refuse to start on a processor that the layers were not built for, with the reason."""

import importlib
import platform

_MACHINES = {"arm64": ("aarch64", "arm64"), "x86_64": ("x86_64", "AMD64")}


def require_processor() -> None:
    """Compare this machine with the one that the layer of dependencies was built for; a checkout has none.

    Raises:
        ImportError: it is another: the compiled modules could not be loaded, and none would say why.
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
