"""Pages that many parts make up: of a trainee, an institution, an enterprise, a regulator, an operator. Reads only."""
