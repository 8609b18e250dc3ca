"""Use cases of the course part: editing courses, receiving uploads, turning uploads into films."""
