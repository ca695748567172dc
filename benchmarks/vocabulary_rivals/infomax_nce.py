"""infomax: NCE, draws shared by the batch, sparse gradients."""

from benchmarks.vocabulary_rival import DRAWS, WIDTH, Loss, VocabularyRival
from infomax.candidates.independent import IndependentDraws
from infomax.training import LazyAdam
from infomax.unnormalised import SampledLinear


def build(law: IndependentDraws) -> tuple[Loss, LazyAdam]:
    layer = SampledLinear(WIDTH, law.classes, noise=law, draws=DRAWS, objective="nce")
    return layer.loss, LazyAdam(layer.parameters())


RIVAL = VocabularyRival("infomax NCE, 4,096 draws, LazyAdam", build, tables=3)
