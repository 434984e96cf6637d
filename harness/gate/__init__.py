"""Two revisions of one project, measured side by side in one run: did anything become slower, or hungrier?"""
