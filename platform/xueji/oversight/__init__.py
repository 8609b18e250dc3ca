"""The regulator: audit, replay, random draws, findings."""
