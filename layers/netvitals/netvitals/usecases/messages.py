"""Jobs of one site and one second travel together, where more than one may share a message."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from netvitals.domain.job import MAX_BODY_BYTES, Job, encode_jobs
from netvitals.domain.ports import QueuedJobs

MAX_WAITING_JOBS = 20_000
"""Jobs held back for company; memory stays flat, whatever the number of sites."""
_ENVELOPE_BYTES = 64


def grouped(delayed: Iterable[tuple[Job, int]], jobs_per_message: int) -> Iterator[QueuedJobs]:
    """The messages for jobs that come with their delays in seconds."""
    if jobs_per_message == 1:
        for job, delay in delayed:
            yield QueuedJobs([job], delay, job.site)
        return
    waiting: defaultdict[tuple[str, int], _Bundle] = defaultdict(_Bundle)
    held = 0
    for job, delay in delayed:
        bundle = waiting[job.site, delay]
        size = len(encode_jobs([job]))
        if bundle.jobs and bundle.size + size > MAX_BODY_BYTES - _ENVELOPE_BYTES:
            held -= len(bundle.jobs)
            yield QueuedJobs(bundle.take(), delay, job.site)
        bundle.add(job, size)
        held += 1
        if len(bundle.jobs) >= jobs_per_message:
            held -= len(bundle.jobs)
            yield QueuedJobs(bundle.take(), delay, job.site)
        elif held >= MAX_WAITING_JOBS:
            yield from _rest(waiting)
            held = 0
    yield from _rest(waiting)


class _Bundle:
    __slots__ = ("jobs", "size")

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.size = 0

    def add(self, job: Job, size: int) -> None:
        self.jobs.append(job)
        self.size += size

    def take(self) -> list[Job]:
        jobs, self.jobs, self.size = self.jobs, [], 0
        return jobs


def _rest(waiting: dict[tuple[str, int], _Bundle]) -> Iterator[QueuedJobs]:
    for (site, delay), bundle in waiting.items():
        if bundle.jobs:
            yield QueuedJobs(bundle.take(), delay, site)
    waiting.clear()
