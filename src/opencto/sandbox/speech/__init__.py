"""The voice of the sandbox: Pico, clause by clause, with numbers and names put as people say them."""
