"""Sound in and out. `base.py` says what a conversation asks for; files need nothing more, devices the extra `audio`."""
