"""Live events: what changed, told to every page that watches, whichever process it is connected to."""
