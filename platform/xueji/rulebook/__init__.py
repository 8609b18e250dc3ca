"""The rules of training as dated data, and the pure functions that read them."""
