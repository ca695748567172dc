"""A plan as plain lines for a terminal."""

from __future__ import annotations

from infomax.report.words import duration
from infomax.training.plan import Plan


def plan_text(plan: Plan) -> str:
    """The run, its time and its memory; and what to do where it does not fit."""
    chunks = "" if plan.chunk is None else f", {plan.chunk} rows encoded at a time"
    lines = [
        f"{plan.pairs:,} pairs to learn from, {plan.batch_size:,} a step{chunks}: {plan.steps_per_epoch:,} steps an epoch.",
        f"The encoder has {plan.parameters:,} numbers to learn and gives vectors of {plan.dim:,}; on {_where(plan)}.",
        "",
        f"A step    {_precise(plan.seconds_per_step)}: {_precise(plan.encode_seconds)} to encode, "
        f"{_precise(plan.score_seconds)} for the scores",
        f"An epoch  {duration(plan.seconds_per_epoch)}, validation included",
        f"The run   {duration(plan.seconds)} in at most {plan.epochs} epochs, beside reading, tokenising and the evaluation",
        f"Memory    {_memory(plan)}",
    ]
    if plan.fits is False:
        lines += ["", "It does not fit: give a smaller --chunk (the same gradient in less memory) or --batch-size."]
    return "\n".join(lines)


def _where(plan: Plan) -> str:
    return plan.device if plan.device != "cpu" else f"cpu, {plan.threads} thread{'s' if plan.threads > 1 else ''}"


def _memory(plan: Plan) -> str:
    if plan.peak_bytes is None:
        return "not known on this system"
    free = "" if plan.free_bytes is None else f", of {_size(plan.free_bytes)} that are free"
    return f"{_size(plan.peak_bytes)} at its peak{free}"


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 10 * 2**30 else f"{count / 2**20:,.0f} MiB"


def _precise(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 0.995 else f"{seconds:.1f} s" if seconds < 60 else duration(seconds)
