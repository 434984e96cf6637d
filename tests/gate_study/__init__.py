"""How often gates are wrong: the same pairs of base and head, of which the truth is known, given to each of them."""
