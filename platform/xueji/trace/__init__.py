"""The traceability log: facts in an order that nobody can alter unnoticed."""
