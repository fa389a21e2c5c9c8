"""Where the calls of the last minute are kept, one file a store. All keep the same promise (tests/limits)."""
