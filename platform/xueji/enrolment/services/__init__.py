"""Use cases of enrolment: letting trainees in and out, and what their chains say of them."""
