"""infomeasure: KSG with its default k = 4; Chao, Wang and Jost's correction for labels."""

from infomeasure import mutual_information

from benchmarks.information.rival import Rival, Sample


def nats(sample: Sample) -> float:
    if sample.kind == "discrete":
        columns = [side[:, 0] for side in (sample.x, sample.y)]
        return float(mutual_information(*columns, approach="chao_wang_jost", base="e"))
    return float(mutual_information(sample.x, sample.y, approach="ksg", base="e"))


RIVAL = Rival("infomeasure", ("infomeasure",), nats, ("continuous", "discrete"))
