"""torch: cross-entropy of the matrix of logits."""

from torch.nn import Linear
from torch.nn.functional import cross_entropy
from torch.optim import Adam

from benchmarks.vocabulary_rival import WIDTH, Loss, VocabularyRival
from infomax.candidates.independent import IndependentDraws


def build(law: IndependentDraws) -> tuple[Loss, Adam]:
    layer = Linear(WIDTH, law.classes)
    return lambda hidden, targets: cross_entropy(layer(hidden), targets), Adam(layer.parameters(), fused=True)


RIVAL = VocabularyRival("torch cross_entropy, Adam", build, tables=4, logits=3)
