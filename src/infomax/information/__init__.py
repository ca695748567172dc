"""Exact quantities of known distributions, and plug-in quantities of counts."""
