"""Defaults that are constants of a paper, of a library that the name is known from, or of our own documentation.

What a user gets who names none of them depends on each, and theorems, which hold at any value, would not notice.
"""

from inspect import signature

import pytest

from infomax import critics, evaluation, objectives, unnormalised

CONSTANTS = {
    "sentence-transformers, CoSENTLoss": (objectives.cosent, "scale", 20.0),
    "Zbontar et al. 2021, lambda": (objectives.barlow_twins, "weight", 0.005),
    "Bardes et al. 2022, lambda": (objectives.vicreg, "invariance", 25.0),
    "Bardes et al. 2022, mu": (objectives.vicreg, "variance", 25.0),
    "Bardes et al. 2022, nu": (objectives.vicreg, "covariance", 1.0),
    "an average over about a hundred batches, as its error says": (objectives.MineLoss, "rate", 0.01),
    "sentence-transformers, GISTEmbedLoss": (objectives.gist, "temperature", 0.01),
    "tf.contrib, npairs_loss(reg_lambda)": (objectives.n_pair, "regularisation", 0.002),
    "Wang et al. 2017, within 36 to 55": (objectives.angular, "degrees", 45.0),
    "pytorch-metric-learning, ContrastiveLoss(neg_margin)": (objectives.margin_contrastive, "margin", 1.0),
    "Petrov & Macdonald 2023, t of gSASRec": (objectives.generalised_bce, "calibration", 0.75),
    "Wu et al. 2018; where CLIP starts": (critics.cosine, "temperature", 0.07),
    "lightly, NTXentLoss; Chen et al. 2020 on CIFAR-10": (objectives.nt_xent, "temperature", 0.5),
    "He et al. 2020 (MoCo)": (objectives.moco_loss, "temperature", 0.07),
    "docs/choose.md, for unit vectors 0.05 to 0.1": (evaluation.evaluate, "temperature", 0.05),
    "of Adam on all parameters of a small model: ours": (unnormalised.NCE, "learning_rate", 0.01),
}


@pytest.mark.parametrize("source", CONSTANTS)
def test_the_default_is_the_published_constant(source):
    function, name, value = CONSTANTS[source]
    assert signature(function).parameters[name].default == value
