"""torch: adaptive softmax (Grave et al. 2017), another and smaller model: rare classes have vectors of d/4 and d/16.

The head holds 1 % of the classes, the first cluster the next 9 %, the second the rest.
"""

from torch.nn import AdaptiveLogSoftmaxWithLoss
from torch.optim import Adam

from benchmarks.vocabulary_rival import WIDTH, Loss, VocabularyRival
from infomax.candidates.independent import IndependentDraws


def build(law: IndependentDraws) -> tuple[Loss, Adam]:
    layer = AdaptiveLogSoftmaxWithLoss(WIDTH, law.classes, [law.classes // 100, law.classes // 10])
    return lambda hidden, targets: layer(hidden, targets).loss, Adam(layer.parameters(), fused=True)


RIVAL = VocabularyRival("torch AdaptiveLogSoftmaxWithLoss, Adam", build, tables=0.4, logits=0.45)
