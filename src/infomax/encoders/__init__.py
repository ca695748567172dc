"""Modules that turn raw items into vectors."""

from infomax.encoders.storage import load_encoder
from infomax.encoders.text import StaticTextEncoder
from infomax.encoders.tokens import TokenColumn, Tokens

__all__ = ["StaticTextEncoder", "TokenColumn", "Tokens", "load_encoder"]
