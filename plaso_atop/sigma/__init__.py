"""Conversion of Sigma rules. Needs pySigma."""
