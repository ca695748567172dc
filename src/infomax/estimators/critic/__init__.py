"""The neural critic: fitted to some rows, chosen by others, read on the rest."""

from infomax.estimators.critic.critic import Critic

__all__ = ["Critic"]
