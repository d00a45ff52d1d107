"""Define ticks, schedules, jobs, and the results of polls."""
