"""What every room stands on: settings, database, clock, ids, problems, secrets and the keys that protect them."""
