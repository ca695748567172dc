"""infomax: NCE, log-uniform draws shared by the batch, sparse gradients."""

from benchmarks.vocabulary_rival import DRAWS, WIDTH, Loss, VocabularyRival
from infomax.candidates import LogUniform
from infomax.training import LazyAdam
from infomax.unnormalised import SampledLinear


def build(classes: int) -> tuple[Loss, LazyAdam]:
    layer = SampledLinear(WIDTH, classes, noise=LogUniform(classes), draws=DRAWS, objective="nce")
    return layer.loss, LazyAdam(layer.parameters())


RIVAL = VocabularyRival("infomax NCE, 4,096 draws, LazyAdam", build, tables=3)
