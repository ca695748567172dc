"""Ways to turn an image into a vector without labels, one function each: (images, budget, rng) -> what encodes.

All that learn share one encoder (`ConvEncoder`, 0.42 million weights), optimiser, batch, and number of images seen; what else
they train (a critic, a decoder, a head) is thrown away. SimCLR and MoCo alone see augmented images, two views of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn
from torch.nn.functional import normalize

from infomax import objectives
from infomax.candidates import Queue
from infomax.critics import Bilinear, Separable
from infomax.critics.layers import network
from infomax.data.views import jitter_colours, random_flip, random_resized_crop
from infomax.encoders import ConvEncoder, Momentum

WIDTH, BATCH, RATE, QUEUE = 64, 128, 1e-3, 2048
Encode = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Budget:
    """How many times all images are seen."""

    epochs: int

    def batches(self, images: Tensor, rng: torch.Generator) -> Iterable[Tensor]:
        """Full batches of images, shuffled anew each time."""
        for _ in range(self.epochs):
            for rows in torch.randperm(len(images), generator=rng).split(BATCH):
                if len(rows) == BATCH:
                    yield images[rows]


def pixels(*_: object) -> Encode:
    """The image itself."""
    return lambda x: x.flatten(1)


def principal_components(images: Tensor, *_: object) -> Encode:
    """As many components as the vectors have numbers."""
    pca = PCA(WIDTH, random_state=0).fit(images.flatten(1))
    return lambda x: torch.tensor(pca.transform(x.flatten(1)))


def untrained(_images: Tensor, _budget: Budget, rng: torch.Generator) -> Encode:
    """The encoder's random start."""
    return _encoder(rng)


def autoencoder(images: Tensor, budget: Budget, rng: torch.Generator) -> Encode:
    """A decoder of the encoder's shape turned round; mean squared error of the pixels."""
    encoder = _encoder(rng)
    decoder = nn.Sequential(
        network((WIDTH, 256, encoder.places * encoder.local_width), rng),
        nn.ReLU(),
        nn.Unflatten(1, (encoder.local_width, 7, 7)),
        nn.ConvTranspose2d(encoder.local_width, 16, 3, 2, 1, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 3, 2, 1, 1),
    )
    _learn([encoder, decoder], budget.batches(images, rng), lambda x: (decoder(encoder(x)) - x).square().mean())
    return encoder


def deep_infomax(
    images: Tensor,
    budget: Budget,
    rng: torch.Generator,
    *,
    objective: str = "jensen_shannon",
    local: bool = True,
    critic: Callable[..., nn.Module] = Bilinear,
) -> Encode:
    """The vector against the image's own 49 places, or against all of them as one; no image is augmented."""
    encoder, loss_of = _encoder(rng), getattr(objectives, objective)
    told = encoder.local_width * (1 if local else encoder.places)
    critic = critic(told, WIDTH, generator=rng)

    def loss(x: Tensor) -> Tensor:
        places, vectors = encoder.maps(x)
        found = objectives.local_scores(places, vectors, critic) if local else critic(places.flatten(1), vectors)
        return loss_of(found).mean()

    _learn([encoder, critic], budget.batches(images, rng), loss)
    return encoder


def simclr(images: Tensor, budget: Budget, rng: torch.Generator) -> Encode:
    """Two views of each image by NT-Xent on a head."""
    encoder = _encoder(rng)
    headed = nn.Sequential(encoder, nn.ReLU(), network((WIDTH, 128, WIDTH), rng))
    _learn(
        [headed],
        budget.batches(images, rng),
        lambda x: objectives.nt_xent(headed(_view(x, rng)), headed(_view(x, rng)), temperature=0.2).mean(),
    )
    return encoder


def moco(images: Tensor, budget: Budget, rng: torch.Generator) -> Encode:
    """A view against the other view's key by a slow copy, and a queue of older keys."""
    encoder = _encoder(rng)
    headed = nn.Sequential(encoder, nn.ReLU(), network((WIDTH, 128, WIDTH), rng))
    slow, queue = Momentum(headed, 0.99), Queue(QUEUE, WIDTH)

    def loss(x: Tensor) -> Tensor:
        anchors, keys = normalize(headed(_view(x, rng))), normalize(slow(_view(x, rng)))
        losses = objectives.info_nce(queue.scores(anchors, keys, temperature=0.2))
        queue.enqueue(keys)
        return losses.mean()

    _learn([headed], budget.batches(images, rng), loss, after=lambda: slow.update(headed))
    return encoder


def _encoder(rng: torch.Generator) -> ConvEncoder:
    return ConvEncoder(28, filters=(16, 32), width=WIDTH, generator=rng)


def _view(x: Tensor, rng: torch.Generator) -> Tensor:
    """A crop of 0.4 to 1 of the area, mirrored or not, of another brightness and contrast."""
    x = random_flip(random_resized_crop(x, rng, scale=(0.4, 1.0)), rng)
    return jitter_colours(x, rng, 0.4, 0.4)


def _learn(
    modules: list[nn.Module],
    batches: Iterable[Tensor],
    loss: Callable[[Tensor], Tensor],
    after: Callable[[], None] = lambda: None,
) -> None:
    optimizer = torch.optim.Adam([p for module in modules for p in module.parameters()], lr=RATE)
    for x in batches:
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
        after()


_OBJECTIVES = {"Jensen-Shannon": "jensen_shannon", "Donsker-Varadhan": "donsker_varadhan", "InfoNCE": "info_nce"}
METHODS: dict[str, Callable[[Tensor, Budget, torch.Generator], Encode]] = {
    "pixels (784)": pixels,
    "principal components": principal_components,
    "encoder, untrained": untrained,
    "autoencoder": autoencoder,
    **{
        f"Deep InfoMax, {'local' if local else 'global'}, {name}": partial(
            deep_infomax, objective=function, local=local
        )
        for local in (True, False)
        for name, function in _OBJECTIVES.items()
    },
    "Deep InfoMax, local, Jensen-Shannon, critic of networks": partial(deep_infomax, critic=Separable),
    "SimCLR": simclr,
    "MoCo": moco,
}
