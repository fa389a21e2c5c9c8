"""The voice backend: text in, sentences to be spoken out, for kiosks, phones and single-board computers."""
