"""Makes the backend for Plaso known to pySigma, which looks for it here."""

from plaso_atop.sigma.backend import PlasoBackend

__all__ = ["PlasoBackend"]
