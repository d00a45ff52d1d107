"""Group jobs of one site that are due together into messages, where more than one may share a message."""

from collections.abc import Iterable, Iterator

from netvitals.domain.polling.job import MAX_BODY_BYTES, Job, encode_jobs
from netvitals.domain.ports import QueuedJobs

SHARED_SECONDS = 5
"""Jobs due in the same so many seconds may share a message, which comes when the first of them is due."""
MAX_WAITING_JOBS = 20_000
"""Jobs buffered until their message is full, at most: memory stays flat, whatever the number of sites."""
_ENVELOPE_BYTES = 64


def grouped(delayed: Iterable[tuple[Job, int]], jobs_per_message: int) -> Iterator[QueuedJobs]:
    """Yield the messages for jobs that come with their delays in seconds."""
    if jobs_per_message == 1:
        for job, delay in delayed:
            yield QueuedJobs([job], delay, job.site)
        return
    waiting: dict[tuple[str, int], _Bundle] = {}
    held = 0
    for job, delay in delayed:
        key = job.site, job.due_at // SHARED_SECONDS
        size = len(encode_jobs([job]))
        bundle = waiting.get(key)
        if bundle is not None and bundle.size + size > MAX_BODY_BYTES - _ENVELOPE_BYTES:
            held -= len(bundle.jobs)
            yield waiting.pop(key).message()
            bundle = None
        if bundle is None:
            bundle = waiting[key] = _Bundle()
        bundle.add(job, delay, size)
        held += 1
        if len(bundle.jobs) >= jobs_per_message:
            held -= len(bundle.jobs)
            yield waiting.pop(key).message()
        elif held >= MAX_WAITING_JOBS:
            yield from (each.message() for each in waiting.values())
            waiting.clear()
            held = 0
    yield from (each.message() for each in waiting.values())


class _Bundle:
    """Buffers the jobs of a message that is not full yet."""

    __slots__ = ("delay", "jobs", "size")

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.size = 0
        self.delay = 0

    def add(self, job: Job, delay: int, size: int) -> None:
        self.delay = min(self.delay, delay) if self.jobs else delay
        self.jobs.append(job)
        self.size += size

    def message(self) -> QueuedJobs:
        return QueuedJobs(self.jobs, self.delay, self.jobs[0].site)
