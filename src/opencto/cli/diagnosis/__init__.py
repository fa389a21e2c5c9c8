"""The checks of `opencto doctor`: each looks at one thing and gives lines that passed, warned, or failed with a remedy."""
