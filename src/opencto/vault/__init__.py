"""Keys that people bring: encrypt, hint, check, rotate, resolve. What a key may be used for is decided above."""
