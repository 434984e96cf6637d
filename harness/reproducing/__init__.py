"""Whether a run that was made again says the same: figure by figure, verdict by verdict."""
