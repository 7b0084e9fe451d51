"""Makes the pipeline for atop known to pySigma, which looks for it here."""

from plaso_atop.sigma.pipeline import plaso_atop_pipeline

__all__ = ["plaso_atop_pipeline"]
