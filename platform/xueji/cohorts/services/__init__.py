"""What is done to cohorts."""
