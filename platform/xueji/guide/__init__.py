"""A demonstration's guide: a tour of four stops, and a page that tries to cheat. Nothing of it exists elsewhere."""
