"""Contrastive losses side by side: objectives x worlds x rivals, one file each, in the manner of benchopt."""
