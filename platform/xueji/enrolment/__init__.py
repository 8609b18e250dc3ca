"""Trainees in cohorts: let in, declared, identified in their chains, and let out."""
