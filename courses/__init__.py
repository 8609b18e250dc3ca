"""Courses, lessons, and the films that are played in them."""
