"""Use cases of enrolment: cohorts, the trainees in them, and their attendance in person."""
