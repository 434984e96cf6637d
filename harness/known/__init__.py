"""Work of which the truth is known: one computation under two names, and a third that does a twentieth more.

It is a project like any other, measured by the same engine, and so tells how far that engine errs on this machine.
"""
