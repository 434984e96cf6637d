"""The parent's side of a run: starts workers, times them out, collects what they say and goes on."""
