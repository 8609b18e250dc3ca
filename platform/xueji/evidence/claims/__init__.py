"""The claims a bundle makes, each checked by itself and named when it falls."""
