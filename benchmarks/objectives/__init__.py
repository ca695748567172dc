"""What is computed, as its definition on the stored matrix: the judge of values and gradients, in float64."""

from benchmarks.objectives import nt_xent, one_way, symmetric

OBJECTIVES = {"one_way": one_way.loss, "symmetric": symmetric.loss, "nt_xent": nt_xent.loss}
