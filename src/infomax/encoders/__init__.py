"""Modules that turn raw items into vectors."""

from infomax.encoders.context import PredictiveContext
from infomax.encoders.image import ConvEncoder
from infomax.encoders.momentum import Momentum, cosine_momentum
from infomax.encoders.storage import load_encoder
from infomax.encoders.text import StaticTextEncoder
from infomax.encoders.tokens import TokenColumn, Tokens

__all__ = [
    "ConvEncoder",
    "Momentum",
    "PredictiveContext",
    "StaticTextEncoder",
    "TokenColumn",
    "Tokens",
    "cosine_momentum",
    "load_encoder",
]
