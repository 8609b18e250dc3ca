"""Cohorts, the trainees in them, and attendance in person."""
