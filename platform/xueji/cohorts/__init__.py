"""Cohorts: planned, opened, put right and closed."""
