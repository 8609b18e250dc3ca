"""People, organisations, roles, sign-in, consent, and who may see whom."""
