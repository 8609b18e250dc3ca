"""Identity checks: scheduled, taken, judged, reviewed, contested."""
