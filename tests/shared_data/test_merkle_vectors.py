"""Proofs that nobody here made, good and bad: the vectors of transparency-dev/merkle (RFC 6962)."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ledger.merkle import verify_consistency, verify_inclusion

ROOT = Path(__file__).resolve().parents[2]
VECTORS = (ROOT / os.environ.get("SEATWATCH_SHARED_DATA", "../shared/data")).resolve() / "merkle"
INCLUSION = sorted(VECTORS.glob("inclusion/**/*.json"))
CONSISTENCY = sorted(VECTORS.glob("consistency/**/*.json"))


def load(path: Path) -> tuple[Any, list[bytes]]:
    vector = json.loads(path.read_text(encoding="utf-8"))
    return vector, [base64.b64decode(node) for node in vector["proof"] or []]


def named(path: Path) -> str:
    return str(path.relative_to(VECTORS))


def test_the_vectors_are_there() -> None:
    assert INCLUSION, f"no inclusion proofs under {VECTORS}"
    assert CONSISTENCY, f"no consistency proofs under {VECTORS}"


@pytest.mark.parametrize("path", INCLUSION, ids=named)
def test_an_inclusion_proof_is_judged_as_its_makers_judge_it(path: Path) -> None:
    vector, proof = load(path)
    leaf, root = base64.b64decode(vector["leafHash"]), base64.b64decode(vector["root"])
    assert verify_inclusion(vector["leafIdx"], vector["treeSize"], leaf, proof, root) is not vector["wantErr"]


@pytest.mark.parametrize("path", CONSISTENCY, ids=named)
def test_a_consistency_proof_is_judged_as_its_makers_judge_it(path: Path) -> None:
    vector, proof = load(path)
    roots = base64.b64decode(vector["root1"]), base64.b64decode(vector["root2"])
    assert verify_consistency(vector["size1"], vector["size2"], *roots, proof) is not vector["wantErr"]
