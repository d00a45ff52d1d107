"""Ticks, schedules, jobs, and what a poll of a device returns."""
