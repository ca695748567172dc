"""Modules that turn raw items into vectors."""

from infomax.encoders.context import PredictiveContext
from infomax.encoders.image import ConvEncoder
from infomax.encoders.momentum import Momentum, cosine_momentum
from infomax.encoders.storage import load_encoder
from infomax.encoders.text import StaticTextEncoder
from infomax.encoders.tokens import TokenColumn, Tokens
from infomax.encoders.transformer import TransformerEncoder
from infomax.encoders.twins import dropout_twins

__all__ = [
    "ConvEncoder",
    "Momentum",
    "PredictiveContext",
    "StaticTextEncoder",
    "TokenColumn",
    "Tokens",
    "TransformerEncoder",
    "cosine_momentum",
    "dropout_twins",
    "load_encoder",
]
