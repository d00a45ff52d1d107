"""What a collector is given for one poll."""

import time
from typing import Any

from netvitals.domain.polling.job import Job
from netvitals.domain.polling.protocol import CredentialPart, Protocol
from netvitals.domain.ports import Target, target_of
from netvitals.domain.settings.policy import PollSettings

ADDRESS = "127.0.0.1"


def target[C: CredentialPart](
    protocol: Protocol[Any, C],
    settings: PollSettings,
    credential: C,
    memory: dict[str, Any],
    device_id: str = "host",
) -> Target[Any, C]:
    """Return a metrics poll of `ADDRESS` that may take two minutes."""
    now = int(time.time())
    job = Job(
        kind="metrics", device_id=device_id, address=ADDRESS, due_at=now, expires_at=now + 60,
        credential="lab", settings=settings, memory=dict(memory),
    )  # fmt: skip
    deadline = time.monotonic() + 120
    return target_of(protocol, job, address=ADDRESS, credential=credential, deadline=deadline)
