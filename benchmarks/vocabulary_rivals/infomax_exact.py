"""infomax: cross-entropy over all classes, streamed."""

from torch.optim import Adam

from benchmarks.vocabulary_rival import WIDTH, Loss, VocabularyRival
from infomax.candidates.independent import IndependentDraws
from infomax.unnormalised import SampledLinear


def build(law: IndependentDraws) -> tuple[Loss, Adam]:
    layer = SampledLinear(WIDTH, law.classes, objective="mle")
    return layer.loss, Adam(layer.parameters(), fused=True)


RIVAL = VocabularyRival("infomax exact, streamed, Adam", build, tables=5.5)
