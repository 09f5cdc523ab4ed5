"""Scores of what is about to happen: fitted on earlier days, judged on later ones, and never an effect."""
