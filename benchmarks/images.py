"""What linear and nearest-neighbour probes read from vectors of images: `python -m benchmarks.images`.

Fashion-MNIST. Each method learns from the same images without labels; then probes learn from the labels of these images, and read
the 10,000 test images. A row goes to the CSV file as soon as it is known; rows already there are not computed again.
"""

from __future__ import annotations

import argparse
import datetime
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from time import process_time

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from benchmarks import rows
from benchmarks.fashion_mnist import load
from benchmarks.machine import machine
from benchmarks.representations import METHODS, Budget, Encode
from benchmarks.table import markdown, put_into

RESULTS = Path(__file__).parent / "results" / "images.csv"
SETTING = ("method", "seed", "images", "epochs")


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    about = {"date": datetime.date.today().isoformat()} | {name: machine()[name] for name in ("machine", "torch")}
    done = {tuple(row[name] for name in SETTING) for row in rows.read(options.out)}
    for seed in range(options.seeds):
        for method in METHODS:
            setting = dict(zip(SETTING, (method, str(seed), str(options.images), str(options.epochs)), strict=True))
            if tuple(setting.values()) not in done and not options.table:
                row = setting | _measure(method, seed, options.images, Budget(options.epochs)) | about
                rows.append(options.out, row)
                print(row["linear"], row["neighbours"], row["cpu_s"], seed, method, flush=True)
    asked = (str(options.images), str(options.epochs))
    table = _table([row for row in rows.read(options.out) if (row["images"], row["epochs"]) == asked])
    print(table)
    if options.into:
        put_into(Path(options.into), f"images {options.images}", table)


def _measure(method: str, seed: int, n: int, budget: Budget) -> dict[str, str]:
    """Held-out accuracies, and CPU seconds of learning the encoder."""
    (images, classes), (unseen, answers) = load("train"), load("t10k")
    rng = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(images), generator=rng)[:n]
    images, classes, began = images[chosen], classes[chosen.numpy()], process_time()
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # of a decoder's start
        encode = METHODS[method](images, budget, rng)
    took = process_time() - began
    known, new = _vectors(encode, images), _vectors(encode, unseen)
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200, tol=1e-3))
    held_out = ShuffleSplit(1, test_size=0.2, random_state=0)  # of the training images, to choose the penalty on
    linear = GridSearchCV(regression, {"logisticregression__C": [0.01, 1.0]}, cv=held_out)
    neighbours = KNeighborsClassifier(10, metric="cosine")
    found = {"linear": linear, "neighbours": neighbours}
    shares = {name: f"{probe.fit(known, classes).score(new, answers):.4f}" for name, probe in found.items()}
    return shares | {"cpu_s": f"{took:.1f}"}


@torch.no_grad()
def _vectors(encode: Encode, images: Tensor) -> np.ndarray:
    return torch.cat([encode(x) for x in images.split(500)]).numpy()


def _table(found: list[dict[str, str]]) -> str:
    """Means over seeds with their standard errors, in percent."""
    body = []
    for method in METHODS:
        own = [row for row in found if row["method"] == method]
        if own:
            cells = [_share([100 * float(row[name]) for row in own]) for name in ("linear", "neighbours")]
            body.append([method, *cells, f"{mean(float(row['cpu_s']) for row in own):.0f}", str(len(own))])
    return markdown(["vectors", "linear probe, %", "10 neighbours, %", "CPU s to learn", "seeds"], body)


def _share(values: list[float]) -> str:
    error = f" ± {stdev(values) / sqrt(len(values)):.2f}" if len(values) > 1 else ""
    return f"{mean(values):.2f}{error}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.images", description=__doc__)
    parser.add_argument("--images", type=int, default=4_000, help="to learn from")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS, help="the CSV file")
    parser.add_argument("--table", action="store_true", help="only the table of what is there")
    parser.add_argument("--into", help="a Markdown page whose table of so many images is to be replaced")
    return parser.parse_args()


if __name__ == "__main__":
    main()
