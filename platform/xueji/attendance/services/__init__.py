"""What is done to class sessions and attendance."""
