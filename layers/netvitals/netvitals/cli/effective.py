"""Read the configuration that a command runs with: a document and the environment."""

import os
from pathlib import Path

from netvitals.adapters.files.configuration_document import document_in_file
from netvitals.domain.settings.configuration import Configuration
from netvitals.settings import configuration


def effective_configuration(document: Path | None) -> Configuration:
    """Return the settings of a document, of the environment, which takes precedence, and defaults.

    Raises:
        ConfigurationError: the document can't be read, or a setting is not valid.
    """
    content = document_in_file(str(document)) if document else None
    return configuration(content, str(document or "no document"), os.environ)
