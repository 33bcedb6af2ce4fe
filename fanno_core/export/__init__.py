"""A finished run's rows, chosen, split and written as the tools of the field read them."""
