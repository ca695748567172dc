"""Packages that compute KSG 1 of continuous variables, one short file each; each defines RIVAL."""
