"""Sittings and beats: what was watched, when, and how far."""
