"""What every part stands on: settings, clock, database, errors, crypto, storage."""
