"""Frames, faces, liveness and film: arrays and paths in, frozen dataclasses out."""
