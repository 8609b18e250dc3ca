"""Class-hour accounting: what counted, what did not, and why."""
