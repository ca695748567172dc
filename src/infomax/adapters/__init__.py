"""Losses under the names and arguments of other libraries, a file each: change the import, keep the call.

`infomax.adapters.open_clip`, `.metric_learning` (PyTorch Metric Learning), `.lightly`: numbers and gradients of the originals
wherever both define the same thing; an argument that would change what is computed is refused. `.sentence_transformers`: any
objective as a loss of its trainer. None of them imports the library that it stands in for.
"""
